"""The sessions of one login on this bridge that take deliver_sm: in turn, and each at its own pace."""

from collections.abc import Iterator
from typing import Final

from smpp_bridge.customers.application import BoundSession
from smpp_bridge.gateways.backoff import Backoff

_PAUSES_SECONDS: Final = (0.5, 30.0)  # after a refusal that says "not now": doubled each time, until something is taken


class Receiver:
    """A session, and what of ours it has under way."""

    __slots__ = ("_backoff", "_paused_until", "bound", "in_flight")

    def __init__(self, bound: BoundSession) -> None:
        self.bound = bound
        self.in_flight = 0  # deliver_sm that wait for their answer
        self._paused_until = 0.0
        self._backoff = Backoff(*_PAUSES_SECONDS, least_share=0.5)

    def has_room(self, now: float) -> bool:
        """Whether it takes one now. With nothing under way it does: no answer would ever call again."""
        if now < self._paused_until or not self.bound.can_receive:
            return False
        return self.in_flight == 0 or self.bound.free_window > 0

    def pause(self, now: float) -> float | None:
        """Hold it back for longer than the last time; the seconds. None where it is held back already."""
        if now < self._paused_until:
            return None
        seconds = self._backoff.next()
        self._paused_until = now + seconds
        return seconds

    def well(self) -> None:
        """It has taken something."""
        self._backoff.reset()


class Receivers:
    """Falsy where there are none."""

    def __init__(self) -> None:
        self._all: dict[BoundSession, Receiver] = {}
        self._turn = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Receiver]:
        return iter(self._all.values())

    def add(self, bound: BoundSession) -> None:
        self._all[bound] = Receiver(bound)

    def remove(self, bound: BoundSession) -> None:
        self._all.pop(bound, None)

    def next(self, now: float) -> Receiver | None:
        """The next in turn that has room; None where none has."""
        count = len(self._all)
        if count == 1:  # the usual case, thousands of times a second
            (only,) = self._all.values()
            return only if only.has_room(now) else None
        waiting = list(self._all.values())
        for step in range(count):
            receiver = waiting[(self._turn + step) % count]
            if receiver.has_room(now):
                self._turn = (self._turn + step + 1) % count
                return receiver
        return None
