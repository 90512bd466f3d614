"""Which jobs are paused or stopped, as this bridge has heard; asked for each message that waits."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from chalicelib.store.job_controls import KEPT_SECONDS, OVERLAP_MS, Control
from chalicelib.wire import Dispatch
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.platform import Platform

HEAR_SECONDS: Final = 1.0  # a stop takes effect within two: this, the read, and what is under way
PAUSED_SECONDS: Final = 20  # what a paused job has at a gateway comes again so often; a resume waits at most so long

_log: Final = logging.getLogger(__name__)


class JobControls:
    """Empty until it has heard: nothing is paused or stopped."""

    def __init__(self) -> None:
        self._held: dict[str, Control] = {}  # those that are paused or stopped, by job
        self._versions: dict[str, int] = {}
        self._newest_ms = 0

    @property
    def since_ms(self) -> int:
        """From when on to ask."""
        return max(0, self._newest_ms - OVERLAP_MS)

    def hear(self, controls: list[Control]) -> bool:
        """Whether anything is different from before."""
        before = dict(self._held)
        for control in controls:
            self._newest_ms = max(self._newest_ms, control.at_ms)
            if control.version < self._versions.get(control.job, 0):
                continue
            self._versions[control.job] = control.version
            if control.state == "running":
                self._held.pop(control.job, None)
            else:
                self._held[control.job] = control
        return self._held != before

    def forget_before(self, at_ms: int) -> None:
        """What was told then is of nothing that still waits."""
        for job in [job for job, control in self._held.items() if control.at_ms < at_ms]:
            del self._held[job]
            self._versions.pop(job, None)

    def is_stopped(self, dispatch: Dispatch) -> bool:
        """Whether the message's job was stopped for good."""
        return self._is(dispatch, "stopped")

    def is_paused(self, dispatch: Dispatch) -> bool:
        """Whether the message's job is to wait."""
        return self._is(dispatch, "paused")

    def _is(self, dispatch: Dispatch, state: str) -> bool:
        job = dispatch.content.job
        if not job or not self._held:
            return False
        held = self._held.get(job)
        return held is not None and held.state == state


async def follow(
    controls: JobControls,
    platform: Platform,
    clock: Clock,
    on_change: Callable[[], None],
    seconds: float = HEAR_SECONDS,
) -> None:
    """Ask again and again until it is cancelled; `on_change` is called when there is something to do."""
    while True:
        await hear(controls, platform, clock, on_change)
        await asyncio.sleep(seconds)


async def hear(controls: JobControls, platform: Platform, clock: Clock, on_change: Callable[[], None]) -> None:
    """Ask once. What AWS does not tell now, it tells a second later."""
    try:
        told = await platform.job_controls(controls.since_ms)
    except Exception as error:
        _log.error("cannot read job controls", extra={"error": repr(error)})
        return
    controls.forget_before(clock.epoch_ms() - KEPT_SECONDS * 1000)
    if controls.hear(told):
        on_change()
