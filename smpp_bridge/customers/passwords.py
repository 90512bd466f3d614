"""Passwords against their hashes, off the event loop, one at a time; a right one is not hashed again for a while."""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from smpp_bridge.gateways.clock import Clock

MAX_WAITING: Final = 200  # some four seconds of work: who comes behind them is told to come again
_MAX_REMEMBERED: Final = 10_000
# After each hash the thread sleeps as long as the hash took: a flood of wrong passwords gets half a core, no more.
_REST: Final = 1.0

Verify = Callable[[str, str | None], bool]


class Busy(Exception):
    """Too many passwords wait to be checked."""


class Passwords:
    """`verify` (password, hash or None) takes its time, on a thread. What is remembered are digests under a secret."""

    def __init__(self, verify: Verify, *, clock: Clock, remember_seconds: float) -> None:
        self._verify = verify
        self._clock = clock
        self._remember_seconds = remember_seconds
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[str, tuple[bytes, float]] = OrderedDict()  # system_id -> digest, until when
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._waiting = 0

    def close(self) -> None:
        """No more checks."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def is_right(self, system_id: str, password: str, password_hash: str | None) -> bool:
        """Whether it is the password of that hash; None is of nobody, and takes as long. Raises Busy."""
        digest = self._digest(password, password_hash)
        remembered = self._right.get(system_id)
        if (
            remembered is not None
            and hmac.compare_digest(remembered[0], digest)
            and self._clock.monotonic() < remembered[1]
        ):
            return True
        if self._waiting >= MAX_WAITING:
            raise Busy
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._threads, self._check, password, password_hash)
        finally:
            self._waiting -= 1
        if right:
            self._remember(system_id, digest)
        return right

    def _check(self, password: str, password_hash: str | None) -> bool:
        started = time.perf_counter()
        right = self._verify(password, password_hash)
        time.sleep((time.perf_counter() - started) * _REST)
        return right

    def _remember(self, system_id: str, digest: bytes) -> None:
        self._right.pop(system_id, None)
        self._right[system_id] = (digest, self._clock.monotonic() + self._remember_seconds)
        if len(self._right) > _MAX_REMEMBERED:
            self._right.popitem(last=False)

    def _digest(self, password: str, password_hash: str | None) -> bytes:
        """Of both: a changed hash makes the remembered password worthless."""
        text = f"{password_hash or ''}\0{password}"
        return hmac.digest(self._key, text.encode(), "sha256")
