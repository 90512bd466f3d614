"""Networks that keep failing to bind: slowed at first, then not listened to for a while."""

from collections import OrderedDict, deque
from typing import Final

_WITHIN_SECONDS: Final = 60.0  # failures further apart than this are no series
_MAX_NETWORKS: Final = 10_000  # then the longest unheard of is forgotten
_MAX_DOUBLINGS: Final = 3  # 8 s with a first delay of 1 s: a client's own patience ends soon after


class Bans:
    """`failures` within a minute ban a network for `ban_seconds`. Times are seconds of one monotonic clock."""

    def __init__(self, failures: int, ban_seconds: float) -> None:
        self._failures = failures
        self._ban_seconds = ban_seconds
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._banned: OrderedDict[str, float] = OrderedDict()  # network -> until when, in the order of their ends
        self.total = 0

    def failed(self, network: str, now: float) -> bool:
        """The network has failed once more. True: it is banned for that from now on."""
        times = self._failed.setdefault(network, deque(maxlen=self._failures))
        self._failed.move_to_end(network)
        times.append(now)
        if len(self._failed) > _MAX_NETWORKS:
            self._failed.popitem(last=False)
        if len(times) < self._failures or times[0] < now - _WITHIN_SECONDS:
            return False
        del self._failed[network]
        self._banned.pop(network, None)
        self._banned[network] = now + self._ban_seconds
        if len(self._banned) > _MAX_NETWORKS:
            self._banned.popitem(last=False)
        self.total += 1
        return True

    def delay(self, network: str, first_seconds: float, now: float) -> float:
        """For how long an answer to the network waits, by its failures of the last minute."""
        recent = sum(at >= now - _WITHIN_SECONDS for at in self._failed.get(network, ()))
        return float(first_seconds * 2 ** min(max(recent - 1, 0), _MAX_DOUBLINGS))

    def is_banned(self, network: str, now: float) -> bool:
        """Whether the network is not listened to at present."""
        self._forget(now)
        return network in self._banned

    def count(self, now: float) -> int:
        """How many networks are banned at present."""
        self._forget(now)
        return len(self._banned)

    def _forget(self, now: float) -> None:
        while self._banned and next(iter(self._banned.values())) <= now:
            self._banned.popitem(last=False)
