"""Octets of a PDU and back, strictly: what does not follow its table raises ProtocolError, and nothing else does."""

import struct
from typing import Final

from smpp_bridge.protocol.base import Body, Pdu
from smpp_bridge.protocol.commands import RESPONSE_BIT
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.framing import HEADER_OCTETS, MAX_PDU_OCTETS
from smpp_bridge.protocol.hot import FAST_DECODERS, FAST_ENCODERS
from smpp_bridge.protocol.pdu import PDUS, GenericNack
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag, read_tlvs, write_tlvs

HEADER: Final = struct.Struct(">LLLL")  # command_length, command_id, command_status, sequence_number


def encode(pdu: Pdu) -> bytes:
    """The whole PDU, header included. Raises ProtocolError where a value does not fit its field: nothing is cut."""
    fast = FAST_ENCODERS.get(type(pdu))
    if fast is not None:
        octets = fast(pdu)
        if octets is not None:
            return octets
    return encode_by_table(pdu)


def decode(frame: bytes) -> Pdu:
    """The PDU that `frame` is, exactly, header included.

    Raises ProtocolError with the status to answer: ESME_RINVCMDID for a command unknown here, ESME_RINVCMDLEN where
    the PDU ends too early or too late, the field's own where that is at fault, 0xC0 and 0xC2 for optional parameters.
    """
    try:
        length, command_id, status, sequence = HEADER.unpack_from(frame)
    except struct.error:
        raise ProtocolError(Status.INVALID_COMMAND_LENGTH, f"{len(frame)} octets are no header") from None
    if length != len(frame):
        raise ProtocolError(Status.INVALID_COMMAND_LENGTH, f"command_length {length}, but {len(frame)} octets")
    fast = FAST_DECODERS.get(command_id)
    if fast is not None:
        pdu = fast(frame, status, sequence)
        if pdu is not None:
            return pdu
    return decode_by_table(frame, command_id, status, sequence)


def refusal(command_id: int, sequence: int, status: int) -> bytes:
    """The answer to a request that cannot be served: its own response where there is one, else (an unknown command,
    section 4.3) generic_nack."""
    return encode(PDUS.get(command_id | RESPONSE_BIT, GenericNack)(sequence=sequence, status=status))


def encode_by_table(pdu: Pdu) -> bytes:
    """What `encode` does, field by field: the reference for the fast paths, and what finds the field at fault."""
    body = b"".join([field.write(getattr(pdu, field.name)) for field in pdu.fields])
    if pdu.status and pdu.body is Body.ABSENT_ON_ERROR and not any(getattr(pdu, f.name) for f in pdu.fields):
        body = b""
    if pdu.tlvs:
        body = _with_tlvs(pdu, body)
    length = HEADER_OCTETS + len(body)
    if length > MAX_PDU_OCTETS:
        raise ProtocolError(Status.INVALID_COMMAND_LENGTH, f"a PDU of {length} octets is over {MAX_PDU_OCTETS}")
    try:
        return HEADER.pack(length, pdu.command_id, pdu.status, pdu.sequence) + body
    except struct.error:
        raise ProtocolError(
            Status.SYSTEM_ERROR, f"status {pdu.status} or sequence {pdu.sequence} is not 32 bits"
        ) from None


def decode_by_table(frame: bytes, command_id: int, status: int, sequence: int) -> Pdu:
    """What `decode` does behind the header, field by field."""
    kind = PDUS.get(command_id)
    if kind is None:
        raise ProtocolError(Status.INVALID_COMMAND_ID, f"command_id 0x{command_id:08X} is not known here")
    pdu = kind(sequence=sequence, status=status)
    position = HEADER_OCTETS
    if position == len(frame) and _may_be_bare(kind, status):
        return pdu
    for field in kind.fields:
        value, position = field.read(frame, position)
        setattr(pdu, field.name, value)
    if position < len(frame):
        if not kind.takes_tlvs:
            raise ProtocolError(
                Status.INVALID_COMMAND_LENGTH, f"{len(frame) - position} octets behind the body of {pdu.command}"
            )
        pdu.tlvs = read_tlvs(frame, position)
    return pdu


def _with_tlvs(pdu: Pdu, body: bytes) -> bytes:
    if not pdu.takes_tlvs:
        raise ProtocolError(Status.PARAMETER_NOT_ALLOWED, f"{pdu.command} takes no optional parameters")
    if not body and pdu.fields:
        body = b"".join([field.write(getattr(pdu, field.name)) for field in pdu.fields])
    if getattr(pdu, "short_message", b"") and any(tag == Tag.MESSAGE_PAYLOAD for tag, _ in pdu.tlvs):
        # Section 5.3.2.32: one or the other.
        raise ProtocolError(Status.INVALID_MESSAGE_LENGTH, "both short_message and message_payload")
    return body + write_tlvs(pdu.tlvs)


def _may_be_bare(kind: type[Pdu], status: int) -> bool:
    return kind.body is Body.OPTIONAL or (kind.body is Body.ABSENT_ON_ERROR and status != Status.OK)
