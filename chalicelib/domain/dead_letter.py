"""A record that could not be processed: what it was, why it failed, and what somebody did about it."""

from hashlib import sha256
from typing import Final, Literal

import msgspec

DeadLetterState = Literal["waiting", "resent", "dropped"]
PREFIX: Final = "ded_"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What came to be dead, as often as it did: the same body of the same queue is one dead letter."""

    id: str
    queue: str | None  # the one it failed on, without the stage's prefix; None: nobody knows
    body: str
    whole: bool  # False: the body was too long to keep, and is cut
    reason: str  # of the last time
    record: str  # SQS's id of it, of the last time
    receives: int  # by whoever was to process it, in all
    first_seen_ms: int
    last_seen_ms: int
    state: DeadLetterState = "waiting"
    settled_by: str | None = None  # who sent it again, or dropped it
    settled_ms: int | None = None


def id_of(queue: str | None, body: str) -> str:
    """The id of the dead letter that this body of that queue is."""
    return PREFIX + sha256(f"{queue or ''}\n{body}".encode()).hexdigest()[:32]
