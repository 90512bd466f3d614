"""Dead letters: look at what could not be processed, send it again, or drop it."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.dead_letter import DeadLetter
from chalicelib.services.resend import drop, read, resend
from chalicelib.store import dead_letters

endpoints: Final = Endpoints(__name__, tag="Dead letters", role="admin")

State = Literal["waiting", "resent", "dropped"]
LetterId = Annotated[str, Meta(pattern="^ded_[0-9a-f]{32}$(?!\\n)", description="A dead letter's id.")]
Queue = Annotated[
    str,
    Meta(
        pattern="^[a-z0-9][a-z0-9-]{0,60}$(?!\\n)",
        description="The queue that it failed on.",
        examples=["billing", "gateway-movistar-es"],
    ),
]


class DeadLetterQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters to list."""

    state: Annotated[State, Meta(description="What somebody decided of it; waiting: nobody did.")] = "waiting"
    queue: Queue | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A record that could not be processed. The same record failing again is the same dead letter."""

    id: str
    queue: Annotated[str, Meta(description="The queue that it failed on, and goes back to.")] | None
    state: State
    reason: Annotated[str, Meta(description="Why it failed the last time.")]
    receives: Annotated[int, Meta(description="How often it was received to be processed, in all.")]
    first_seen_at: datetime
    last_seen_at: datetime
    settled_by: Annotated[str, Meta(description="Who sent it again, or dropped it: `user:…` or `key:…`.")] | None
    settled_at: datetime | None


class DeadLetterWithBody(DeadLetterView, frozen=True, kw_only=True):
    """A dead letter with what is in it: people's numbers and texts, as they are."""

    body: Annotated[Any, Meta(description="The bundle; a string where it is no JSON.")]
    whole: Annotated[bool, Meta(description="False where it was too long to keep: cut, and cannot be sent again.")]


@endpoints.get("/v1/admin/dead-letters", faults=("invalid_cursor",))
def list_dead_letters(call: AdminCall, query: DeadLetterQuery) -> Listing[DeadLetterView]:
    """List dead letters, those last seen first.

    A letter whose fate was decided stays for 90 days, to be looked at with its `state`.
    """
    name = f"dead letters {query.state} {query.queue or ''}"
    page = dead_letters.listing(query.state, query.queue, unseal(call, name, query.cursor), query.limit)
    data = tuple(DeadLetterView(**_fields(letter)) for letter in page.items)
    return Listing(data=data, next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/admin/dead-letters/{letter}")
def read_dead_letter(call: AdminCall, letter: LetterId) -> DeadLetterWithBody:
    """Read a dead letter with what is in it."""
    held = read(letter)
    return DeadLetterWithBody(**_fields(held), body=_body(held), whole=held.whole)


@endpoints.post("/v1/admin/dead-letters/{letter}/resend", faults=("not_resendable",))
def resend_dead_letter(call: AdminCall, letter: LetterId) -> DeadLetterView:
    """Send a dead letter again, to the queue that it failed on.

    Every step stands a record that it has had before: nothing is charged, submitted or paid back twice. Where it fails
    again, it waits here again.
    """
    return DeadLetterView(**_fields(resend(letter, call.caller.who, call.now_ms)))


@endpoints.delete("/v1/admin/dead-letters/{letter}")
def drop_dead_letter(call: AdminCall, letter: LetterId) -> DeadLetterView:
    """Drop a dead letter: it waits no more.

    Its messages stay as they are. Who dropped it is kept with it.
    """
    return DeadLetterView(**_fields(drop(letter, call.caller.who, call.now_ms)))


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "queue": letter.queue,
        "state": letter.state,
        "reason": letter.reason,
        "receives": letter.receives,
        "first_seen_at": instant(letter.first_seen_ms),
        "last_seen_at": instant(letter.last_seen_ms),
        "settled_by": letter.settled_by,
        "settled_at": instant(letter.settled_ms),
    }


def _body(letter: DeadLetter) -> Any:
    try:
        return msgspec.json.decode(letter.body)
    except msgspec.DecodeError:
        return letter.body
