"""How far a customer is read: no more requests at once than its window, no more PDUs a tick than its rate is worth."""

from typing import Final

from chalicelib.domain.smpp_login import SmppLogin
from smpp_bridge.customers.shared import TICK_SECONDS
from smpp_bridge.protocol.session import Session

# PDUs a tick beyond which a session is not read until the next: some times the login's rate, for enquiries, queries
# and what is throttled.
_LEAST_PDUS: Final = 100
_PDUS_BY_RATE: Final = 4.0


class Flow:
    """Of one session. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._pdus_before = 0  # read until the last tick, answers aside
        self._full_since: float | None = None  # the window is full, and nothing was answered since then
        self.held = False  # not read any further for now

    def room(self, login: SmppLogin | None, session: Session) -> int:
        """How many requests may wait for their answers; 0 takes nothing more from the customer, answers included."""
        if login is None:
            return 1  # the bind, whose answer all else waits for
        share = max(_LEAST_PDUS, int(_PDUS_BY_RATE * login.per_second * TICK_SECONDS))
        return login.window if session.pdus_read - self._pdus_before < share else 0

    def settle(self, session: Session, now: float) -> bool:
        """After a turn: whether the customer is held from now on and was not before."""
        if not 0 < session.max_requests <= session.requests_waiting:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
        before, self.held = self.held, session.has_arrivals or session.requests_waiting >= session.max_requests
        return self.held and not before

    def tick(self, session: Session) -> None:
        """The next portion may be read."""
        self._pdus_before = session.pdus_read

    def heard_answer(self) -> None:
        """The customer answered us: what we asked for counts for nothing."""
        self._pdus_before += 1

    def answered(self) -> None:
        """A request of the customer's was."""
        self._full_since = None

    def full_seconds(self, now: float) -> float:
        """For how long the window has been full without any answer."""
        return 0.0 if self._full_since is None else now - self._full_since
