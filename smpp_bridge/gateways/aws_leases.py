"""The leases on AWS, in threads of their own: when AWS hangs, a renewal must not wait behind other calls."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from chalicelib.store import leases
from chalicelib.store.leases import Bridge, Leases, Slot

LEASE_THREADS: Final = 16  # a call that hangs keeps one for up to a minute, and each round leaves one behind

T = TypeVar("T")


class AwsLeases:
    """See LeaseStore."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LEASE_THREADS, thread_name_prefix="leases")

    def close(self) -> None:
        """No more calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def join(self, bridge: Bridge) -> bool:
        return await self._call(lambda: leases.join(bridge))

    async def renew(self, bridge: Bridge) -> bool:
        return await self._call(lambda: leases.renew(bridge))

    async def leave(self, bridge: str) -> None:
        await self._call(lambda: leases.leave(bridge))

    async def fence(self, bridge: Bridge) -> bool:
        return await self._call(lambda: leases.fence(bridge))

    async def take(self, slot: Slot, by: str, instead_of: str | None) -> bool:
        return await self._call(lambda: leases.take(slot, by, instead_of))

    async def release(self, slot: Slot, by: str) -> None:
        await self._call(lambda: leases.release(slot, by))

    async def look(self) -> Leases:
        return await self._call(leases.look)

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
