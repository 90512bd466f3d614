"""The pauses of sessions that the SMSC throttles: ever longer ones, until something goes through again."""

from typing import Final

from smpp_bridge.gateways.backoff import Backoff
from smpp_bridge.gateways.link import Link

_PAUSE_SECONDS: Final = (1.0, 30.0)  # the first, the longest (FACTS, 0x58)


class Pauses:
    """Of one gateway's sessions. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._backoffs: dict[str, Backoff] = {}  # by the link's name

    @property
    def any(self) -> bool:
        """Whether a session has been paused since something last went through it."""
        return bool(self._backoffs)

    def pause(self, link: Link, now: float) -> bool:
        """Hold the session back, once for all the refusals that come of one window. False: it is already."""
        if now < link.paused_until:
            return False
        if link.name not in self._backoffs:
            self._backoffs[link.name] = Backoff(*_PAUSE_SECONDS, least_share=0.5)
        link.paused_until = now + self._backoffs[link.name].next()
        return True

    def forget(self, link: Link, now: float) -> None:
        """Something went through: the next pause is a first one, once this one is over."""
        if now >= link.paused_until:
            self._backoffs.pop(link.name, None)
