"""What the outbox needs of the platform: the logins' queues. AWS below, memory in tests."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from chalicelib.domain.esme import EsmeItem
from chalicelib.domain.ids import new_ulid
from chalicelib.store import made_queues, queues
from chalicelib.store.queues import Record
from chalicelib.wire import OutcomeBundle, ToldInVain
from smpp_bridge.gateways.clock import Clock

# Of a record in a bridge's hands; extended while it is held.
VISIBILITY_SECONDS: Final = made_queues.ESME_VISIBILITY_SECONDS
RECEIVE_THREADS: Final = 256  # each waits on a login's queue; made as they are needed
CALL_THREADS: Final = 8
CROWDED_WAIT_SECONDS: Final = 1  # a receive's wait where logins have to take turns with the threads

T = TypeVar("T")


class Mailbox(Protocol):
    """Every call may raise what its implementation raises when the other side is not well; callers try again."""

    async def receive(self, login: str) -> list[Record]:
        """The login's next records in order, hidden from others for VISIBILITY_SECONDS; waits a few seconds for one.

        None while another's hands hold some of that login.
        """
        ...

    async def hide(self, login: str, handles: Sequence[str], seconds: int) -> None:
        """Hide records for `seconds` from now; 0 gives them back."""
        ...

    async def delete(self, login: str, handles: Sequence[str]) -> None:
        """The records are through."""
        ...

    async def put_off(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None:
        """The items come to the login's queue again, after the delay: durable when this returns."""
        ...

    async def bury(self, login: str, body: str, reason: str, receives: int) -> None:
        """The body is with the dead letters when this returns."""
        ...


class AwsMailbox:
    """`receive_seconds` is how long a receive waits (whole seconds, 0 to 8)."""

    def __init__(self, clock: Clock, *, receive_seconds: int) -> None:
        self._clock = clock
        self._receive_seconds = receive_seconds
        self._receiving = 0
        self._calls = ThreadPoolExecutor(CALL_THREADS, thread_name_prefix="mailbox")
        self._receives = ThreadPoolExecutor(RECEIVE_THREADS, thread_name_prefix="esme")

    def close(self) -> None:
        """No more calls; those under way end by themselves."""
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._receives.shutdown(wait=False, cancel_futures=True)

    async def receive(self, login: str) -> list[Record]:
        """See Mailbox."""
        self._receiving += 1
        wait = self._receive_seconds if self._receiving <= RECEIVE_THREADS else CROWDED_WAIT_SECONDS
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._receives, lambda: queues.receive(queues.esme_queue(login), wait_seconds=wait)
            )
        finally:
            self._receiving -= 1

    async def hide(self, login: str, handles: Sequence[str], seconds: int) -> None:
        """See Mailbox."""
        await self._call(lambda: queues.hide(queues.esme_queue(login), handles, seconds))

    async def delete(self, login: str, handles: Sequence[str]) -> None:
        """See Mailbox."""
        await self._call(lambda: queues.delete_many(queues.esme_queue(login), handles))

    async def put_off(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None:
        """By way of ⟨outcomes⟩: a FIFO queue cannot hold back one record and let the next pass."""
        told = ToldInVain(login=login, items=tuple(items), attempt=attempt)
        bundle = OutcomeBundle(id=new_ulid(self._clock.epoch_ms()), outcomes=(told,))
        await self._call(lambda: queues.send(queues.OUTCOMES, bundle, delay_seconds=delay_seconds))

    async def bury(self, login: str, body: str, reason: str, receives: int) -> None:
        """See Mailbox."""
        await self._call(lambda: queues.bury(queues.esme_queue(login), body, reason, receives=receives))

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._calls, call)
