"""Clears the backlog of what is not to be submitted here: what ended meanwhile, and what goes elsewhere."""

from smpp_bridge.gateways.backlog import Backlog
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.standing import Standing


class Clearing:
    """One gateway's. What the SMSC may have some of is left, but where its validity is over."""

    def __init__(
        self,
        backlog: Backlog,
        *,
        judge: Judge,
        standing: Standing,
        clock: Clock,
        jobs: JobControls | None = None,
        orders: HeardOrders | None = None,
    ) -> None:
        self._backlog = backlog
        self._judge = judge
        self._standing = standing
        self._clock = clock
        self._jobs = jobs or JobControls()
        self._orders = orders or HeardOrders()

    def clear(self) -> None:
        """All of it, in the order in which it counts."""
        self._expire()
        self._mind_orders()
        self._mind_jobs()
        self.pass_on()

    def hand_back_all(self) -> None:
        """Everything that is not in flight goes to the queue again, for another bridge or another day."""
        for submission in list(self._backlog.all()):
            if not submission.in_flight:
                self._judge.hand_back(submission)
        self._backlog.tidy()

    def pass_on(self) -> None:
        """Hand what waits here to the next gateway where there is a reason to, and a gateway."""
        reason = self._standing.why_elsewhere
        if reason is None:
            return
        for submission in list(self._backlog.all()):
            if not submission.begun and self._judge.onward(submission.dispatch):
                self._judge.pass_on(submission, reason)
        self._backlog.tidy()

    def _expire(self) -> None:
        """End the messages whose validity, or time to wait, ended while they waited here."""
        now_ms = self._clock.epoch_ms()
        for submission in list(self._backlog.all()):
            if submission.is_over(now_ms) and not submission.in_flight:
                self._judge.expired(submission)
                self._judge.close(submission)
        self._backlog.tidy()

    def _mind_orders(self) -> None:
        """Give back what an order concerns, to be claimed in the order's name; what may have begun goes on."""
        for submission in list(self._backlog.all()):
            if submission.begun or submission.in_doubt:
                continue
            if self._orders.for_messages(submission.held.bundle, (submission.dispatch,)) is not None:
                self._judge.hand_back(submission)
        self._backlog.tidy()

    def _mind_jobs(self) -> None:
        """End what waits here of stopped jobs, and give back what waits of paused ones; what has begun goes on."""
        for submission in list(self._backlog.all()):
            if submission.begun or submission.in_flight:
                continue
            if self._jobs.is_stopped(submission.dispatch):
                self._judge.stopped(submission)
                self._judge.close(submission)
            elif self._jobs.is_paused(submission.dispatch):
                self._judge.hand_back(submission, later=True)
        self._backlog.tidy()
