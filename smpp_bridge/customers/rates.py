"""How many messages a second each login may hand over here: a token bucket a login, over all its sessions."""

from collections import OrderedDict
from typing import Final

# Saved up at most, in seconds of the rate: clients send by the second, and by the window.
BURST_SECONDS: Final = 1.0
_LOGINS: Final = 10_000  # remembered; who is forgotten may burst once more


class Rates:
    """Whole messages are taken or not at all. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were as many

    def take(self, system_id: str, per_second: float, count: int, now: float) -> bool:
        """Whether `count` more messages may pass now. What is over the burst at once passes only from a full bucket."""
        most = max(1.0, per_second * BURST_SECONDS)
        held = self._buckets.get(system_id)
        tokens = most if held is None else min(most, held[0] + max(0.0, now - held[1]) * per_second)
        passes = tokens >= min(count, most)
        self._buckets[system_id] = (tokens - count if passes else tokens, now)
        self._buckets.move_to_end(system_id)
        if len(self._buckets) > _LOGINS:
            self._buckets.popitem(last=False)
        return passes
