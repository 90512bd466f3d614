"""How a message becomes parts on the wire, in the form that its gateway takes (docs/decisions/0001)."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.domain.content import Segment
from chalicelib.domain.headers import USER_DATA_OCTETS, room_beside, units, write_header
from chalicelib.domain.rules import LongMessageForm
from chalicelib.domain.text import (
    COUNTED,
    MAX_PARTS,
    BadText,
    Encoding,
    Room,
    encode,
    segment,
    split,
    split_binary,
)

# A header with a 16-bit reference takes 7 octets of the 140: a septet, a UTF-16 unit, an octet less than is counted.
WIDE_REFERENCE: Final[Mapping[Encoding, Room]] = {
    encoding: Room(room.alone, room.joined - 1) for encoding, room in COUNTED.items()
}
# What short_message holds of a message of one part, in octets: 160 unpacked septets, or 140.
_ALONE_OCTETS: Final[Mapping[Encoding, int]] = {Encoding.GSM7: 160, Encoding.UCS2: 140, Encoding.BINARY: 140}
_HEADER_8: Final = bytes((5, 0x00, 3))  # 3GPP TS 23.040, 9.2.3.24.1: then reference, total, number
_HEADER_16: Final = bytes((6, 0x08, 4))  # 9.2.3.24.8: then reference in two octets, total, number


class Part(msgspec.Struct, frozen=True, gc=False):
    """One submit_sm: its octets, and how it says that it is one of several."""

    octets: bytes  # the user data header included, where there is one
    number: int = 1
    total: int = 1
    esm_class_udhi: bool = False  # set bit 0x40 of esm_class
    sar: tuple[int, int, int] | None = None  # sar_msg_ref_num, sar_total_segments, sar_segment_seqnum
    payload: bool = False  # send the octets as message_payload, short_message empty


def concatenate(
    content: str | bytes,
    encoding: Encoding,
    form: LongMessageForm,
    reference: int,
    *,
    udh: bytes = b"",
    part: Segment | None = None,
) -> tuple[Part, ...]:
    """The parts of a message; as many as `segment` counts, or one with message_payload.

    `content` is text for GSM7 and UCS2, data for BINARY; `reference` has 16 bits (`reference_of`). With elements of the
    customer's own (`udh`), or as one `part` of what the customer cut, they are as many as `parts_taken` counts, and
    `content` may be octets in any encoding. Raises BadText.
    """
    octets = content if isinstance(content, bytes) else encode(content, encoding)
    if part is not None and _fits(octets, encoding, write_header(udh, part)):
        return (_lone(octets, form, udh, part),)
    if udh:
        return _beside(content, encoding, udh, reference)
    if len(octets) <= _ALONE_OCTETS[encoding]:
        return (Part(octets),)
    if form == "payload":
        return (Part(octets, payload=True),)
    counted = _counted(content, encoding)
    match form:
        case "sar":  # the SMSC makes the header out of the TLVs, so a part leaves room for it
            total = len(counted)
            return tuple(
                Part(piece, number, total, sar=(reference, total, number)) for number, piece in enumerate(counted, 1)
            )
        case "udh":
            wide = _with_room(content, encoding, WIDE_REFERENCE[encoding])
            if len(wide) == len(counted):
                return _headed(wide, _HEADER_16 + reference.to_bytes(2, "big"))
            return _headed(counted, _HEADER_8 + bytes((reference & 0xFF,)))
        case "udh8":
            return _headed(counted, _HEADER_8 + bytes((reference & 0xFF,)))


def parts_taken(content: str | bytes, encoding: Encoding, udh: bytes, part: Segment | None = None) -> int:
    """How many parts a message takes that has elements of the customer's own, or is a part that the customer cut.

    A part that leaves no room for its header goes as a message of its own. Raises BadText.
    """
    octets = content if isinstance(content, bytes) else encode(content, encoding)
    if part is not None and _fits(octets, encoding, write_header(udh, part)):
        return 1
    room = room_beside(encoding, udh) if udh else COUNTED[encoding]
    return len(_bounded(_with_room(content, encoding, room)))


def reference_of(message_id: str) -> int:
    """A message's 16-bit reference, always the same, so that a replay makes the same PDUs."""
    checksum = zlib.crc32(message_id.encode())
    return (checksum ^ checksum >> 16) & 0xFFFF


def _counted(content: str | bytes, encoding: Encoding) -> Sequence[bytes]:
    if isinstance(content, bytes):
        return _bounded(_with_room(content, encoding, COUNTED[encoding]))
    return [encode(part, encoding) for part in segment(content, encoding).parts]


def _with_room(content: str | bytes, encoding: Encoding, room: Room) -> Sequence[bytes]:
    if isinstance(content, bytes):
        octets = 2 if encoding is Encoding.UCS2 else 1
        return split_binary(content, Room(room.alone * octets, room.joined * octets))
    return [encode(part, encoding) for part in split(content, encoding, room)]


def _bounded(pieces: Sequence[bytes]) -> Sequence[bytes]:
    if len(pieces) > MAX_PARTS:
        raise BadText("text_too_long", f"it takes more than {MAX_PARTS} parts")
    return pieces


def _fits(octets: bytes, encoding: Encoding, header: bytes) -> bool:
    taken = len(octets) // 2 if encoding is Encoding.UCS2 else len(octets)
    return taken <= units(encoding, USER_DATA_OCTETS - len(header))


def _lone(octets: bytes, form: LongMessageForm, udh: bytes, part: Segment) -> Part:
    if form == "sar" and not udh:
        return Part(octets, sar=(part.reference, part.total, part.number))
    return Part(write_header(udh, part) + octets, esm_class_udhi=True)


def _beside(content: str | bytes, encoding: Encoding, udh: bytes, reference: int) -> tuple[Part, ...]:
    """Always with headers, whatever the gateway's form: TLVs beside a header mean something else to each SMSC."""
    pieces = _bounded(_with_room(content, encoding, room_beside(encoding, udh)))
    total = len(pieces)
    if total == 1:
        return (Part(write_header(udh) + pieces[0], esm_class_udhi=True),)
    headers = (write_header(udh, Segment(reference & 0xFF, total, number)) for number in range(1, total + 1))
    return tuple(
        Part(header + piece, number, total, esm_class_udhi=True)
        for number, (header, piece) in enumerate(zip(headers, pieces, strict=True), 1)
    )


def _headed(pieces: Sequence[bytes], header: bytes) -> tuple[Part, ...]:
    total = len(pieces)
    return tuple(
        Part(header + bytes((total, number)) + piece, number, total, esm_class_udhi=True)
        for number, piece in enumerate(pieces, 1)
    )
