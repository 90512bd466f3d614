"""Optional parameters (SMPP 3.4 sections 3.2.4 and 5.3.2): the tags that Chasqui reads, and their octets both ways.

A PDU keeps all of them, known or not, as (tag, octets) in their order; the descriptors here read the known ones.
"""

import struct
from enum import IntEnum
from typing import Any, Final, overload

from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.status import Status

Tlv = tuple[int, bytes]

_HEAD = struct.Struct(">HH")


class Tag(IntEnum):
    """Tags with a meaning here. The octets of any other tag are passed through untouched."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


# Octets of the value: fewest, most. receipted_message_id ought to end in NUL; SMSCs that leave it off are common.
LENGTHS: Final[dict[int, tuple[int, int]]] = {
    Tag.RECEIPTED_MESSAGE_ID: (1, 65),
    Tag.USER_MESSAGE_REFERENCE: (2, 2),
    Tag.SOURCE_PORT: (2, 2),
    Tag.DESTINATION_PORT: (2, 2),
    Tag.SAR_MSG_REF_NUM: (2, 2),
    Tag.SAR_TOTAL_SEGMENTS: (1, 1),
    Tag.SAR_SEGMENT_SEQNUM: (1, 1),
    Tag.SC_INTERFACE_VERSION: (1, 1),
    Tag.NETWORK_ERROR_CODE: (3, 3),
    Tag.MESSAGE_PAYLOAD: (0, 0xFFFF),
    Tag.MESSAGE_STATE: (1, 1),
}
_ANY_LENGTH: Final = (0, 0xFFFF)


def read_tlvs(frame: bytes, position: int) -> tuple[Tlv, ...]:
    """All optional parameters from `position` to the end of the PDU; ProtocolError if they do not end with it."""
    found: list[Tlv] = []
    end = len(frame)
    while position < end:
        if end - position < 4:
            raise ProtocolError(Status.INVALID_OPTIONAL_PART, f"{end - position} octets behind the last parameter")
        tag, length = _HEAD.unpack_from(frame, position)
        start = position + 4
        position = start + length
        if position > end:
            raise ProtocolError(Status.INVALID_OPTIONAL_PART, f"parameter 0x{tag:04X} runs past the PDU")
        bounds = LENGTHS.get(tag)
        if bounds is not None and not bounds[0] <= length <= bounds[1]:
            raise _wrong_length(tag, length, bounds)
        found.append((tag, frame[start:position]))
    return tuple(found)


def write_tlvs(tlvs: tuple[Tlv, ...]) -> bytes:
    """The octets of the optional parameters, in the order given; ProtocolError for a value of a wrong length."""
    written: list[bytes] = []
    for tag, value in tlvs:
        bounds = LENGTHS.get(tag, _ANY_LENGTH)
        if not bounds[0] <= len(value) <= bounds[1]:
            raise _wrong_length(tag, len(value), bounds)
        try:
            written.append(_HEAD.pack(tag, len(value)) + value)
        except struct.error:
            raise ProtocolError(Status.INVALID_OPTIONAL_PART, f"{tag} is no parameter tag") from None
    return b"".join(written)


def _wrong_length(tag: int, length: int, bounds: tuple[int, int]) -> ProtocolError:
    return ProtocolError(
        Status.INVALID_PARAMETER_LENGTH, f"parameter 0x{tag:04X} has {length} octets, not {bounds[0]}..{bounds[1]}"
    )


def segment_tlvs(reference: int, total: int, number: int) -> tuple[Tlv, ...]:
    """The three SAR parameters (sections 5.3.2.22 to 24): reference 0..0xFFFF, segment `number` of `total`, from 1."""
    if not (0 <= reference <= 0xFFFF and 1 <= number <= total <= 0xFF):
        raise ProtocolError(Status.INVALID_PARAMETER_VALUE, f"segment {number}/{total} of reference {reference}")
    return (
        (Tag.SAR_MSG_REF_NUM, reference.to_bytes(2)),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
    )


def receipt_tlvs(message_id: str, message_state: int, network_error: bytes | None = None) -> tuple[Tlv, ...]:
    """A delivery receipt's parameters: the id, its final state (section 5.2.28), network type and error (3 octets)."""
    tlvs: tuple[Tlv, ...] = (
        (Tag.RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0"),
        (Tag.MESSAGE_STATE, bytes((message_state,))),
    )
    return tlvs if network_error is None else (*tlvs, (Tag.NETWORK_ERROR_CODE, network_error))


class _Parameter:
    """Reads one tag out of a PDU's `tlvs`; the first one if the peer sent it twice."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag

    def octets(self, pdu: Any) -> bytes | None:
        for tag, value in pdu.tlvs:
            if tag == self.tag:
                return bytes(value)
        return None


class OctetsParameter(_Parameter):
    @overload
    def __get__(self, pdu: None, owner: type) -> "OctetsParameter": ...
    @overload
    def __get__(self, pdu: object, owner: type) -> bytes | None: ...
    def __get__(self, pdu: object, owner: type) -> "OctetsParameter | bytes | None":
        return self if pdu is None else self.octets(pdu)


class IntegerParameter(_Parameter):
    @overload
    def __get__(self, pdu: None, owner: type) -> "IntegerParameter": ...
    @overload
    def __get__(self, pdu: object, owner: type) -> int | None: ...
    def __get__(self, pdu: object, owner: type) -> "IntegerParameter | int | None":
        if pdu is None:
            return self
        octets = self.octets(pdu)
        return None if octets is None else int.from_bytes(octets)


class TextParameter(_Parameter):
    @overload
    def __get__(self, pdu: None, owner: type) -> "TextParameter": ...
    @overload
    def __get__(self, pdu: object, owner: type) -> str | None: ...
    def __get__(self, pdu: object, owner: type) -> "TextParameter | str | None":
        if pdu is None:
            return self
        octets = self.octets(pdu)
        return None if octets is None else octets.partition(b"\0")[0].decode("latin-1")
