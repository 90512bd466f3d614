"""How much waits on a queue, for how long it has, and when it may be through: sums, no clock."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from chalicelib.domain.gateway_beat import GatewayLive

QueueKind = Literal["platform", "gateway", "customer"]
MAX_SECONDS: Final = 366 * 86_400  # what takes longer is not estimated


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """A queue as it stands, about. What is not known is None."""

    queue: str
    kind: QueueKind
    name: str  # the gateway's id, the login's system_id; the platform's own are named after themselves
    waiting: int  # records in nobody's hands
    in_flight: int
    delayed: int
    oldest_ms: int | None = None  # when the longest of them came
    messages: int | None = None  # of a gateway's, which has bundles of up to a hundred
    empty_in_seconds: int | None = None
    dead_letters: int = 0  # of this queue, that nobody has decided about

    @property
    def records(self) -> int:
        """All that is on it."""
        return self.waiting + self.in_flight + self.delayed


class GatewayWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits at a gateway, in its queues and in bridges' hands together."""

    records: int
    messages: int | None
    oldest_ms: int | None
    empty_in_seconds: int | None


def at_gateway(queues: Sequence[QueueState], live: GatewayLive, *, goes_out: bool) -> GatewayWaiting:
    """Both of a gateway's queues together, with what bridges tell. `goes_out`: it is neither paused nor unbound.

    A record in a bridge's hands is in flight; of those on the queue it is guessed that they are as large as these.
    """
    waiting = sum(queue.waiting + queue.delayed for queue in queues)
    records = sum(queue.records for queue in queues)
    messages = messages_of(waiting, live)
    known = [oldest for queue in queues if (oldest := queue.oldest_ms) is not None]
    known += [] if live.oldest_ms is None else [live.oldest_ms]
    return GatewayWaiting(
        records=records,
        messages=messages,
        oldest_ms=min(known, default=None),
        empty_in_seconds=seconds_for(messages, rate_of(live)) if goes_out else None,
    )


def messages_of(waiting: int, live: GatewayLive) -> int | None:
    """About how many messages wait, with so many records on the queue; None where no bridge has seen any."""
    if not waiting:
        return live.held
    return live.held + round(waiting * live.held / live.records) if live.records else None


def rate_of(live: GatewayLive) -> float:
    """Messages a second that go out: as they have of late, else as they may."""
    return live.submitted_per_second or live.rate


def seconds_for(messages: int | None, per_second: float) -> int | None:
    """How long so many take; None where nobody can say, or it is longer than a year."""
    if messages is None:
        return None
    if not messages:
        return 0
    if per_second <= 0 or messages / per_second > MAX_SECONDS:
        return None
    return round(messages / per_second)
