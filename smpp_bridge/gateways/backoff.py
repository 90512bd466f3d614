"""Ever longer waits with jitter, so that sessions which fell together do not come back together."""

import random
from collections.abc import Callable


class Backoff:
    """Waits of up to `first_seconds`, doubling to `most_seconds`; each is drawn from [`least_share` of it, all of it].

    `least_share` 0 is full jitter. `dice` gives numbers in [0, 1).
    """

    def __init__(
        self,
        first_seconds: float,
        most_seconds: float,
        *,
        least_share: float = 0.0,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._first = first_seconds
        self._most = most_seconds
        self._least_share = least_share
        self._dice = dice
        self._ceiling = first_seconds

    def next(self) -> float:
        """Seconds to wait this time."""
        ceiling = self._ceiling
        self._ceiling = min(self._most, ceiling * 2)
        least = ceiling * self._least_share
        return least + (ceiling - least) * self._dice()

    def reset(self) -> None:
        """All is well again: the next wait is a first one."""
        self._ceiling = self._first
