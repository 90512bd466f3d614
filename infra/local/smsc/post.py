"""Receipts, and what handsets wrote, on their way: each waits until it is due, then for a session that can take it."""

import asyncio
import heapq
import itertools
from collections import defaultdict, deque
from typing import Final, Protocol

from infra.local.smsc.counters import Counters
from infra.local.smsc.inbound import Mail

MAX_WAITING: Final = 500_000  # receipts that are kept; more are dropped and counted
MAX_ATTEMPTS: Final = 50  # refusals and silences; a lost connection is none
_TIMER_GRAIN_SECONDS: Final = 0.001  # what is due this soon goes with what is due now


class Receiver(Protocol):
    """A session bound as receiver or transceiver."""

    def can_take(self) -> bool: ...
    def deliver(self, receipt: Mail) -> None: ...
    def flush(self) -> None: ...


class PostOffice:
    """One queue a system_id behind one clock for all."""

    def __init__(self, counters: Counters, retry_seconds: float) -> None:
        self._counters = counters
        self._retry_seconds = retry_seconds
        self._due: list[tuple[float, int, Mail]] = []
        self._order = itertools.count()
        self._ready: defaultdict[str, deque[Mail]] = defaultdict(deque)
        self._receivers: defaultdict[str, list[Receiver]] = defaultdict(list)
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, system_id: str, receiver: Receiver) -> None:
        """A session was bound: what is kept for it goes out."""
        self._receivers[system_id].append(receiver)
        self.dispatch(system_id)

    def anybody(self) -> str | None:
        """A system_id that has a session to deliver to."""
        return next((system_id for system_id, receivers in self._receivers.items() if receivers), None)

    def detach(self, system_id: str, receiver: Receiver) -> None:
        """The session is over; a transmitter was never attached."""
        if receiver in self._receivers[system_id]:
            self._receivers[system_id].remove(receiver)

    def post(self, receipt: Mail, delay_seconds: float) -> None:
        """Send it when it is due; 0 is now."""
        if self._counters.receipts_waiting >= MAX_WAITING:
            self._counters.receipts_dropped += 1
            return
        self._counters.receipts_waiting += 1
        if delay_seconds <= 0:
            self._ready[receipt.system_id].append(receipt)
            self.dispatch(receipt.system_id)
            return
        due = asyncio.get_running_loop().time() + delay_seconds
        heapq.heappush(self._due, (due, next(self._order), receipt))
        self._arm()

    def give_back(self, receipt: Mail) -> None:
        """The connection went before it was acknowledged: it is the next to go on another."""
        self._counters.receipts_waiting += 1
        self._ready[receipt.system_id].appendleft(receipt)

    def try_again(self, receipt: Mail) -> None:
        """The ESME refused it or kept silent."""
        self._counters.receipts_refused += 1
        receipt.attempts += 1
        if receipt.attempts >= MAX_ATTEMPTS:
            self._counters.receipts_dropped += 1
            return
        self.post(receipt, self._retry_seconds)

    def dispatch(self, system_id: str) -> None:
        """Hand out what is ready, as far as the windows reach."""
        ready = self._ready[system_id]
        for receiver in list(self._receivers[system_id]):
            if not ready:
                return
            while ready and receiver.can_take():
                self._counters.receipts_waiting -= 1
                self._counters.receipts_sent += 1
                receiver.deliver(ready.popleft())
            receiver.flush()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        due = self._due[0][0]
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._release)

    def _release(self) -> None:
        self._timer = None
        until = asyncio.get_running_loop().time() + _TIMER_GRAIN_SECONDS
        touched: set[str] = set()
        while self._due and self._due[0][0] <= until:
            receipt = heapq.heappop(self._due)[2]
            self._ready[receipt.system_id].append(receipt)
            touched.add(receipt.system_id)
        for system_id in touched:
            self.dispatch(system_id)
        if self._due:
            self._arm()
