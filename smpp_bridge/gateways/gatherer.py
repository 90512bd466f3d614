"""Gathers things for a few milliseconds and sends them together; tells each one's owner when it is durable."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from smpp_bridge.gateways.backoff import Backoff

MAX_PENDING: Final = 20_000  # things in memory, some 20 MB of outcomes; beyond it the owner is to stop making them
_RETRY_SECONDS: Final = (0.2, 5.0)

_log: Final = logging.getLogger(__name__)
T = TypeVar("T")


class Ticket(Protocol):
    """Who is told what became of a thing."""

    def kept(self) -> None:
        """It is durable."""

    def lost(self) -> None:
        """It is not, and will not be tried again."""


class _Nobody:
    def kept(self) -> None: ...
    def lost(self) -> None: ...


NOBODY: Final[Ticket] = _Nobody()  # nobody waits to hear of it


class Gatherer(Generic[T]):
    """`send` makes up to `most` things durable or raises; at most `at_once` of them run at a time.

    `insist`: try until it works, for what only we know; otherwise once, for what others will tell us again.
    """

    def __init__(
        self,
        send: Callable[[list[T]], Awaitable[None]],
        *,
        most: int,
        linger_seconds: float,
        insist: bool,
        at_once: int = 4,
        observe_seconds: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._send = send
        self._most = most
        self._linger_seconds = linger_seconds
        self._insist = insist
        self._at_once = at_once
        self._observe_seconds = observe_seconds
        self._things: list[T] = []
        self._tickets: list[Ticket] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._in_sends = 0
        self.failed_sends = 0
        self.on_room: list[Callable[[], None]] = []  # called when it is full no longer

    @property
    def pending(self) -> int:
        """Things that are not durable yet."""
        return len(self._things) + self._in_sends

    @property
    def full(self) -> bool:
        """Whether the owner is to stop making things."""
        return len(self._things) + self._in_sends >= MAX_PENDING

    def add(self, thing: T, ticket: Ticket) -> None:
        """Send it soon; `ticket` hears of it."""
        self._things.append(thing)
        self._tickets.append(ticket)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_seconds, self._flush)
        elif len(self._things) == self._most:
            self._flush()

    async def drained(self) -> None:
        """Returns when all that was added is durable, or lost. Unbounded: the caller sets a limit."""
        while self._things or self._sending:
            self._flush()
            await asyncio.wait(set(self._sending), return_when=asyncio.FIRST_COMPLETED)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._things and len(self._sending) < self._at_once:
            things, tickets = self._things[: self._most], self._tickets[: self._most]
            del self._things[: self._most], self._tickets[: self._most]
            self._in_sends += len(things)
            task = asyncio.get_running_loop().create_task(self._deliver(things, tickets))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.critical("a gatherer failed", exc_info=task.exception())
        if self._things:
            self._flush()

    async def _deliver(self, things: list[T], tickets: list[Ticket]) -> None:
        was_full = self.full
        try:
            kept = await self._sent_once_or_until_it_works(things)
        finally:
            self._in_sends -= len(things)
        for ticket in tickets:
            if kept:
                ticket.kept()
            else:
                ticket.lost()
        if was_full:
            for call in self.on_room:
                call()

    async def _sent_once_or_until_it_works(self, things: list[T]) -> bool:
        backoff = Backoff(*_RETRY_SECONDS, least_share=0.5)
        while True:
            started = time.perf_counter()
            try:
                await self._send(things)
            except Exception as error:  # whatever the network or AWS has: it is theirs
                self.failed_sends += 1
                _log.error("not sent", extra={"error": repr(error), "things": len(things), "again": self._insist})
                if not self._insist:
                    return False
                await asyncio.sleep(backoff.next())
            else:
                self._observe_seconds(time.perf_counter() - started)
                return True
