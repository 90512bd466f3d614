"""How long a session waits for what (SMPP 3.4 section 7.2)."""

from msgspec import Struct


class Timers(Struct, frozen=True):
    """None switches a timer off."""

    session_init_seconds: float | None = 10.0  # from the connection to the bind
    enquire_link_seconds: float | None = 30.0  # of silence from the peer until it is asked
    inactivity_seconds: float | None = None  # without a message either way until we unbind
    response_seconds: float = 60.0
