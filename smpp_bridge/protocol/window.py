"""The requests that wait for their response: numbered, counted, and given up in the order in which they were sent."""

from typing import Any, Final

FIRST_SEQUENCE: Final = 1
LAST_SEQUENCE: Final = 0x7FFFFFFF  # section 3.2: 0x00000001 to 0x7FFFFFFF

Waiting = tuple[int, float, Any]  # command_id of the response, when it was sent (seconds), context


class Window:
    """At most `size` requests at a time. The response timeout is one for all, so the oldest is the next to expire."""

    __slots__ = ("_last_sequence", "size", "waiting")

    def __init__(self, size: int, first_sequence: int = FIRST_SEQUENCE) -> None:
        self.size = size
        self.waiting: dict[int, Waiting] = {}
        self._last_sequence = first_sequence - 1

    @property
    def free(self) -> int:
        return max(0, self.size - len(self.waiting))

    def next_sequence(self) -> int:
        """The next number, from 1 again after 0x7FFFFFFF, leaving out those still waiting."""
        sequence = self._last_sequence
        while True:
            sequence = sequence + 1 if sequence < LAST_SEQUENCE else FIRST_SEQUENCE
            if sequence not in self.waiting:
                self._last_sequence = sequence
                return sequence

    def oldest_sent_at(self) -> float | None:
        for _, sent_at, _ in self.waiting.values():
            return sent_at
        return None

    def give_up(self, now: float, timeout_seconds: float) -> list[Any]:
        """Forget what has waited for `timeout_seconds` or longer; the contexts, oldest first."""
        late: list[int] = []
        for sequence, (_, sent_at, _) in self.waiting.items():
            if sent_at + timeout_seconds > now:
                break
            late.append(sequence)
        return [self.waiting.pop(sequence)[2] for sequence in late]
