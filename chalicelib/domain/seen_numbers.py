"""Which numbers have been seen, exactly, in little memory: a table of 64-bit integers, open addressing.

An E.164 number is an integer of at most 15 digits and fits into 64 bits as it is: no digest, no collision that counts.
A million of them take 16 MB here, where a Python set of strings takes some 130; what is kept of a few is as small.
"""

from array import array
from typing import Final

_MIX: Final = 0x9E3779B97F4A7C15  # 2^64 / the golden ratio: spreads neighbours
_MASK: Final = 2**64 - 1
_LEAST_BITS: Final = 10


class SeenNumbers:
    """At a load of at most a half: then it doubles."""

    def __init__(self, kept: bytes = b"") -> None:
        self._slots = array("Q", kept or bytes(8 << _LEAST_BITS))
        if len(self._slots) & (len(self._slots) - 1):
            raise ValueError("what was kept is no whole table")
        self._room = self._slots.count(0) - len(self._slots) // 2

    def add(self, number: str) -> bool:
        """Whether the number (E.164) is new."""
        key = int(number)
        at = self._place_of(key)
        if self._slots[at]:
            return False
        self._slots[at] = key
        self._room -= 1
        if not self._room:
            self._double()
        return True

    def keep(self) -> bytes:
        """What to make the same one of."""
        return self._slots.tobytes()

    def _place_of(self, key: int) -> int:
        """Where it is, or goes."""
        slots, mask = self._slots, len(self._slots) - 1
        at = (key * _MIX & _MASK) >> (64 - mask.bit_length())
        while (held := slots[at]) and held != key:
            at = (at + 1) & mask
        return at

    def _double(self) -> None:
        held, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
        for key in filter(None, held):
            self._slots[self._place_of(key)] = key
        self._room = len(held) // 2
