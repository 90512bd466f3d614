"""How far each of a run's messages is known to have got: what is said twice, or of one that has moved on, counts once.

What a step learned is kept as the numbers of its messages by mark, and the numbers as spans: the gap to a span's first
number and how many follow without one, in turns. [3, 2, 1, 1] is 3, 4 and 6.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from chalicelib.domain.job import Tally
from chalicelib.domain.status import FINAL, RANK, Status

CHARGED: Final = "charged"  # for a gateway
SUBMITTED: Final = "submitted"
LEFT: Final = "left"  # submitted, or waiting at no gateway any more
_FLAGS: Final = {CHARGED: 8, SUBMITTED: 16, LEFT: 32}
_ENDS: Final = (None, *sorted(FINAL, key=RANK.__getitem__))  # an end's place is its level: the higher one stands
_LEVEL: Final = 7  # the bits of it
_VALUES: Final = 64


def _raised(mark: str) -> bytes:
    """What each value of a message becomes by the mark, as bytes.translate wants it."""
    flag, level = _FLAGS.get(mark, 0), 0 if mark in _FLAGS else _ENDS.index(Status(mark))
    return bytes(
        value & ~_LEVEL | flag | max(value & _LEVEL, level) if value < _VALUES else value for value in range(256)
    )


_RAISED: Final = {mark: _raised(mark) for mark in (*_FLAGS, *FINAL)}


def spans(numbers: Iterable[int]) -> list[int]:
    """The numbers, from 0, in any order, as spans."""
    told: list[int] = []
    end = 0
    for number in sorted(set(numbers)):
        if told and number == end:
            told[-1] += 1
        else:
            told += (number - end, 1)
        end = number + 1
    return told


class Marks:
    """The marks of one run's messages, a byte each. Adding what was added changes nothing, in whatever order."""

    def __init__(self) -> None:
        self._values = bytearray()

    def add(self, mark: str, told: Sequence[int]) -> None:
        """The messages of these spans have the mark: CHARGED, SUBMITTED, LEFT or an end's status."""
        raised, values = _RAISED[mark], self._values
        for first, end in _ranges(told):
            if end > len(values):
                values.extend(bytes(end - len(values)))
            values[first:end] = values[first:end].translate(raised)

    def tally(self) -> Tally:
        """How many have which."""
        counts = {value: count for value in range(1, _VALUES) if (count := self._values.count(value))}
        ends: dict[Status, int] = {}
        for value, count in counts.items():
            end = _ENDS[value & _LEVEL]
            if end is not None:
                ends[end] = ends.get(end, 0) + count
        return Tally(
            charged=_sum(counts, _FLAGS[CHARGED]),
            submitted=_sum(counts, _FLAGS[SUBMITTED]),
            left=_sum(counts, _FLAGS[LEFT]),
            ends=ends,
        )


def _ranges(told: Sequence[int]) -> Iterator[tuple[int, int]]:
    at = 0
    for gap, length in zip(told[::2], told[1::2], strict=True):
        first, at = at + gap, at + gap + length
        yield first, at


def _sum(counts: dict[int, int], flag: int) -> int:
    return sum(count for value, count in counts.items() if value & flag)
