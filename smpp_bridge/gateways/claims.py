"""Claims a gateway's messages, a slice of a record at a time, right before they are submitted.

A claimed message can be canceled no more; and one that was claimed, and of which the log tells nothing, may or may not
have been submitted by a bridge that died.
"""

import asyncio
import logging
from collections import deque
from typing import Final

import msgspec

from chalicelib.domain.rules import Gateway
from chalicelib.domain.waiting import may_wait_until_ms
from chalicelib.domain.waiting_order import Fate
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.leases import LeaseKeeper
from smpp_bridge.gateways.platform import Holder, Platform
from smpp_bridge.gateways.recovery import Traces, traces
from smpp_bridge.gateways.slices import Slice, slices_of
from smpp_bridge.gateways.standing import Standing
from smpp_bridge.gateways.submitter import Submitter

_MAX_CLAIMS: Final = 8  # at a time; each is one request to DynamoDB
_MAX_BULK_CLAIMS: Final = 6  # of these, so that nothing urgent waits for one to end
_MAX_READY: Final = 2_000  # messages claimed and not yet submitted: these are in doubt after a crash
_READY_SECONDS: Final = 0.2  # of the gateway's rate: a claim takes some milliseconds, at times a tenth of a second
_AGAIN_SECONDS: Final = 1.0  # after a claim that went wrong
_AT_WORK_SECONDS: Final = 10.0  # until it is looked again whether another bridge is through with a slice

_log: Final = logging.getLogger(__name__)


class Claims:
    """Slices wait here unclaimed; their messages go on to `submitter`."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        platform: Platform,
        keeper: LeaseKeeper,
        standing: Standing,
        submitter: Submitter,
        judge: Judge,
        clock: Clock,
        jobs: JobControls | None = None,
        orders: HeardOrders | None = None,
    ) -> None:
        self._jobs = jobs or JobControls()
        self._orders = orders or HeardOrders()
        self._resting: list[Slice] = []  # of paused jobs: to be given back
        self._platform = platform
        self._keeper = keeper
        self._standing = standing
        self._submitter = submitter
        self._judge = judge
        self._clock = clock
        self._waiting: dict[bool, deque[Slice]] = {False: deque(), True: deque()}  # by bulk
        self._urgent: deque[Slice] = deque()  # to be ended or handed on, and not to wait for a turn
        self._set_aside: list[tuple[float, Slice]] = []  # of the monotonic clock: another bridge is at work on them
        self._tasks: set[asyncio.Task[None]] = set()
        self._claims = {False: 0, True: 0}  # under way, by bulk
        self._messages = {False: 0, True: 0}  # in these
        self._stopping = False
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway
        ready = min(gateway.window * gateway.sessions, int(gateway.messages_per_second * _READY_SECONDS))
        self._most_ready = min(_MAX_READY, max(1, ready))

    def add(self, held: Held) -> None:
        """Wait for its turn. Call `feed` after the last one."""
        for one in slices_of(held):
            self._line_of(one).append(one)

    async def stop(self) -> list[Slice]:
        """Claim nothing more; when the claims under way are through, what has not been claimed."""
        self._stopping = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        self._stopping = False
        left = [*self._urgent, *self._waiting[False], *self._waiting[True], *(one for _, one in self._set_aside)]
        left += self.resting()
        for waiting in (self._urgent, *self._waiting.values()):
            waiting.clear()
        self._set_aside.clear()
        return left

    def give_up(self, *, bulk: bool, taken_until: float) -> list[Slice]:
        """What waits unclaimed in this line, of records taken until then, and no longer does."""
        waiting = self._waiting[bulk]
        left = [one for one in waiting if one.held.taken_at <= taken_until]
        self._waiting[bulk] = deque(one for one in waiting if one.held.taken_at > taken_until)
        return left

    def resting(self) -> list[Slice]:
        """What waited unclaimed of paused jobs, and no longer does."""
        resting, self._resting = self._resting, []
        return resting

    def feed(self) -> None:
        """Claim what has its turn soon; what is not bulk first, however long the bulk has waited."""
        while not self._stopping and self._standing.hands_on and len(self._tasks) < _MAX_CLAIMS:
            one = self._next()
            if one is None:
                return
            bulk = one.held.bulk
            self._claims[bulk] += 1
            self._messages[bulk] += len(one.messages)
            task = asyncio.get_running_loop().create_task(self._claim(one))
            self._tasks.add(task)
            task.add_done_callback(self._claimed)

    def look(self) -> None:
        """See to what waits for its time, or need not wait any longer. Called every second or so."""
        now = self._clock.monotonic()
        due = [one for at, one in self._set_aside if at <= now]
        self._set_aside = [(at, one) for at, one in self._set_aside if at > now]
        for one in due:
            self._waiting[one.held.bulk].appendleft(one)
        for waiting in self._waiting.values():
            slices = list(waiting)
            waiting.clear()
            for one in slices:
                self._line_of(one).append(one)
        self.feed()

    def _line_of(self, one: Slice) -> deque[Slice] | list[Slice]:
        """Where the slice waits. Its messages are of one bundle, and so of one job or none."""
        if self._is_urgent(one):
            return self._urgent
        return self._resting if self._jobs.is_paused(one.messages[0]) else self._waiting[one.held.bulk]

    def _is_urgent(self, one: Slice) -> bool:
        """Whether some of it has expired, was stopped, goes on to another gateway, or is what an order concerns."""
        if self._ends_ms(one) <= self._clock.epoch_ms() or self._jobs.is_stopped(one.messages[0]):
            return True
        if self._orders.for_messages(one.held.bundle, one.messages) is not None:
            return True
        return self._standing.why_elsewhere is not None and any(map(self._judge.onward, one.messages))

    def _ends_ms(self, one: Slice) -> int:
        bundle = one.held.bundle
        until_ms = may_wait_until_ms(self._gateway, bundle.since_ms, bundle.wait_until_ms)
        return one.ends_ms if until_ms is None else min(one.ends_ms, until_ms)

    def _next(self) -> Slice | None:
        if self._urgent:
            return self._urgent.popleft()
        if not self._standing.claims:
            return None
        if self._waiting[False] and self._ready(bulk=False) < self._most_ready:
            return self._waiting[False].popleft()
        if self._waiting[True] and self._claims[True] < _MAX_BULK_CLAIMS and self._ready(bulk=True) < self._most_ready:
            return self._waiting[True].popleft()
        return None

    def _ready(self, *, bulk: bool) -> int:
        """Messages that are, or soon will be, before one that would be claimed now."""
        being_claimed = sum(self._messages.values()) if bulk else self._messages[False]
        return self._submitter.backlog.ready(bulk=bulk) + being_claimed

    def _claimed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.critical("a claim failed", exc_info=task.exception())
        self._submitter.pump()
        self.feed()

    async def _claim(self, one: Slice) -> None:
        bulk, messages = one.held.bulk, len(one.messages)
        if one.asked_ms is None:
            one.asked_ms = self._clock.epoch_ms()
            one.order = self._orders.for_messages(one.held.bundle, one.messages)
        try:
            holder = await self._platform.claim(one.name, self._name_for(one), one.asked_ms)
            known = await self._traces_of(one) if holder in (Holder.EARLIER, Holder.AT_WORK) else []
            canceled = await self._canceled(one) if holder is Holder.NOW_OURS and one.order is None else set()
        except Exception as error:  # AWS's or the network's: the slice waits here, still unclaimed as far as we know
            _log.error("cannot claim", extra={"dispatch": one.name, "error": repr(error)})
            await asyncio.sleep(_AGAIN_SECONDS)
            self._waiting[bulk].appendleft(one)
            return
        finally:
            self._claims[bulk] -= 1
            self._messages[bulk] -= messages
        match holder:
            case Holder.NOW_OURS if one.order is not None:
                self._fulfil(one, one.order.fate)
                self._orders.count(one.order, messages)
            case Fate():
                self._fulfil(one, holder)
            case Holder.NOW_OURS:
                self._take(one, canceled)
            case Holder.CANCELED:
                for dispatch in one.messages:
                    self._judge.canceled(one.held, dispatch)
            case Holder.EARLIER:
                self._resume(one, known)
            case Holder.AT_WORK:
                self._leave(one, known)
        if self._is_urgent(one):
            self._submitter.clearing.clear()

    def _take(self, one: Slice, canceled: set[str]) -> None:
        for dispatch in one.messages:
            if dispatch.id in canceled:
                self._judge.canceled(one.held, dispatch)
            else:
                self._submitter.take(one.held, dispatch, dispatch.done)

    def _name_for(self, one: Slice) -> str:
        """Whoever claims it in an order's name leaves it to anybody to see to; in its own, to itself."""
        return self._keeper.name if one.order is None else one.order.fate.claimant

    def _fulfil(self, one: Slice, fate: Fate) -> None:
        """Of what is moved the next gateway's bridge looks whether it is canceled."""
        for dispatch in one.messages:
            self._judge.fulfil(one.held, dispatch, fate)

    async def _canceled(self, one: Slice) -> set[str]:
        """Messages of SMPP customers are canceled one by one, though they share a claim; looked for once that is ours,
        so that either we see the mark or cancel sees our claim."""
        shared = [each.id for each in one.messages if each.content.source == "smpp" and one.shared]
        return await self._platform.canceled(one.held.bundle.account, shared) if shared else set()

    async def _traces_of(self, one: Slice) -> list[Traces]:
        account, gateway = one.held.bundle.account, self._gateway.id
        return [traces(each, await self._platform.facts_of(account, each.id), gateway) for each in one.messages]

    def _resume(self, one: Slice, known: list[Traces]) -> None:
        """A bridge had it: what the log tells is done; of the rest nobody knows whether it was submitted."""
        for dispatch, trace in zip(one.messages, known, strict=True):
            _log.warning(
                "claimed before",
                extra={"message_id": dispatch.id, "gateway": self._gateway.id, "over": trace.over, "done": trace.done},
            )
            if trace.over:
                one.held.kept()
            elif self._judge.resends(dispatch) and not self._jobs.is_stopped(dispatch):
                again = msgspec.structs.replace(dispatch, attempt=trace.attempt, in_doubt=True)
                self._submitter.take(one.held, again, trace.done)
            else:
                self._judge.unknown(one.held, dispatch)

    def _leave(self, one: Slice, known: list[Traces]) -> None:
        """Another bridge has it in hand: keep the record until the log tells that it is through, or it has died."""
        one.messages = [each for each, trace in zip(one.messages, known, strict=True) if not trace.over]
        if one.messages:
            self._set_aside.append((self._clock.monotonic() + _AT_WORK_SECONDS, one))
        for trace in known:
            if trace.over:
                one.held.kept()
