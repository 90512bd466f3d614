"""One SQS record in the bridge's hands, and the messages of it on their way through a gateway."""

from collections.abc import Callable
from enum import IntEnum

from chalicelib.domain.concatenation import Part
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status
from chalicelib.domain.submit_errors import NO_ANSWER
from chalicelib.wire import Dispatch, DispatchBundle


class Held:
    """Through when nothing holds it any more: each message until it is done, each outcome until it is durable."""

    __slots__ = (
        *("_forget", "_through"),
        *("bulk", "bundle", "handle", "holds", "received_times", "taken_at", "visible_until"),
    )

    def __init__(
        self,
        bundle: DispatchBundle,
        handle: str,
        *,
        received_times: int = 1,
        taken_at: float = 0.0,
        bulk: bool,
        visible_until: float,
        through: "HeldSink",
        forget: "HeldSink | None" = None,
    ) -> None:
        self.bundle = bundle
        self.handle = handle
        self.received_times = received_times  # by SQS's count, this time included
        self.taken_at = taken_at  # of the monotonic clock, as the next one
        self.bulk = bulk
        self.visible_until = visible_until
        self.holds = len(bundle.messages)
        self._through = through
        self._forget = forget

    def kept(self) -> None:
        """One of what held it is done with."""
        self.holds -= 1
        if not self.holds:
            self._through(self)

    def lost(self) -> None:
        """An outcome will not become durable in this process: the record stays held, and so is not deleted."""

    def forget(self) -> None:
        """It has been visible to others for a while: leave it to them."""
        if self._forget is not None:
            self._forget(self)


HeldSink = Callable[[Held], None]


class HandedOver:
    """A message goes to another gateway: once that one's queue has it, and not before, `note` may have the log say so.

    A Ticket, for who sends it there.
    """

    def __init__(self, held: Held, note: Callable[[], None]) -> None:
        self._held = held
        self._note = note

    def kept(self) -> None:
        self._note()
        self._held.kept()

    def lost(self) -> None:
        self._held.lost()


class End(IntEnum):
    """How a message leaves this gateway, if not by being taken. What is worse overrules what is milder."""

    HOLD = 1  # a part has no answer: the other parts still go
    FAIL_OVER = 2
    FAIL = 3


class Verdict:
    """What will be said of a message once nothing of it is in flight."""

    __slots__ = ("end", "error", "part", "refundable", "status")

    def __init__(self, end: End, status: Status, error: ErrorInfo, part: int, *, refundable: bool) -> None:
        self.end = end
        self.status = status
        self.error = error
        self.part = part
        self.refundable = refundable

    @property
    def keeps_sending(self) -> bool:
        """Whether the message's other parts still go."""
        return self.end is End.HOLD


class Submission:
    """One message here. Its parts are in `todo` (indexes, next first), in flight, put off, or resolved."""

    __slots__ = (
        "attempts",
        "dispatch",
        "done",
        "held",
        "in_flight",
        "parts",
        "put_off",
        "queued",
        "todo",
        "tries",
        "unknown",
        "verdict",
        "wait_until_ms",
    )

    def __init__(
        self,
        held: Held,
        dispatch: Dispatch,
        parts: tuple[Part, ...],
        done: tuple[int, ...],
        *,
        wait_until_ms: int | None = None,
    ) -> None:
        self.wait_until_ms = wait_until_ms or dispatch.content.valid_until_ms
        self.held = held
        self.dispatch = dispatch
        self.parts = parts
        self.done = list(done)  # numbers of the parts that the SMSC has taken
        self.todo = [index for index in range(len(parts)) if index + 1 not in done]
        self.in_flight = 0
        self.unknown = 0  # parts without an answer
        self.put_off: set[int] = set()
        self.queued = False  # whether it stands in the backlog
        self.attempts = dispatch.attempt
        self.tries: dict[tuple[int, str], int] = {}  # (index, error code): how often
        self.verdict: Verdict | None = None

    @property
    def resolved(self) -> bool:
        """Nothing of it is left to wait for."""
        return not (self.in_flight or self.todo or self.put_off)

    @property
    def begun(self) -> bool:
        """Whether the SMSC may have any of it."""
        return bool(self.in_flight or self.done or self.unknown)

    @property
    def in_doubt(self) -> bool:
        """Whether the SMSC may have any of it though it never said so."""
        return self.dispatch.in_doubt or any(code == NO_ANSWER.code for _, code in self.tries)

    def is_over(self, now_ms: int) -> bool:
        """Whether it is not to be sent any more; what has begun goes on for as long as it is valid."""
        return self.dispatch.content.valid_until_ms <= now_ms or (self.wait_until_ms <= now_ms and not self.begun)

    def tried(self, index: int, code: str) -> int:
        """Count a refusal of a part; how often it has met this one."""
        count = self.tries.get((index, code), 0) + 1
        self.tries[index, code] = count
        self.attempts += 1
        return count

    def judge(self, verdict: Verdict) -> None:
        """The worst verdict counts; from a fail-over on, no further part is sent."""
        if self.verdict is None or verdict.end > self.verdict.end:
            self.verdict = verdict
        if self.verdict.end > End.HOLD:
            self.todo.clear()
            self.put_off.clear()
