"""User data headers (3GPP TS 23.040, 9.2.3.24): what a message's octets begin with where esm_class says so."""

from collections.abc import Iterator
from typing import Final

import msgspec

from chalicelib.domain.message import Segment

UDHI: Final = 0x40  # of esm_class (SMPP 3.4, 5.2.12)
_CONCATENATED_8: Final = 0x00  # 9.2.3.24.1
_CONCATENATED_16: Final = 0x08  # 9.2.3.24.8


class BadHeader(ValueError):
    """The octets are no user data header."""


class UserData(msgspec.Struct, frozen=True):
    """A message's octets without their header; the other elements of which are kept as they were."""

    octets: bytes
    segment: Segment | None = None
    elements: bytes = b""


def read(octets: bytes) -> UserData:
    """What stands behind the header, and which part of what message it is. Raises BadHeader.

    A part beyond its total, or of none, is no part: the element is passed over (9.2.3.24.1).
    """
    if not octets or 1 + octets[0] > len(octets):
        raise BadHeader("the header is longer than the message")
    segment: Segment | None = None
    others = b""
    for identifier, value in _elements(octets[1 : 1 + octets[0]]):
        found = _segment(identifier, value)
        if found is None:
            others += bytes((identifier, len(value))) + value
        elif 1 <= found.number <= found.total:
            segment = found  # of several the last counts (9.2.3.24)
    return UserData(octets[1 + octets[0] :], segment, others)


def _elements(header: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(header):
        if position + 2 > len(header) or position + 2 + header[position + 1] > len(header):
            raise BadHeader("an element is longer than the header")
        end = position + 2 + header[position + 1]
        yield header[position], header[position + 2 : end]
        position = end


def _segment(identifier: int, value: bytes) -> Segment | None:
    if identifier == _CONCATENATED_8 and len(value) == 3:
        return Segment(value[0], value[1], value[2])
    if identifier == _CONCATENATED_16 and len(value) == 4:
        return Segment(int.from_bytes(value[:2], "big"), value[2], value[3])
    return None
