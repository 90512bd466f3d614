"""What a process remembers for a few seconds, so that hot paths need not read it for each message."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MAX_REMEMBERED: Final = 10_000  # then it starts anew: a process rarely meets as many accounts in a few seconds
_all: Final[list["Cached[object, object]"]] = []


class Cached(Generic[K, V]):
    """A reader with a memory. What is not there is not remembered, so that the new is seen at once."""

    def __init__(self, read: Callable[[K], V | None], seconds: Callable[[], float]) -> None:
        self._read = read
        self._seconds = seconds
        self._held: dict[K, tuple[V, int]] = {}
        _all.append(self)  # type: ignore[arg-type]  # only to be forgotten; its types do not matter there

    def get(self, key: K, now_ms: int) -> V | None:
        """The value, at most `seconds` old by the caller's clock."""
        held = self._held.get(key)
        if held is not None and 0 <= now_ms - held[1] < self._seconds() * 1000:
            return held[0]
        value = self._read(key)
        if value is None:
            self._held.pop(key, None)
            return None
        if len(self._held) >= MAX_REMEMBERED:
            self._held.clear()
        self._held[key] = (value, now_ms)
        return value

    def forget(self, key: K) -> None:
        """Read it anew next time: called where this process changed it."""
        self._held.pop(key, None)

    def forget_all(self) -> None:
        self._held.clear()


def forget_all() -> None:
    """Empty every memory, as tests do between worlds."""
    for cached in _all:
        cached.forget_all()
