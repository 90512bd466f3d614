"""Erasures: a number's personal data is taken out of everything that is kept; the accounting stays."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.number_lists import WrittenNumber
from chalicelib.services import forget_number
from chalicelib.store import erasures
from chalicelib.store.erasures import Erasure, State

endpoints: Final = Endpoints(__name__, tag="Erasures", role="admin")

ErasureId = Annotated[str, Meta(pattern="^era_[0-9a-f]{26}$(?!\\n)", description="An erasure's id.")]


class NewErasure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which number to erase."""

    number: WrittenNumber
    account: Annotated[AccountId, Meta(description="Only what this account has of it. Default: everything.")] | None = (
        None
    )


class ErasureView(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure, as far as it has got."""

    id: str
    number: Annotated[str, Meta(description="Masked.")]
    account: str | None
    state: Annotated[
        State,
        Meta(
            description="running: it goes through everything. waiting: it has, and looks once more at `next_at` for"
            " what was on its way, or on a queue. done: nothing is left, not even the number here."
        ),
    ]
    did: Annotated[
        dict[str, int],
        Meta(
            description="How many of what were erased: messages, cdrs, contacts, inbound, job_recipients, held,"
            " webhook_deliveries, dead_letters; and opt_outs_kept, dnd_kept, which go on holding."
        ),
    ]
    on_their_way: Annotated[int, Meta(description="Messages to it that are let end first.")]
    looks: Annotated[int, Meta(description="How often it went through everything.")]
    asked_by: str
    asked_at: datetime
    next_at: datetime | None


@endpoints.post("/v1/admin/erasures", status=202, faults=("not_found",))
def erase_number(call: AdminCall, body: NewErasure) -> ErasureView:
    """Erase a number's personal data everywhere, in the background. Asking again changes nothing.

    Messages, records and charges stay, without the number, its texts and references. What waits for its time, or for
    a person, is not sent any more. Opt-outs and the Do Not Disturb list keep the number: they must go on holding.
    """
    return _view(forget_number.begin(body.number, body.account, call.caller.who, call.now_ms))


@endpoints.get("/v1/admin/erasures", faults=("invalid_cursor",))
def list_erasures(call: AdminCall, query: PageQuery) -> Listing[ErasureView]:
    """List erasures, in no particular order."""
    page = erasures.listing(unseal(call, "erasures", query.cursor), query.limit)
    data = tuple(_view(row.value) for row in page.items)
    return Listing(data=data, next_cursor=seal(call, "erasures", page.cursor))


@endpoints.get("/v1/admin/erasures/{erasure}")
def read_erasure(call: AdminCall, erasure: ErasureId) -> ErasureView:
    """Read how far an erasure has got, and what it did."""
    return _view(forget_number.read(erasure))


def _view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        id=erasure.id,
        number=erasure.masked,
        account=erasure.account,
        state=erasure.state,
        did=erasure.did,
        on_their_way=erasure.on_their_way,
        looks=erasure.looks,
        asked_by=erasure.by,
        asked_at=instant(erasure.asked_ms),
        next_at=None if erasure.next_ms is None or erasure.state == "done" else instant(erasure.next_ms),
    )
