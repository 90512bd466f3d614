"""Whether a gateway's messages are submitted here, wait here, or go on to the next gateway."""

import math
from collections.abc import Callable
from typing import Final

from chalicelib.domain.facts import ErrorInfo
from smpp_bridge.gateways.breaker import Breaker, BreakerTerms, Circuit
from smpp_bridge.gateways.clock import Clock

PAUSED: Final = ErrorInfo(code="gateway_paused", title="The gateway is paused.")
UNBOUND: Final = ErrorInfo(code="gateway_unbound", title="The gateway has had no session for a while.")
CIRCUIT_OPEN: Final = ErrorInfo(code="circuit_open", title="The gateway has failed too often of late.")


class Standing:
    """`bound`: has this bridge a session; `bound_elsewhere`: another one; `sure`: are our leases certainly ours."""

    def __init__(
        self,
        clock: Clock,
        *,
        breaker: BreakerTerms | None = None,
        absent_seconds: float = math.inf,
        unbound_seconds: float = math.inf,
        bound: Callable[[], bool] = lambda: True,
        bound_elsewhere: Callable[[], bool] = lambda: False,
        sure: Callable[[], bool] = lambda: True,
    ) -> None:
        self.paused = False  # by the administrator
        self.breaker = Breaker(breaker)
        self._clock = clock
        self._absent_seconds = min(absent_seconds, unbound_seconds)
        self._unbound_seconds = unbound_seconds
        self._bound = bound
        self._bound_elsewhere = bound_elsewhere
        self._sure = sure
        self._bound_at = self._bound_anywhere_at = clock.monotonic()

    def look(self) -> None:
        """Note whether there is a session. Called every second or so."""
        now = self._clock.monotonic()
        if self._bound():
            self._bound_at = self._bound_anywhere_at = now
        elif self._bound_elsewhere():
            self._bound_anywhere_at = now

    def begin(self) -> None:
        """Sessions are about to be opened: from now on their absence counts."""
        self._bound_at = self._bound_anywhere_at = self._clock.monotonic()

    @property
    def circuit(self) -> Circuit:
        """The breaker's."""
        return self.breaker.circuit(self._clock.monotonic())

    @property
    def why_elsewhere(self) -> ErrorInfo | None:
        """Why messages that another gateway would take go there; None: they do not."""
        now = self._clock.monotonic()
        if self.paused:
            return PAUSED
        if not self._bound() and now - self._bound_anywhere_at > self._unbound_seconds:
            return UNBOUND
        return CIRCUIT_OPEN if self.circuit is Circuit.OPEN else None

    @property
    def rests(self) -> bool:
        """Whether nothing is submitted for long: what waits had better be where it can be canceled."""
        return self.why_elsewhere in (PAUSED, UNBOUND)

    @property
    def stranded(self) -> bool:
        """Another bridge has sessions, and this one has had none for a while."""
        lost = self._clock.monotonic() - self._bound_at > self._absent_seconds
        return lost and not self._bound() and self._bound_elsewhere()

    @property
    def takes(self) -> bool:
        """Whether messages are taken from the queue, be it only to hand them on, or to end them when it is time.

        Of a gateway that no bridge has a session of, they wait here, unclaimed: who else would see that one expires?
        """
        if not self._sure() or self.stranded:
            return False
        return self._bound() or self._is_unwatched or self.why_elsewhere is not None

    @property
    def _is_unwatched(self) -> bool:
        return self._clock.monotonic() - self._bound_anywhere_at > self._absent_seconds

    @property
    def claims(self) -> bool:
        """Whether messages are claimed in order to be submitted."""
        return self._bound() and self.allowance(0) > 0

    @property
    def hands_on(self) -> bool:
        """Whether they may be claimed in order to be handed on or ended."""
        return self._sure()

    def allowance(self, in_flight: int) -> int:
        """How many submits may be sent now."""
        if self.paused or not self._sure():
            return 0
        return self.breaker.allowance(self._clock.monotonic(), in_flight)

    def note(self, *, fault: bool) -> None:
        """The SMSC answered, or did not in time; a fault is its own, not the message's."""
        self.breaker.note(self._clock.monotonic(), fault=fault)
