"""The two clocks that the bridge reads, as one argument, so that tests may turn them by hand."""

import time
from collections.abc import Callable

import msgspec


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock(msgspec.Struct, frozen=True):
    """`monotonic` in seconds, for waits; `epoch_ms` for what is told to others."""

    monotonic: Callable[[], float] = time.monotonic
    epoch_ms: Callable[[], int] = _epoch_ms
