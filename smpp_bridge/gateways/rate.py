"""How many submit_sm a gateway takes a second: a token bucket that lowers itself when the SMSC throttles."""

from typing import Final

# Saved up beside a whole token, in seconds of the rate. SMSCs count by the second: hardly more than the rate in any of
# them; but less than this would be lost whenever the timer is late by a few milliseconds.
_BURST_SECONDS: Final = 0.02
# What a throttled answer does to the rate, how low it may go, and how much of it comes back each second.
_SLOWER: Final = 0.7
_SLOWEST: Final = 0.1
_RECOVERY_A_SECOND: Final = 0.01


class TokenBucket:
    """`per_second` tokens come in a second, whole ones may be spent. Times are seconds of one monotonic clock."""

    __slots__ = ("_at", "_per_second", "_share", "_tokens")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._share = 1.0
        self._at = now
        self._tokens = self._burst

    @property
    def rate(self) -> float:
        """Tokens a second at present: less than was set, for a while after `slow`."""
        return self._per_second * self._share

    @property
    def _burst(self) -> float:
        return 1.0 + self._per_second * _BURST_SECONDS

    def change(self, per_second: float, now: float) -> None:
        """From now on `per_second` (> 0)."""
        self._refill(now)
        self._per_second = per_second
        self._tokens = min(self._tokens, self._burst)

    def available(self, now: float) -> int:
        """Whole tokens that may be spent now."""
        self._refill(now)
        return int(self._tokens)

    def spend(self, count: int) -> None:
        """Take tokens that `available` has told."""
        self._tokens -= count

    def wait(self, now: float) -> float:
        """Seconds until there is a whole token; 0.0 where there is one."""
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self.rate)

    def slow(self, now: float) -> None:
        """The SMSC throttled: go on at a lower rate, which comes back by itself."""
        self._refill(now)
        self._share = max(_SLOWEST, self._share * _SLOWER)

    def _refill(self, now: float) -> None:
        passed = now - self._at
        if passed <= 0:
            return
        self._at = now
        self._tokens = min(self._burst, self._tokens + passed * self.rate)
        if self._share < 1.0:
            self._share = min(1.0, self._share + passed * _RECOVERY_A_SECOND)
