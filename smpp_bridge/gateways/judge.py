"""Says what becomes of a message that was refused, not answered, expired or canceled, and reports how it ended here."""

import logging
import random
from collections.abc import Callable, Mapping
from typing import Final

from chalicelib.domain.facts import FAILED_OVER, ErrorInfo
from chalicelib.domain.ids import next_hop
from chalicelib.domain.numbers import mask
from chalicelib.domain.refusals import REASONS
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.submit_errors import (
    NO_ANSWER,
    Consequence,
    Fail,
    FailOver,
    Retry,
    consequence_of,
    next_step,
    table_of,
)
from chalicelib.domain.waiting_order import ENDS, MOVED, Fate
from chalicelib.store.queues import gateway_queue
from chalicelib.wire import AttemptOutcome, Dispatch, DispatchBundle, EndOutcome, Outcome
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gatherer import Gatherer, Ticket
from smpp_bridge.gateways.held import End, HandedOver, Held, Submission, Verdict

_MAX_RESENDS: Final = 3  # of a part without an answer: then it is held, whatever the setting
_RETRY_SPREAD: Final = 0.2  # retries come up to a fifth later, so that they do not come all at once
_NO_ANSWER: Final = ErrorInfo(code=NO_ANSWER.code, title=NO_ANSWER.title)

_log: Final = logging.getLogger(__name__)

AddressedBundle = tuple[str, DispatchBundle]  # the queue that it goes to


class Judge:
    """One gateway's. Outcomes go to `outcomes`, messages for other gateways, which are `in_force`, to `dispatches`."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        outcomes: Gatherer[Outcome],
        dispatches: Gatherer[AddressedBundle],
        counts: Counts,
        clock: Clock,
        in_force: Callable[[str], bool] = lambda _: True,
        later: Gatherer[AddressedBundle] | None = None,
    ) -> None:
        self._in_force = in_force
        self._later = later or dispatches
        self._outcomes = outcomes
        self._dispatches = dispatches
        self._counts = counts
        self._clock = clock
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway
        self._table: Mapping[int, Consequence] = table_of(gateway.error_table)

    def consequence_of(self, command_status: int) -> Consequence:
        """What the SMSC's no means, by the gateway's own table or the common one."""
        return consequence_of(command_status, self._table)

    # --- one part

    def refused(
        self, submission: Submission, index: int, consequence: Consequence, command_status: int
    ) -> float | None:
        """Seconds until the part goes again; None: the message is judged."""
        error = ErrorInfo(code=consequence.code, title=consequence.title, gateway_code=f"0x{command_status:02X}")
        dispatch = submission.dispatch
        step = next_step(
            consequence,
            attempt=submission.tried(index, consequence.code),
            failover_left=bool(self.onward(dispatch)),
            now_ms=self._clock.epoch_ms(),
            valid_until_ms=dispatch.content.valid_until_ms,
        )
        match step:
            case Retry(after_seconds):
                self._counts.retries += 1
                self._attempted(submission, index, error, f"retry in {after_seconds} s")
                return after_seconds * (1 + _RETRY_SPREAD * random.random())  # noqa: S311 -- jitter is no secret
            case FailOver():
                submission.judge(Verdict(End.FAIL_OVER, Status.FAILED, error, index, refundable=consequence.refundable))
            case Fail():
                error = ErrorInfo(code=step.code, title=step.title, gateway_code=error.gateway_code)
                submission.judge(Verdict(End.FAIL, _status_of(step), error, index, refundable=step.refundable))
            case _:
                submission.judge(Verdict(End.HOLD, Status.UNKNOWN, error, index, refundable=False))
        return None

    def unanswered(self, submission: Submission, index: int, reason: str) -> bool:
        """Whether the part is to be sent again, at the risk that it is delivered twice."""
        error = ErrorInfo(code=NO_ANSWER.code, title=f"{NO_ANSWER.title} ({reason})")
        tries = submission.tried(index, NO_ANSWER.code)
        if self.resends(submission.dispatch) and tries <= _MAX_RESENDS and submission.verdict is None:
            self._attempted(submission, index, error, "send again")
            return True
        self._attempted(submission, index, error, "hold")
        submission.judge(Verdict(End.HOLD, Status.UNKNOWN, _NO_ANSWER, index, refundable=False))
        submission.unknown += 1
        return False

    def resends(self, dispatch: Dispatch) -> bool:
        """Whether what may have been taken already is sent again: the gateway's setting, by default the priority."""
        setting = self._gateway.unanswered
        return setting == "resend" or (setting == "by_priority" and dispatch.content.priority == "high")

    def taken_without_id(self, submission: Submission, index: int) -> None:
        """The SMSC took the part, but nobody will know its receipt: never again, and no one knows the end."""
        error = ErrorInfo(code="no_message_id", title="The SMSC took the message and gave no id that can be read.")
        submission.judge(Verdict(End.HOLD, Status.UNKNOWN, error, index, refundable=False))

    def expired(self, submission: Submission) -> None:
        """Its validity ended, or it waited too long, before the SMSC took it."""
        over = submission.dispatch.content.valid_until_ms <= self._clock.epoch_ms()
        code = "expired" if over else "waited_too_long"
        self._fail(submission, Status.EXPIRED, ErrorInfo(code=code, title=REASONS[code].title))

    def unsendable(self, submission: Submission, reason: str) -> None:
        """It cannot be written as the gateway wants it."""
        title = f"The message cannot be sent through this gateway: {reason}."
        self._fail(submission, Status.REJECTED, ErrorInfo(code="unsendable", title=title))

    def canceled(self, held: Held, dispatch: Dispatch) -> None:
        """The customer was first."""
        error = ErrorInfo(code="canceled", title=REASONS["canceled"].title)
        self._end(held, dispatch, Status.CANCELED, error, refundable=True)
        held.kept()

    def fulfil(self, held: Held, dispatch: Dispatch, fate: Fate) -> None:
        """It is claimed for what an administrator ordered, or a clock: nobody has submitted any of it."""
        if fate.deed == "move":
            rest = tuple(gateway for gateway in dispatch.failover if gateway not in (fate.to, self._gateway.id))
            moved = Dispatch(id=dispatch.id, content=dispatch.content, failover=rest)
            self._counts.passed[MOVED.code] += 1
            self._send(held, fate.to, moved, HandedOver(held, lambda: self._moved(held, dispatch, fate.to)))
            return
        status, code = ENDS[fate.deed]
        self._end(held, dispatch, status, ErrorInfo(code=code, title=REASONS[code].title), refundable=True)
        held.kept()

    def stopped(self, submission: Submission) -> None:
        """Its job was stopped before any of it was submitted."""
        self._fail(submission, Status.CANCELED, ErrorInfo(code="canceled", title=REASONS["canceled"].title))

    def unknown(self, held: Held, dispatch: Dispatch) -> None:
        """A bridge had it before, and nobody knows how far it got."""
        self._end(held, dispatch, Status.UNKNOWN, _NO_ANSWER, refundable=False)
        held.kept()

    def _fail(self, submission: Submission, status: Status, error: ErrorInfo) -> None:
        submission.judge(Verdict(End.FAIL, status, error, 0, refundable=True))

    # --- the whole message

    def close(self, submission: Submission) -> None:
        """Nothing of the message is in flight or waiting: report, and let go of its record."""
        verdict, held, dispatch = submission.verdict, submission.held, submission.dispatch
        if verdict is None:
            held.kept()
        elif verdict.end is End.FAIL_OVER and not submission.done and not submission.unknown:
            self._fail_over(submission, verdict)
        else:
            self._end(held, dispatch, verdict.status, verdict.error, refundable=verdict.refundable)
            held.kept()

    def onward(self, dispatch: Dispatch) -> tuple[str, ...]:
        """The gateways left to try, from the first on that is in force."""
        failover = dispatch.failover
        first = next((at for at, gateway in enumerate(failover) if self._in_force(gateway)), len(failover))
        return failover[first:]

    def pass_on(self, submission: Submission, reason: ErrorInfo) -> None:
        """This gateway will not take it for a while; the next one may."""
        submission.attempts += 1
        self._counts.passed[reason.code] += 1
        submission.judge(Verdict(End.FAIL_OVER, Status.FAILED, reason, 0, refundable=True))
        self.close(submission)

    def hand_back(self, submission: Submission, *, later: bool = False) -> None:
        """The bridge stops, or its job pauses: what is left of it goes to the queue again, under a name of its own.

        Not where SQS may have given its record to another bridge by now, as after a long time without AWS.
        """
        submission.todo.clear()
        submission.put_off.clear()
        if submission.held.visible_until < self._clock.monotonic():
            submission.held.forget()
            return
        if submission.verdict is not None:
            self.close(submission)
            return
        dispatch = Dispatch(
            id=submission.dispatch.id,
            content=submission.dispatch.content,
            failover=submission.dispatch.failover,
            done=tuple(sorted(submission.done)),
            attempt=submission.attempts,
            in_doubt=submission.in_doubt,
        )
        self._send(submission.held, self._gateway.id, dispatch, submission.held, later=later)

    def _fail_over(self, submission: Submission, verdict: Verdict) -> None:
        target, *rest = self.onward(submission.dispatch)
        dispatch = Dispatch(id=submission.dispatch.id, content=submission.dispatch.content, failover=tuple(rest))
        self._counts.failed_over += 1
        told = HandedOver(
            submission.held,
            lambda: self._attempted(submission, verdict.part, verdict.error, FAILED_OVER + target),
        )
        self._send(submission.held, target, dispatch, told)

    def _send(self, held: Held, gateway: str, dispatch: Dispatch, ticket: Ticket, *, later: bool = False) -> None:
        bundle = DispatchBundle(
            id=next_hop(held.bundle.id, dispatch.id),
            account=held.bundle.account,
            gateway=gateway,
            messages=(dispatch,),
            since_ms=held.bundle.since_ms if gateway == self._gateway.id else self._clock.epoch_ms(),
            wait_until_ms=held.bundle.wait_until_ms,
        )
        way = self._later if later else self._dispatches
        way.add((gateway_queue(gateway, dispatch.content.priority), bundle), ticket)

    def _moved(self, held: Held, dispatch: Dispatch, target: str) -> None:
        self._note(held, dispatch, MOVED, FAILED_OVER + target, attempt=dispatch.attempt + 1, part=1)

    def _attempted(self, submission: Submission, index: int, error: ErrorInfo, what_next: str) -> None:
        part = submission.parts[index].number
        attempt = submission.attempts
        self._note(submission.held, submission.dispatch, error, what_next, attempt=attempt, part=part)

    def _note(
        self, held: Held, dispatch: Dispatch, error: ErrorInfo, what_next: str, *, attempt: int, part: int
    ) -> None:
        self._tell("attempt", dispatch, error, what_next)
        held.holds += 1
        self._outcomes.add(
            AttemptOutcome(
                account=held.bundle.account,
                message=dispatch.id,
                at_ms=self._clock.epoch_ms(),
                attempt=attempt,
                part=part,
                gateway=self._gateway.id,
                error=error,
                next=what_next,
            ),
            held,
        )

    def _end(self, held: Held, dispatch: Dispatch, status: Status, error: ErrorInfo, *, refundable: bool) -> None:
        self._counts.ended[status] += 1
        self._tell("ended", dispatch, error, status)
        held.holds += 1
        self._outcomes.add(
            EndOutcome(
                account=held.bundle.account,
                message=dispatch.id,
                at_ms=self._clock.epoch_ms(),
                gateway=self._gateway.id,
                status=status,
                error=error,
                refundable=refundable,
            ),
            held,
        )

    def _tell(self, what: str, dispatch: Dispatch, error: ErrorInfo, comes: str) -> None:
        """In the log stands what did not go well; of what does, there would be a line too many a message."""
        _log.info(
            what,
            extra={
                "message_id": dispatch.id,
                "to": mask(dispatch.content.to),
                "gateway": self._gateway.id,
                "code": error.code,
                "gateway_code": error.gateway_code,
                "next": comes,
            },
        )


def _status_of(step: Fail) -> Status:
    if step.expired:
        return Status.EXPIRED
    return Status.REJECTED if step.permanent else Status.FAILED
