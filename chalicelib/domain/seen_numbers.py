"""Which numbers have been seen, exactly, in a memory of fixed size: a table of 64-bit integers, open addressing.

An E.164 number is an integer of at most 15 digits and fits into 64 bits as it is: no digest, no collision that counts.
A million of them take 16 MB here, where a Python set of strings takes some 130.
"""

from array import array
from typing import Final

_MIX: Final = 0x9E3779B97F4A7C15  # 2^64 / the golden ratio: spreads neighbours
_MASK: Final = 2**64 - 1
_LEAST_BITS: Final = 10


class SeenNumbers:
    """Room for at most `most` numbers, at a load of a half."""

    def __init__(self, most: int, kept: bytes = b"") -> None:
        self._bits = max(_LEAST_BITS, (2 * most - 1).bit_length())
        self._slots = array("Q", kept) if kept else array("Q", bytes(8 << self._bits))
        if len(self._slots) != 1 << self._bits:
            raise ValueError("what was kept is of another size")

    def add(self, number: str) -> bool:
        """Whether the number (E.164) is new."""
        key = int(number)
        slots, mask = self._slots, (1 << self._bits) - 1
        at = (key * _MIX & _MASK) >> (64 - self._bits)
        while held := slots[at]:
            if held == key:
                return False
            at = (at + 1) & mask
        slots[at] = key
        return True

    def keep(self) -> bytes:
        """What to make the same one of."""
        return self._slots.tobytes()
