"""Keeps a gateway's records hidden from others for as long as they are in this bridge's hands."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.platform import VISIBILITY_SECONDS, Platform

_log: Final = logging.getLogger(__name__)


class Hiding:
    """`held` tells what is here now; `queue_of` the queue that a record is of, by whether that is the bulk one."""

    def __init__(
        self,
        platform: Platform,
        clock: Clock,
        *,
        held: Callable[[], Iterable[Held]],
        queue_of: Callable[[bool], str],
    ) -> None:
        self._platform = platform
        self._clock = clock
        self._held = held
        self._queue_of = queue_of

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(VISIBILITY_SECONDS / 4)
            now = self._clock.monotonic()
            for bulk in (False, True):
                soon = [
                    held
                    for held in self._held()
                    if held.bulk is bulk and held.visible_until - now < VISIBILITY_SECONDS / 2
                ]
                if await self.hide([held.handle for held in soon], VISIBILITY_SECONDS, bulk=bulk):
                    for held in soon:
                        held.visible_until = now + VISIBILITY_SECONDS

    async def hide(self, handles: list[str], seconds: int, *, bulk: bool) -> bool:
        """Hide records for so long (0: give them back). False where that was not done."""
        if not handles:
            return True
        queue = self._queue_of(bulk)
        try:
            await self._platform.hide(queue, handles, seconds)
        except Exception as error:  # they come back by themselves, too early or too late
            _log.error("cannot change visibility", extra={"queue": queue, "error": repr(error)})
            return False
        return True
