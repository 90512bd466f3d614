"""Customers' bound SMPP sessions as they are told, to their holders and to administrators."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.domain.smpp_login import BindKind
from chalicelib.store.esme_sessions import Held


class SessionTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What a session has carried since its bind; rates are of the last seconds."""

    submits: Annotated[int, Meta(description="Messages that were taken from it.")]
    delivers: Annotated[int, Meta(description="Receipts and inbound messages that it acknowledged.")]
    throttled: Annotated[int, Meta(description="Submits answered with ESME_RTHROTTLED (0x58).")]
    submits_per_second: float
    delivers_per_second: float


class BoundSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is bound now."""

    id: str
    system_id: str
    bind: BindKind
    address: Annotated[str, Meta(description="Where it connects from.")]
    tls: bool
    interface_version: Annotated[str, Meta(description="As it bound: 3.4, or 3.3.", examples=["3.4"])]
    bound_at: datetime
    heard_at: Annotated[datetime, Meta(description="When the bridge last told of it; it does so every ten seconds.")]
    unbinding: Annotated[bool, Meta(description="Its end was asked for, and comes within ten seconds.")]
    traffic: SessionTraffic


class BoundSessionOfAccount(BoundSession, frozen=True, kw_only=True):
    """A bound session, whose it is, and which bridge has it."""

    account: str
    bridge: str


def own(held: Held) -> BoundSession:
    """As its account sees it."""
    return BoundSession(**_fields(held))


def of_account(held: Held) -> BoundSessionOfAccount:
    """As an administrator sees it."""
    return BoundSessionOfAccount(**_fields(held), account=held.session.account, bridge=held.session.bridge)


def _fields(held: Held) -> dict[str, Any]:
    session = held.session
    return {
        "id": session.id,
        "system_id": session.system_id,
        "bind": session.bind,
        "address": session.address,
        "tls": session.tls,
        "interface_version": f"{session.interface_version >> 4}.{session.interface_version & 0xF}",
        "bound_at": instant(session.bound_ms),
        "heard_at": instant(held.beat_ms),
        "unbinding": held.unbind_asked,
        "traffic": SessionTraffic(**msgspec.structs.asdict(held.traffic)),
    }
