"""Ids and fields that the administrator's operations share."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.domain.ip_rules import MAX_RULE_LENGTH, MAX_RULES
from chalicelib.domain.smpp_login import SYSTEM_ID_PATTERN

AccountId = Annotated[str, Meta(pattern="^[a-z0-9_A-Z-]{1,40}$", description="An account's id.")]
KeyId = Annotated[str, Meta(pattern="^[0-9A-Za-z]{1,40}$", description="An API key's id: its third part, no secret.")]
GatewayId = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9-]{0,29}$(?!\\n)",
        description="A gateway's id; its queues are named after it.",
        examples=["movistar-es"],
    ),
]
RatePlanId = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,29}$(?!\\n)", description="A rate plan's id.", examples=["resellers"])
]
RouteId = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,40}$", description="A route's id.")]
SystemId = Annotated[
    str,
    Meta(
        pattern=SYSTEM_ID_PATTERN,
        description="An SMPP login's system_id (SMPP 3.4, 5.2.1); its queue is named after it.",
        examples=["acme"],
    ),
]
SessionId = Annotated[str, Meta(pattern="^[0-9A-Za-z_-]{1,40}$(?!\\n)", description="A bound session's id.")]
Prefix = Annotated[str, Meta(pattern="^[1-9][0-9]{0,14}$(?!\\n)", description="The first digits of numbers, no +.")]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$(?!\\n)", description="ISO 3166-1 alpha-2.", examples=["ES"])]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
IpRules = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=MAX_RULE_LENGTH, examples=["203.0.113.0/24"])], ...],
    Meta(max_length=MAX_RULES, description="Networks (IPv4 and IPv6) that calls may come from; none: from anywhere."),
]
Version = Annotated[int, Meta(ge=1, description="The version that this change was made from; another is refused.")]


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of a listing."""

    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Deleted(msgspec.Struct, frozen=True):
    """It is gone."""

    id: str
