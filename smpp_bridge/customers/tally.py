"""What one session has carried, in all and a second."""

from chalicelib.domain.smpp_login import Traffic


class Tally:
    """Counted by the connection, read at each beat. Times are seconds of one monotonic clock."""

    def __init__(self, now: float) -> None:
        self.submits = 0
        self.delivers = 0
        self.throttled = 0
        self._read_at = now
        self._read = (0, 0)

    def traffic(self, now: float) -> Traffic:
        """The totals, and what came a second since this was last called."""
        passed = max(now - self._read_at, 1e-3)
        submits, delivers = self.submits - self._read[0], self.delivers - self._read[1]
        self._read_at, self._read = now, (self.submits, self.delivers)
        return Traffic(
            submits=self.submits,
            delivers=self.delivers,
            throttled=self.throttled,
            submits_per_second=round(submits / passed, 2),
            delivers_per_second=round(delivers / passed, 2),
        )
