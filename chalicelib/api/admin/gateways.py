"""Gateways: create, read, change, list, delete. They are used as they were when last published."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Deleted, GatewayId, Name, PageQuery, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.message_types import MAX_VALIDITY_SECONDS, MIN_VALIDITY_SECONDS
from chalicelib.domain.rules import (
    BindMode,
    ErrorRule,
    Gateway,
    GatewayState,
    LongMessageForm,
    MessageIdForm,
    Unanswered,
)
from chalicelib.services.faults import not_found
from chalicelib.services.keep_gateway import change_gateway, create_gateway, delete_gateway
from chalicelib.store import rule_rows
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Gateways", role="admin")

_ASCII: Final = "^[ -~]*$(?!\\n)"
Ton = Annotated[int, Meta(ge=0, le=6, description="Type of number (SMPP 3.4, 5.2.5).")]
Npi = Annotated[int, Meta(ge=0, le=18, description="Numbering plan indicator (SMPP 3.4, 5.2.6).")]
TlvTag = Annotated[int, Meta(ge=1, le=0xFFFF)]
Password = Annotated[
    str,
    Meta(pattern=_ASCII, min_length=1, max_length=8, description="For the bind (SMPP 3.4: 8 characters). Never told."),
]


class ErrorRuleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take one command_status of this gateway."""

    command_status: Annotated[int, Meta(ge=1, le=0xFFFFFFFF)]
    action: Literal["retry", "pause", "fail_over", "final"]
    code: Annotated[
        str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$(?!\\n)", description="What customers are told, for programs.")
    ]
    title: Annotated[str, Meta(min_length=1, max_length=200, description="The same, for people.")]
    refund: bool = True


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an operator's SMSC is reached, and its habits."""

    name: Name
    host: Annotated[str, Meta(pattern="^[A-Za-z0-9.:_-]{1,253}$(?!\\n)")]
    port: Annotated[int, Meta(ge=1, le=65535)]
    system_id: Annotated[str, Meta(pattern=_ASCII, min_length=1, max_length=15)]
    state: Annotated[
        GatewayState,
        Meta(description="Routes pass over one that is not active; of a draining one what waits there still goes out."),
    ] = "active"
    simulator: Annotated[bool, Meta(description="No operator: the only kind that test keys reach.")] = False
    bind_mode: BindMode = "transceiver"
    sessions: Annotated[int, Meta(ge=1, le=100, description="Binds of each kind, over all bridges.")] = 1
    system_type: Annotated[str, Meta(pattern=_ASCII, max_length=12)] = ""
    address_range: Annotated[str, Meta(pattern=_ASCII, max_length=40)] = ""
    tls: bool = False
    tls_verify: bool = True
    window: Annotated[int, Meta(ge=1, le=10_000, description="Unanswered submits a session.")] = 100
    messages_per_second: Annotated[float, Meta(ge=0.01, le=100_000, description="Over all its sessions.")] = 100.0
    enquire_link_seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    response_timeout_seconds: Annotated[float, Meta(ge=1, le=600)] = 30.0
    service_type: Annotated[str, Meta(pattern=_ASCII, max_length=5)] = ""
    source_ton: Annotated[Ton, Meta(description="Default: by the sender's form.")] | None = None
    source_npi: Annotated[Npi, Meta(description="Default: by the sender's form.")] | None = None
    destination_ton: Ton = 1
    destination_npi: Npi = 1
    destination_plus: Annotated[bool, Meta(description="Send the + of the number too.")] = False
    long_messages: LongMessageForm = "udh"
    gsm7_data_coding: Annotated[int, Meta(ge=0, le=255)] = 0
    message_id_form: Annotated[
        MessageIdForm, Meta(description="How a receipt's id may differ from the response's.")
    ] = "either"
    receipt_utc_offset_minutes: Annotated[int, Meta(ge=-720, le=840, description="The clock of its receipts.")] = 0
    unanswered: Annotated[
        Unanswered, Meta(description="A submit without an answer: hold as unknown, send again, or by its priority.")
    ] = "by_priority"
    error_table: Annotated[tuple[ErrorRuleSettings, ...], Meta(max_length=200)] = ()
    tlvs: Annotated[
        Literal["all"] | Annotated[tuple[TlvTag, ...], Meta(max_length=100)],
        Meta(description="Tags of customers' optional parameters (SMPP 3.4, 5.3) that it is sent: those, or all."),
    ] = ()
    sender_override: (
        Annotated[
            str,
            Meta(pattern=_ASCII, min_length=1, max_length=20, description="Sent whatever a message's sender is."),
        ]
        | None
    ) = None
    max_wait_seconds: (
        Annotated[
            int,
            Meta(
                ge=MIN_VALIDITY_SECONDS,
                le=MAX_VALIDITY_SECONDS,
                description="What waited longer there expires, however long it is valid.",
            ),
        ]
        | None
    ) = None


class NewGateway(GatewaySettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway to create."""

    id: GatewayId
    password: Password


class GatewayChange(GatewaySettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default, but the password, which is kept."""

    version: Version
    password: Password | None = None


class PublishedGateway(GatewaySettings, frozen=True, kw_only=True):
    """A gateway of a snapshot."""

    id: str


class GatewayView(PublishedGateway, frozen=True, kw_only=True):
    """A gateway as it is edited."""

    version: int


@endpoints.post("/v1/admin/gateways", status=201, faults=("already_exists",))
def create_a_gateway(call: AdminCall, body: NewGateway) -> GatewayView:
    """Create a gateway, with its queues.

    It is used once it is published.
    """
    return _view(create_gateway(_gateway(body.id, body), body.password))


@endpoints.get("/v1/admin/gateways", faults=("invalid_cursor",))
def list_gateways(call: AdminCall, query: PageQuery) -> Listing[GatewayView]:
    """List gateways as they are edited, in no particular order."""
    page = rule_rows.gateways.listing(unseal(call, "gateways", query.cursor), query.limit)
    return Listing(data=tuple(_view(row) for row in page.items), next_cursor=seal(call, "gateways", page.cursor))


@endpoints.get("/v1/admin/gateways/{gateway}")
def read_gateway(call: AdminCall, gateway: GatewayId) -> GatewayView:
    """Read a gateway as it is edited."""
    held = rule_rows.gateways.get(gateway, consistent=True)
    if held is None:
        raise not_found("gateway")
    return _view(held)


@endpoints.put("/v1/admin/gateways/{gateway}", faults=("version_conflict",))
def change_a_gateway(call: AdminCall, gateway: GatewayId, body: GatewayChange) -> GatewayView:
    """Change a gateway.

    A password works from the next bind; the rest once it is published.
    """
    return _view(change_gateway(_gateway(gateway, body), body.version, body.password))


@endpoints.delete("/v1/admin/gateways/{gateway}", faults=("in_use",))
def delete_a_gateway(call: AdminCall, gateway: GatewayId) -> Deleted:
    """Delete a gateway that no route leads to.

    It goes with the next publishing. Its queues stay: messages may still wait there.
    """
    delete_gateway(gateway)
    return Deleted(gateway)


def published(gateway: Gateway) -> PublishedGateway:
    """The gateway as a snapshot has it."""
    return PublishedGateway(**_fields(gateway))


def _view(row: Row[Gateway]) -> GatewayView:
    return GatewayView(**_fields(row.value), version=row.version)


def _fields(gateway: Gateway) -> dict[str, Any]:
    """Settings and gateways have the same fields but for the error table's type; a test holds them to it."""
    rules = tuple(ErrorRuleSettings(**msgspec.structs.asdict(rule)) for rule in gateway.error_table)
    return msgspec.structs.asdict(gateway) | {"error_table": rules}


def _gateway(gateway_id: str, given: GatewaySettings) -> Gateway:
    settings = {name: getattr(given, name) for name in GatewaySettings.__struct_fields__}
    rules = tuple(ErrorRule(**msgspec.structs.asdict(rule)) for rule in given.error_table)
    return Gateway(**settings | {"id": gateway_id, "error_table": rules})
