"""The customers' platform on AWS: the store's blocking calls in threads of their own, beside the gateways'."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from chalicelib.domain.account import Account
from chalicelib.domain.smpp_login import EsmeSession, SmppLogin, Traffic
from chalicelib.store import accounts, esme_sessions, smpp_logins
from smpp_bridge.gateways.clock import Clock

THREADS: Final = 8  # a beat or a bind takes some 5 ms each of its calls

T = TypeVar("T")


class AwsCustomers:
    """See CustomerPlatform."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="customers")

    def close(self) -> None:
        """No more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def login(self, system_id: str, *, fresh: bool = False) -> SmppLogin | None:
        if fresh:
            return await self._call(lambda: smpp_logins.get(system_id))
        return await self._call(lambda: smpp_logins.cached(system_id, self._clock.epoch_ms()))

    async def account(self, id_: str) -> Account | None:
        return await self._call(lambda: accounts.cached(id_, self._clock.epoch_ms()))

    async def take(self, session: EsmeSession, max_sessions: int) -> int | None:
        return await self._call(lambda: esme_sessions.take(session, max_sessions, self._clock.epoch_ms()))

    async def beat(self, session: EsmeSession, slot: int, traffic: Traffic) -> bool:
        return await self._call(lambda: esme_sessions.beat(session, slot, traffic, self._clock.epoch_ms()))

    async def release(self, session: EsmeSession, slot: int) -> None:
        await self._call(lambda: esme_sessions.release(session, slot))

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
