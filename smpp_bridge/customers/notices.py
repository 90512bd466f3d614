"""Log lines about peers that misbehave: the first of a kind from a network at once, then how many more came."""

import logging
from typing import Final

_SECONDS: Final = 60.0  # a line a kind and network in so long, however many there are
_MAX_KINDS: Final = 1_000  # then all further networks share one line a kind
_log: Final = logging.getLogger(__name__)


class Notices:
    """`tell` as often as it happens, `sum_up` now and then. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], tuple[float, int]] = {}  # kind, network -> since when, how many more

    def tell(self, what: str, network: str, now: float, **who: object) -> None:
        """Log it, or count it where the same was logged a moment ago. No secrets in `who`."""
        key = (what, network if len(self._told) < _MAX_KINDS or (what, network) in self._told else "many")
        known = self._told.get(key)
        if known is None:
            self._told[key] = (now, 0)
            _log.warning(what, extra={"network": network, **who})
        else:
            self._told[key] = (known[0], known[1] + 1)

    def sum_up(self, now: float) -> None:
        """Log how many more came of what was told a minute ago, and forget it."""
        over = [(key, more) for key, (since, more) in self._told.items() if since <= now - _SECONDS]
        for (what, network), more in over:
            del self._told[what, network]
            if more:
                _log.warning(what, extra={"network": network, "more_times": more})
