"""How long a session waits for what (SMPP 3.4 section 7.2), and what of it is due when."""

from collections.abc import Iterator
from enum import Enum

from msgspec import Struct

from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.operations import BOUND_STATES, State
from smpp_bridge.protocol.own import OwnRequests
from smpp_bridge.protocol.window import Window


class Timers(Struct, frozen=True):
    """None switches a timer off."""

    session_init_seconds: float | None = 10.0  # from the connection to the bind
    enquire_link_seconds: float | None = 30.0  # of silence from the peer until it is asked
    inactivity_seconds: float | None = None  # without a message either way until we unbind
    response_seconds: float = 60.0


class Due(Enum):
    """What a timer that runs out asks for."""

    OWN_ANSWER = "the peer owes the answer to our bind, enquiry or unbind"
    ANSWER = "the peer owes the answer to a request in the window"
    BIND = "the peer has not bound"
    ENQUIRY = "the peer has been silent: ask whether it is there"
    INACTIVITY = "no message has gone either way: unbind"


class Watch:
    """When what was last heard of the peer. Times in seconds of the session's clock."""

    __slots__ = ("last_active", "last_heard", "opened_at")

    def __init__(self, now: float) -> None:
        self.opened_at = self.last_heard = self.last_active = now

    def deadlines(
        self, timers: Timers, state: State, own: OwnRequests, window: Window, *, leaving: bool
    ) -> Iterator[tuple[float, Due]]:
        """What will be due, and when, if nothing happens before."""
        if state is State.CLOSED:
            return
        if own:
            yield own.oldest()[1] + timers.response_seconds, Due.OWN_ANSWER
        oldest = window.oldest_sent_at()
        if oldest is not None:
            yield oldest + timers.response_seconds, Due.ANSWER
        if state is State.OPEN and not own and timers.session_init_seconds is not None:
            yield self.opened_at + timers.session_init_seconds, Due.BIND
        if state in BOUND_STATES and not leaving:
            if timers.enquire_link_seconds is not None and CommandId.ENQUIRE_LINK_RESP not in own:
                yield self.last_heard + timers.enquire_link_seconds, Due.ENQUIRY
            if timers.inactivity_seconds is not None:
                yield self.last_active + timers.inactivity_seconds, Due.INACTIVITY
