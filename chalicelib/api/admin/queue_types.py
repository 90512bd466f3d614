"""How a queue is told."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.domain.queue_state import QueueKind, QueueState


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as it stands, about."""

    queue: str
    kind: QueueKind
    name: Annotated[str, Meta(description="The gateway, or the SMPP login, whose it is; else the queue's own.")]
    depth: Annotated[int, Meta(description="Records on it, in somebody's hands or not; a record may have 98 messages.")]
    waiting: Annotated[int, Meta(description="Of these, those in nobody's hands.")]
    in_flight: int
    delayed: Annotated[int, Meta(description="Those that are put off, as what waits of paused jobs.")]
    messages: Annotated[int, Meta(description="About, at a gateway: in both its queues. Null: not known.")] | None
    oldest_since: Annotated[datetime, Meta(description="Null: nothing waits, or it is not known.")] | None
    empty_in_seconds: Annotated[int, Meta(description="Estimated. Null: nobody can say.")] | None
    dead_letters: Annotated[int, Meta(description="Records of it that wait for somebody to decide about them.")]


def queue_view(state: QueueState) -> QueueView:
    """The queue as it is told."""
    return QueueView(
        queue=state.queue,
        kind=state.kind,
        name=state.name,
        depth=state.records,
        waiting=state.waiting,
        in_flight=state.in_flight,
        delayed=state.delayed,
        messages=state.messages,
        oldest_since=instant(state.oldest_ms),
        empty_in_seconds=state.empty_in_seconds,
        dead_letters=state.dead_letters,
    )
