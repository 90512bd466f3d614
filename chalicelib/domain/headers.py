"""User data headers (3GPP TS 23.040, 9.2.3.24): elements that come before a message's text, and the room they leave."""

from typing import Final

import msgspec

from chalicelib.domain.content import Segment
from chalicelib.domain.text import Encoding, Room

USER_DATA_OCTETS: Final = 140
MAX_ELEMENTS: Final = 100  # octets of a customer's own elements: more leaves a part hardly any room
_CONCATENATION: Final = {0x00: 3, 0x08: 4}  # element: octets of its value; the last two are total and number
_CONCATENATION_OCTETS: Final = 5  # of an element with a reference of 8 bits


class BadHeader(ValueError):
    """The octets are no user data header, or one that cannot be sent."""


class Header(msgspec.Struct, frozen=True):
    """A user data header: the elements but for concatenation, without the length octet; and which part it is."""

    elements: bytes
    segment: Segment | None


def read_header(user_data: bytes) -> tuple[Header, bytes]:
    """The header that the user data begin with, and what comes behind it. Raises BadHeader.

    A message that says it has one part is none of several. Of two concatenations the last one counts (9.2.3.24).
    """
    end = 1 + user_data[0] if user_data else 0
    if not 1 <= end <= len(user_data):
        raise BadHeader("the user data header is longer than the message")
    elements, segment, at = b"", None, 1
    while at < end:
        if end - at < 2 or at + 2 + user_data[at + 1] > end:
            raise BadHeader("an element of the user data header runs past it")
        element, length = user_data[at], user_data[at + 1]
        value = user_data[at + 2 : at + 2 + length]
        if _CONCATENATION.get(element) == length:
            segment = _segment(value)
        else:
            elements += user_data[at : at + 2 + length]
        at += 2 + length
    if len(elements) > MAX_ELEMENTS:
        raise BadHeader(f"a user data header has at most {MAX_ELEMENTS} octets beside concatenation")
    return Header(elements, segment), user_data[end:]


def checked_segment(reference: int, total: int, number: int) -> Segment | None:
    """Which part of a message it is; None where it is all of it. Raises BadHeader."""
    if not 1 <= number <= total:
        raise BadHeader(f"there is no part {number} of {total}")
    return None if total == 1 else Segment(reference, total, number)


def write_header(elements: bytes, segment: Segment | None = None) -> bytes:
    """The header with its length octet; a reference of 16 bits where it needs them."""
    if segment is not None:
        counts = bytes((segment.total, segment.number))
        if segment.reference > 0xFF:
            elements = b"\x08\x04" + segment.reference.to_bytes(2, "big") + counts + elements
        else:
            elements = b"\x00\x03" + bytes((segment.reference,)) + counts + elements
    return bytes((len(elements),)) + elements


def room_beside(encoding: Encoding, elements: bytes) -> Room:
    """What a message with these elements holds alone, and a part of several, in the encoding's units."""
    left = USER_DATA_OCTETS - 1 - len(elements)
    return Room(units(encoding, left), units(encoding, left - _CONCATENATION_OCTETS))


def units(encoding: Encoding, octets: int) -> int:
    """How many septets, UTF-16 units or octets fit."""
    match encoding:
        case Encoding.GSM7:
            return octets * 8 // 7
        case Encoding.UCS2:
            return octets // 2
        case Encoding.BINARY:
            return octets


def _segment(value: bytes) -> Segment | None:
    return checked_segment(int.from_bytes(value[:-2], "big"), value[-2], value[-1])
