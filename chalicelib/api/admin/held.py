"""Held messages: look at what content rules hold, let it go, or drop it."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.number_lists import Cursor
from chalicelib.services import review
from chalicelib.store import held
from chalicelib.store.held import HeldMessage, HeldState

endpoints: Final = Endpoints(__name__, tag="Held messages", role="admin")

HeldId = Annotated[str, Meta(pattern="^msg_[0-9A-Za-z-]{1,60}$(?!\\n)", description="The id of a held message.")]


class HeldQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which held messages to list."""

    state: Annotated[HeldState, Meta(description="What somebody decided of it; waiting: nobody did.")] = "waiting"
    account: AccountId | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class HeldView(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a content rule holds. It was not charged. When its validity is over it expires."""

    id: str
    account: str
    state: HeldState
    rule: Annotated[str, Meta(description="The content rule that holds it.")]
    to: str
    sender: str = msgspec.field(name="from")
    text: str
    held_at: datetime
    valid_until: datetime
    settled_by: Annotated[str, Meta(description="Who let it go, or dropped it: `user:…` or `key:…`.")] | None
    settled_at: datetime | None


@endpoints.get("/v1/admin/held", faults=("invalid_cursor",))
def list_held_messages(call: AdminCall, query: HeldQuery) -> Listing[HeldView]:
    """List held messages, those made last first.

    What waited in vain until its validity was over is listed as waiting still; it cannot be let go any more.
    """
    name = f"held {query.state} {query.account or ''}"
    page = held.listing(query.state, query.account, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_view(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/admin/held/{held_message}")
def read_held_message(call: AdminCall, held_message: HeldId) -> HeldView:
    """Read a held message."""
    return _view(review.read(held_message))


@endpoints.post("/v1/admin/held/{held_message}/release", faults=("already_final", "already_settled"))
def release_held_message(call: AdminCall, held_message: HeldId) -> HeldView:
    """Let a held message go: it is routed and charged as any other, under its id, and not held again.

    Doing it again changes nothing.
    """
    return _view(review.release(held_message, call.caller.who, call.now_ms))


@endpoints.post("/v1/admin/held/{held_message}/drop", faults=("already_final", "already_settled"))
def drop_held_message(call: AdminCall, held_message: HeldId) -> HeldView:
    """Drop a held message: it ends as `rejected`, with the error `content_blocked`.

    Doing it again changes nothing.
    """
    return _view(review.drop(held_message, call.caller.who, call.now_ms))


def _view(one: HeldMessage) -> HeldView:
    fields: dict[str, Any] = {name: getattr(one, name) for name in ("account", "state", "rule", "settled_by")}
    return HeldView(
        id=one.message,
        **fields,
        to=one.content.to,
        sender=one.content.sender,
        text=one.content.text,
        held_at=instant(one.held_ms),
        valid_until=instant(one.content.valid_until_ms),
        settled_at=instant(one.settled_ms),
    )
