"""A circuit breaker: stops submits to a gateway that fails too often, and lets a few through later to see. Pure."""

from collections import deque
from enum import StrEnum
from typing import Final

import msgspec

UNLIMITED: Final = 1_000_000_000


class Circuit(StrEnum):
    """As electricians say: closed is well."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Half of the answers in half a minute: an SMSC that is restarted fails all, one that is busy now and then some."""

    window_seconds: float = 30.0
    least_answers: int = 20  # fewer say nothing
    share: float = 0.5  # of faults, from which on it trips
    open_seconds: float = 30.0  # until it is tried again; doubled each time that fails
    most_open_seconds: float = 300.0
    probes: int = 5  # submits of which none may fail before it is closed again


class Breaker:
    """Times are seconds of one monotonic clock. A fault is the gateway's own, not the message's."""

    def __init__(self, terms: BreakerTerms | None = None) -> None:
        self._terms = terms or BreakerTerms()
        self._seconds: deque[tuple[int, int, int]] = deque()  # second, answers, faults
        self._answers = 0
        self._faults = 0
        self._open_until: float | None = None
        self._open_seconds = self._terms.open_seconds
        self._probed = 0
        self.trips = 0

    def circuit(self, now: float) -> Circuit:
        """How it stands."""
        if self._open_until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self._open_until else Circuit.HALF_OPEN

    def allowance(self, now: float, in_flight: int) -> int:
        """How many submits may be sent now, with so many in flight."""
        if self._open_until is None:
            return UNLIMITED
        return max(0, self._terms.probes - self._probed - in_flight) if now >= self._open_until else 0

    def note(self, now: float, *, fault: bool) -> None:
        """An answer, or that there was none in time."""
        match self.circuit(now):
            case Circuit.CLOSED:
                self._count(now, fault)
                if self._answers >= self._terms.least_answers and self._faults >= self._terms.share * self._answers:
                    self._trip(now)
            case Circuit.HALF_OPEN if fault:
                self._open_seconds = min(self._terms.most_open_seconds, self._open_seconds * 2)
                self._trip(now)
            case Circuit.HALF_OPEN:
                self._probed += 1
                if self._probed >= self._terms.probes:
                    self._open_until = None
                    self._open_seconds = self._terms.open_seconds
            case _:
                pass  # of before it tripped

    def _count(self, now: float, fault: bool) -> None:
        second = int(now)
        _, answers, faults = self._seconds.pop() if self._seconds and self._seconds[-1][0] == second else (0, 0, 0)
        self._seconds.append((second, answers + 1, faults + fault))
        self._answers += 1
        self._faults += fault
        while self._seconds[0][0] <= second - self._terms.window_seconds:
            _, answers, faults = self._seconds.popleft()
            self._answers -= answers
            self._faults -= faults

    def _trip(self, now: float) -> None:
        self.trips += 1
        self._open_until = now + self._open_seconds
        self._probed = self._answers = self._faults = 0
        self._seconds.clear()
