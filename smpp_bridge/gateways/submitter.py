"""Submits what is ready, as fast as window and rate allow: driven by callbacks, no task or timer per message."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from chalicelib.domain.numbers import BadSender
from chalicelib.domain.rules import Gateway
from chalicelib.domain.submit_errors import Action
from chalicelib.domain.text import BadText
from chalicelib.domain.waiting import may_wait_until_ms
from chalicelib.wire import Dispatch, Outcome, SubmitOutcome
from smpp_bridge.gateways.backlog import Backlog
from smpp_bridge.gateways.clearing import Clearing
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.compose import Composer
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gatherer import NOBODY, Gatherer
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.held import Held, Submission
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.link import Flight, Link
from smpp_bridge.gateways.pauses import Pauses
from smpp_bridge.gateways.pdu_fields import of_submit
from smpp_bridge.gateways.rate import TokenBucket
from smpp_bridge.gateways.standing import Standing
from smpp_bridge.protocol.errors import ProtocolError

_TURN: Final = 16  # submits to one session before the next one has its turn
_SHORTEST_WAIT: Final = 0.001  # a finer timer costs more than it gives


class Submitter:
    """`links` gives the gateway's transmitters; `on_hunger` is called when there is room for more messages.

    While `standing` allows none, all waits here; `pump` is called at the sessions' ticks, too.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        links: Callable[[], Sequence[Link]],
        judge: Judge,
        outcomes: Gatherer[Outcome],
        counts: Counts,
        clock: Clock,
        on_hunger: Callable[[], None],
        standing: Standing,
        jobs: JobControls | None = None,
        orders: HeardOrders | None = None,
    ) -> None:
        self.backlog = Backlog()
        self.clearing = Clearing(self.backlog, judge=judge, standing=standing, clock=clock, jobs=jobs, orders=orders)
        self.in_flight = 0
        self.paused = False
        self._links = links
        self._judge = judge
        self._outcomes = outcomes
        self._counts = counts
        self._clock = clock
        self._on_hunger = on_hunger
        self._standing = standing
        self._bucket = TokenBucket(gateway.messages_per_second, clock.monotonic())
        self._pauses = Pauses()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._turn = 0
        self._full_since: float | None = None
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway
        self._composer = Composer(gateway)
        self._bucket.change(gateway.messages_per_second, self._clock.monotonic())

    @property
    def rate(self) -> float:
        """Submits a second that are allowed at present."""
        return self._bucket.rate

    # --- messages in

    def take(self, held: Held, dispatch: Dispatch, done: tuple[int, ...]) -> None:
        """A message to submit, but for the parts `done`. Call `pump` after the last one."""
        self._counts.messages += 1
        try:
            parts = self._composer.parts_of(dispatch)
        except BadText as error:
            submission = Submission(held, dispatch, (), ())
            self._judge.unsendable(submission, str(error))
        else:
            until_ms = may_wait_until_ms(self._gateway, held.bundle.since_ms, held.bundle.wait_until_ms)
            submission = Submission(held, dispatch, parts, done, wait_until_ms=until_ms)
        if submission.resolved:
            self._judge.close(submission)
        else:
            self.backlog.put(submission)

    # --- submits out

    def pump(self) -> None:
        """Submit what can be submitted now, and see to it that it is called again in time."""
        allowed = self._standing.allowance(self.in_flight)
        if self.paused or self._outcomes.full or not allowed:
            return
        now = self._clock.monotonic()
        self.backlog.bring_due(now)
        links = self._links()
        tokens = min(self._bucket.available(now), allowed)
        written: list[Link] = []
        resting = 0  # links in a row that take nothing
        while tokens > 0 and resting < len(links):
            link = links[self._turn % len(links)]
            self._turn += 1
            room = min(link.room_for(now), tokens, _TURN)
            if not room:
                resting += 1
                continue
            sent = self._fill(link, room, now)
            if sent:
                written.append(link)
                tokens -= sent
                self._bucket.spend(sent)
            if sent < room:
                break  # nothing is left to send
            resting = 0
        for link in written:
            link.flush()
        self._count_window_waits(now, waiting=bool(links) and resting >= len(links))
        self._wake_in_time(now, links, tokens)
        self._on_hunger()

    def _fill(self, link: Link, room: int, now: float) -> int:
        """Up to `room` submits; how many it became. Fewer: the backlog is empty."""
        backlog, composer = self.backlog, self._composer
        now_ms = self._clock.epoch_ms()
        sent = 0
        while sent < room:
            submission = backlog.first()
            if submission is None:
                break
            content = submission.dispatch.content
            if submission.is_over(now_ms):
                self._judge.expired(submission)
                self._close_if_resolved(submission)
                continue
            index = submission.todo.pop(0)
            flight = Flight(submission, index)
            try:
                link.submit(composer.submit_sm(content, submission.parts[index], now_ms), flight, now)
            except (ProtocolError, BadSender) as error:
                self._judge.unsendable(submission, str(error))
                self._close_if_resolved(submission)
                continue
            submission.in_flight += 1
            sent += 1
        self.in_flight += sent
        self._counts.submits += sent
        return sent

    def _count_window_waits(self, now: float, *, waiting: bool) -> None:
        waiting = waiting and self.backlog.first() is not None
        if waiting and self._full_since is None:
            self._full_since = now
            self._counts.window_waits += 1
        elif not waiting and self._full_since is not None:
            self._counts.window_wait_seconds += now - self._full_since
            self._full_since = None

    def _wake_in_time(self, now: float, links: Sequence[Link], tokens: int) -> None:
        """One timer for the earliest of: a part that was put off, a token, the end of a session's pause."""
        due = self.backlog.next_due()
        if self.backlog.first() is not None:
            if tokens <= 0 and self._bucket.available(now) <= 0:
                due = _earlier(due, now + self._bucket.wait(now))
            for link in links:
                if link.paused_until > now:
                    due = _earlier(due, link.paused_until)
        if due is None or (self._timer is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_later(max(_SHORTEST_WAIT, due - now), self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.pump()

    def stop(self) -> None:
        """No more timers."""
        self.paused = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- answers

    def answered(self, link: Link, flight: Flight, status: int, smsc_message_id: str) -> None:
        """The SMSC's yes or no. `pump` follows once for all answers of a turn."""
        submission: Submission = flight.cargo
        submission.in_flight -= 1
        self.in_flight -= 1
        self._counts.responses[status] += 1
        if status:
            self._refused(link, submission, flight.index, status)
        else:
            self._standing.note(fault=False)
            part = submission.parts[flight.index]
            submission.done.append(part.number)
            submission.held.holds += 1
            self._outcomes.add(self._submitted(link, flight, smsc_message_id), submission.held)
            if not smsc_message_id:
                self._judge.taken_without_id(submission, flight.index)
            if self._pauses.any:
                self._pauses.forget(link, self._clock.monotonic())
        if not (submission.in_flight or submission.todo or submission.put_off):
            self._judge.close(submission)

    def answered_late(self, link: Link, flight: Flight, smsc_message_id: str) -> None:
        """After all: so that a receipt finds its message. Not for what was sent again: its part is told already."""
        submission: Submission = flight.cargo
        part = submission.parts[flight.index]
        if smsc_message_id and submission.unknown and part.number not in submission.done:
            submission.done.append(part.number)
            self._outcomes.add(self._submitted(link, flight, smsc_message_id), NOBODY)  # its record is gone

    def unanswered(self, flight: Flight, reason: str) -> None:
        """No answer: the SMSC may have it or not."""
        submission: Submission = flight.cargo
        submission.in_flight -= 1
        self.in_flight -= 1
        self._counts.unanswered += 1
        if self._judge.unanswered(submission, flight.index, reason):
            self.backlog.put_first(submission, flight.index)
        else:
            self._close_if_resolved(submission)

    def _refused(self, link: Link, submission: Submission, index: int, status: int) -> None:
        consequence = self._judge.consequence_of(status)
        if consequence.action is not Action.PAUSE:
            self._standing.note(fault=consequence.of_gateway)
        if submission.verdict is not None and not submission.verdict.keeps_sending:
            return  # judged by another of its parts
        if consequence.action is Action.PAUSE:
            if self._pauses.pause(link, self._clock.monotonic()):
                self._bucket.slow(self._clock.monotonic())
                self._counts.throttle_pauses += 1
            self.backlog.put_first(submission, index)
            return
        wait = self._judge.refused(submission, index, consequence, status)
        if wait is not None:
            self.backlog.later(submission, index, self._clock.monotonic() + wait)

    def _submitted(self, link: Link, flight: Flight, smsc_message_id: str) -> SubmitOutcome:
        submission: Submission = flight.cargo
        part = submission.parts[flight.index]
        return SubmitOutcome(
            account=submission.held.bundle.account,
            message=submission.dispatch.id,
            at_ms=self._clock.epoch_ms(),
            part=part.number,
            parts=part.total,
            gateway=self._gateway.id,
            smsc_message_id=smsc_message_id,
            session=link.name,
            pdu=of_submit(flight.pdu, flight.sequence) if flight.pdu else None,
        )

    def _close_if_resolved(self, submission: Submission) -> None:
        if submission.resolved:
            self._judge.close(submission)


def _earlier(one: float | None, other: float) -> float:
    return other if one is None else min(one, other)
