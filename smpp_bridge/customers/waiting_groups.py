"""Messages in parts that others are missing of: this bridge's timers, which end each when it is due."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from chalicelib.services.join import Waits
from smpp_bridge.gateways.clock import Clock

MOST: Final = 50_000  # timers; beyond them, and after a crash, the rounds function ends them
_AGAIN_SECONDS: Final = 2.0  # after it went wrong
_TRIES: Final = 5  # then it is left to the rounds

_log: Final = logging.getLogger(__name__)


class WaitingGroups:
    """`end` sends what there is of a group; nothing happens where it is complete by then."""

    def __init__(self, end: Callable[[Waits], Awaitable[None]], clock: Clock) -> None:
        self._end = end
        self._clock = clock
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._timers)

    def watch(self, waits: Waits) -> None:
        """End the group when it is due."""
        if waits.root in self._timers or len(self._timers) >= MOST:
            return
        seconds = max(0.0, (waits.due_ms - self._clock.epoch_ms()) / 1000)
        self._timers[waits.root] = asyncio.get_running_loop().call_later(seconds, self._due, waits)

    def joined(self, root: str) -> None:
        """The group is complete and sent."""
        timer = self._timers.pop(root, None)
        if timer is not None:
            timer.cancel()

    async def stop(self) -> None:
        """No more timers; what is being ended goes on to its end."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._ending:
            await asyncio.wait(set(self._ending))

    def _due(self, waits: Waits) -> None:
        self._timers.pop(waits.root, None)
        task = asyncio.get_running_loop().create_task(self._ended(waits))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _ended(self, waits: Waits) -> None:
        for _ in range(_TRIES):
            try:
                await self._end(waits)
                break
            except Exception as error:  # AWS's or the network's
                _log.error("parts not sent on", extra={"message_id": waits.root, "error": repr(error)})
                await asyncio.sleep(_AGAIN_SECONDS)
