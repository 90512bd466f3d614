"""One login's receipts and inbound messages on their way to its receivers here: taken in order of arrival from its
queue, kept there until they are acknowledged."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Final

from chalicelib.store.queues import Record
from smpp_bridge.customers.application import BoundSession, SessionGone, Unanswered
from smpp_bridge.customers.deliveries import pdus_of
from smpp_bridge.customers.letters import InHand, Letter
from smpp_bridge.customers.mailbox import VISIBILITY_SECONDS, Mailbox
from smpp_bridge.customers.receivers import Receiver, Receivers
from smpp_bridge.customers.returns import Returns
from smpp_bridge.customers.told import Told
from smpp_bridge.gateways.backoff import Backoff
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.status import Status

TRIES_HERE: Final = 3  # of an item that meets "not now", before it makes way for those behind it
LINGER_SECONDS: Final = 0.2  # how long a record that is through may wait for others to be deleted with
_LOOK_SECONDS: Final = VISIBILITY_SECONDS / 4
_RECEIVE_AGAIN_SECONDS: Final = (0.5, 30.0)
_FINISH_AGAIN_SECONDS: Final = (0.2, 5.0)
# What says something about the moment rather than the item: the session is held back, the item keeps its place.
NOT_NOW: Final = frozenset({Status.SYSTEM_ERROR, Status.QUEUE_FULL, Status.THROTTLED, Status.TEMPORARY_APP_ERROR})

_log: Final = logging.getLogger(__name__)


class Feed:
    """Runs while it has receivers. `over` is called when it has none any more, and has given back what it held.

    The queue is FIFO: what is in hand here nobody else gets, and nothing behind it either, so the next records are
    asked for when all of these are through.
    """

    def __init__(self, login: str, mailbox: Mailbox, told: Told, clock: Clock, over: Callable[["Feed"], None]) -> None:
        self.login = login
        self._mailbox = mailbox
        self._told = told
        self._clock = clock
        self._over = over
        self._returns = Returns(login, mailbox, told)
        self._receivers = Receivers()
        self._in_hand: list[InHand] = []
        self._open = 0  # of which are not through
        self._ready: list[tuple[int, Letter]] = []  # a heap: what comes back goes before what came later
        self._names: set[str] = set()  # of the items in hand
        self._numbers = count()
        self._in_flight = 0  # deliver_sm without an answer
        self._changed = asyncio.Event()
        self._linger: asyncio.TimerHandle | None = None
        self._is_due = False  # what is through is to be deleted now
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._ended)

    # --- for the outbox

    def add(self, bound: BoundSession) -> None:
        """The session takes deliver_sm from now on."""
        self._receivers.add(bound)
        self._pump()

    def remove(self, bound: BoundSession) -> None:
        """It does no longer; what is under way there raises SessionGone."""
        self._receivers.remove(bound)
        self._changed.set()

    async def stop(self) -> None:
        """Send no more; wait for the answers to what is under way, then give back the rest."""
        self._stopping = True
        self._changed.set()
        await asyncio.wait({self._task})

    @property
    def waiting(self) -> int:
        """Items here that are not acknowledged."""
        return sum(held.left for held in self._in_hand)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest of them was sent, epoch ms; None where nothing waits here."""
        return min((held.record.sent_ms for held in self._in_hand if held.left), default=None)

    # --- from the queue, and back

    async def _run(self) -> None:
        backoff = Backoff(*_RECEIVE_AGAIN_SECONDS, least_share=0.5)
        while self._is_wanted:
            try:
                records = await self._mailbox.receive(self.login)
            except Exception as error:  # AWS's or the network's: the queue will be there again
                _log.error("cannot receive", extra={"login": self.login, "error": repr(error)})
                await self._change(backoff.next())
                continue
            backoff.reset()
            for record in records:
                self._take(record)
            self._pump()
            await self._see_through()
        self._over(self)  # without a pause since it was seen that nobody is left

    @property
    def _is_wanted(self) -> bool:
        return bool(self._receivers) and not self._stopping

    def _take(self, record: Record) -> None:
        held = InHand(record, self.login, self._clock.monotonic() + VISIBILITY_SECONDS)
        self._in_hand.append(held)
        self._open += 1
        for item in held.bundle.items if held.bundle else ():
            if item.name in self._names or self._told.knows(self.login, item):
                self._told.repeats += 1
                continue
            self._names.add(item.name)
            held.left += 1
            number = next(self._numbers)
            heappush(self._ready, (number, Letter(number, item, held)))
        if not held.left:
            self._is_through()

    async def _see_through(self) -> None:
        """Until nothing is in hand: all of it deleted, or given back because nobody here takes it any more."""
        backoff = Backoff(*_FINISH_AGAIN_SECONDS, least_share=0.5)
        while self._in_hand:
            if self._is_due or not self._open:
                if await self._finish():
                    backoff.reset()
                elif self._is_wanted:
                    await self._change(backoff.next())
                else:
                    await self._give_back()
            elif not self._is_wanted and not self._in_flight:
                await self._give_back()
            else:
                await self._change(_LOOK_SECONDS)
            await self._keep_hidden()

    async def _finish(self) -> bool:
        """Put off, bury and delete what is to be. False where AWS is not well."""
        self._is_due = False
        through = [held for held in self._in_hand if not held.left]
        if not await self._returns.finish(through):
            self._is_due = True
            return False
        done = set(map(id, through))
        self._in_hand = [held for held in self._in_hand if id(held) not in done]
        if not self._in_hand:
            self._names.clear()
        return True

    async def _give_back(self) -> None:
        """Whoever gets a receiver next goes on. What is acknowledged is not sent again by this process."""
        held, self._in_hand = self._in_hand, []
        self._open = 0
        self._is_due = False
        self._ready.clear()
        self._names.clear()
        await self._returns.finish([one for one in held if not one.left])
        await self._returns.hide([one for one in held if one.left], 0)

    async def _keep_hidden(self) -> None:
        now = self._clock.monotonic()
        soon = [held for held in self._in_hand if held.visible_until - now < VISIBILITY_SECONDS / 2]
        if soon and await self._returns.hide(soon, VISIBILITY_SECONDS):
            for held in soon:
                held.visible_until = now + VISIBILITY_SECONDS

    async def _change(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    # --- toward the customer

    def _pump(self) -> None:
        """Send what there is as far as there is room."""
        while self._ready and self._is_wanted:
            receiver = self._receivers.next(self._clock.monotonic())
            if receiver is None:
                return
            self._send(heappop(self._ready)[1], receiver)

    def _send(self, letter: Letter, receiver: Receiver) -> None:
        bound = receiver.bound
        letter.sent()
        if letter.takes_tlvs is not bound.takes_tlvs:
            letter.takes_tlvs = bound.takes_tlvs
            letter.done.clear()
        try:
            pdus = pdus_of(letter.item, takes_tlvs=bound.takes_tlvs)
            letter.parts = len(pdus)
            for part, pdu in enumerate(pdus):
                if part not in letter.done:
                    answer = asyncio.ensure_future(bound.deliver(pdu))
                    letter.waiting += 1
                    receiver.in_flight += 1
                    self._in_flight += 1
                    answer.add_done_callback(partial(self._answered, letter, receiver, part))
        except Exception as error:  # whatever it is, it is this item's: it must not stop those behind it
            _log.exception("cannot be sent", extra={"login": self.login, "message_id": letter.item.id})
            letter.status = Status.UNKNOWN_ERROR
            if letter.waiting:  # some part of it is out: its answer is waited for
                return
            letter.of.reason = f"cannot be sent: {error!r}"
            letter.of.buried.append(letter.item)
            self._is_settled(letter)

    def _answered(self, letter: Letter, receiver: Receiver, part: int, answer: "asyncio.Future[int]") -> None:
        receiver.in_flight -= 1
        self._in_flight -= 1
        letter.waiting -= 1
        error = None if answer.cancelled() else answer.exception()
        if answer.cancelled() or isinstance(error, SessionGone):
            letter.is_lost = True
        elif error is not None:
            letter.status = Status.UNKNOWN_ERROR
            self._told.unanswered += 1
            if not isinstance(error, Unanswered):
                _log.error("not delivered", exc_info=error, extra={"login": self.login})
        elif status := answer.result():
            letter.status = status
            self._told.refused[status] += 1
        else:
            letter.done.add(part)
        if not letter.waiting:
            self._judge(letter, receiver)
            if not self._in_flight:
                self._changed.set()
        self._pump()

    def _judge(self, letter: Letter, receiver: Receiver) -> None:
        """All that was sent of it is answered, or will never be."""
        if letter.is_acknowledged:
            receiver.well()
            self._told.acknowledged(self.login, letter.item)
            self._is_settled(letter)
        elif letter.is_lost:
            heappush(self._ready, (letter.number, letter))
        else:
            self._refused(letter, receiver)

    def _refused(self, letter: Letter, receiver: Receiver) -> None:
        letter.refusals += 1
        if letter.status in NOT_NOW:
            pause_seconds = receiver.pause(self._clock.monotonic())
            if pause_seconds is not None:
                asyncio.get_running_loop().call_later(pause_seconds, self._pump)
            if letter.refusals < TRIES_HERE:
                heappush(self._ready, (letter.number, letter))
                return
        held = letter.of
        extra = {"login": self.login, "message_id": letter.item.id, "command_status": f"0x{letter.status:02X}"}
        _log.warning("refused by the customer", extra={**extra, "attempt": held.attempt + 1})
        if held.is_last_attempt:
            held.reason = f"refused by the customer with 0x{letter.status:02X}"
            held.buried.append(letter.item)
        else:
            held.put_off.append(letter.item)
        self._is_settled(letter)

    def _is_settled(self, letter: Letter) -> None:
        letter.of.left -= 1
        if not letter.of.left:
            self._is_through()

    def _is_through(self) -> None:
        """A record is: all of them, or those of a while, are deleted in one call."""
        self._open -= 1
        if not self._open:
            self._changed.set()
        elif self._linger is None:
            self._linger = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._linger_is_over)

    def _linger_is_over(self) -> None:
        self._linger = None
        self._is_due = True
        self._changed.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._linger is not None:
            self._linger.cancel()
        if not task.cancelled() and task.exception() is not None:
            _log.critical("a feed failed", exc_info=task.exception(), extra={"login": self.login})
            self._over(self)
