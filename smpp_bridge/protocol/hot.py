"""The PDUs that come by the ten thousand a second, by hand: each path does the usual case and leaves all else, and
every refusal, to the tables in `codec` by returning None."""

import struct
from collections.abc import Callable
from typing import Any, Final

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.fields import MAX_SHORT_MESSAGE_OCTETS
from smpp_bridge.protocol.framing import HEADER_OCTETS, MAX_PDU_OCTETS
from smpp_bridge.protocol.messages import (
    DeliverSm,
    DeliverSmResp,
    Message,
    MessageResponse,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.tlvs import Tag, read_tlvs, write_tlvs

_PAYLOAD: Final = int(Tag.MESSAGE_PAYLOAD)
_MAX_BODY_OCTETS: Final = MAX_PDU_OCTETS - HEADER_OCTETS
_HEADER: Final = struct.Struct(">LLLL").pack
_FLAGS: Final = struct.Struct(">5B").unpack_from


def _encode_message(pdu: Message) -> bytes | None:
    service, source, destination = pdu.service_type, pdu.source_addr, pdu.destination_addr
    schedule, validity, text = pdu.schedule_delivery_time, pdu.validity_period, pdu.short_message
    try:
        if (
            len(service) > 5
            or len(source) > 20
            or len(destination) > 20
            or (schedule and len(schedule) != 16)
            or (validity and len(validity) != 16)
            or len(text) > MAX_SHORT_MESSAGE_OCTETS
            or "\0" in f"{service}{source}{destination}{schedule}{validity}"
        ):
            return None
        body = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b" % (
            service.encode("latin-1"),
            pdu.source_addr_ton,
            pdu.source_addr_npi,
            source.encode("latin-1"),
            pdu.dest_addr_ton,
            pdu.dest_addr_npi,
            destination.encode("latin-1"),
            pdu.esm_class,
            pdu.protocol_id,
            pdu.priority_flag,
            schedule.encode("latin-1"),
            validity.encode("latin-1"),
            pdu.registered_delivery,
            pdu.replace_if_present_flag,
            pdu.data_coding,
            pdu.sm_default_msg_id,
            len(text),
            text,
        )
        if pdu.tlvs:
            if text:  # not beside a message_payload
                for tag, _ in pdu.tlvs:
                    if tag == _PAYLOAD:
                        return None
            body += write_tlvs(pdu.tlvs)
            if len(body) > _MAX_BODY_OCTETS:
                return None
        return _HEADER(16 + len(body), pdu.command_id, pdu.status, pdu.sequence) + body
    except (TypeError, AttributeError, OverflowError, UnicodeEncodeError, struct.error):
        return None  # some value does not fit: the table finds out which


def _message_decoder(kind: type[Message]) -> Callable[[bytes, int, int], Message | None]:
    def decode_message(frame: bytes, status: int, sequence: int) -> Message | None:
        try:
            find = frame.index
            service = find(0, 16)
            source = find(0, service + 3)
            destination = find(0, source + 3)
            schedule = find(0, destination + 4)
            validity = find(0, schedule + 1)
            registered, replace, coding, default, length = _FLAGS(frame, validity + 1)
        except (ValueError, struct.error):
            return None
        text = validity + 6
        end = text + length
        if (
            service > 21
            or source - service > 23
            or destination - source > 23
            or (schedule - destination != 4 and schedule - destination != 20)
            or (validity - schedule != 1 and validity - schedule != 17)
            or end > len(frame)
            or length > MAX_SHORT_MESSAGE_OCTETS
        ):
            return None
        return kind(
            sequence,
            status,
            read_tlvs(frame, end) if end < len(frame) else (),
            str(frame[16:service], "latin-1"),
            frame[service + 1],
            frame[service + 2],
            str(frame[service + 3 : source], "latin-1"),
            frame[source + 1],
            frame[source + 2],
            str(frame[source + 3 : destination], "latin-1"),
            frame[destination + 1],
            frame[destination + 2],
            frame[destination + 3],
            str(frame[destination + 4 : schedule], "latin-1"),
            str(frame[schedule + 1 : validity], "latin-1"),
            registered,
            replace,
            coding,
            default,
            frame[text:end],
        )

    return decode_message


def _encode_response(pdu: MessageResponse) -> bytes | None:
    message_id = pdu.message_id
    try:
        if pdu.status or pdu.tlvs or len(message_id) > 64 or "\0" in message_id:
            return None
        return _HEADER(17 + len(message_id), pdu.command_id, 0, pdu.sequence) + message_id.encode("latin-1") + b"\0"
    except (TypeError, AttributeError, UnicodeEncodeError, struct.error):
        return None


def _response_decoder(kind: type[MessageResponse]) -> Callable[[bytes, int, int], MessageResponse | None]:
    def decode_response(frame: bytes, status: int, sequence: int) -> MessageResponse | None:
        # The one NUL stands at the very end: a whole message_id and no parameters.
        if not 17 <= len(frame) <= 81 or frame.find(0, 16) != len(frame) - 1:
            return None
        return kind(sequence, status, (), str(frame[16:-1], "latin-1"))

    return decode_response


FAST_ENCODERS: Final[dict[type[Pdu], Callable[[Any], bytes | None]]] = {
    SubmitSm: _encode_message,
    DeliverSm: _encode_message,
    SubmitSmResp: _encode_response,
    DeliverSmResp: _encode_response,
}
FAST_DECODERS: Final[dict[int, Callable[[bytes, int, int], Pdu | None]]] = {
    CommandId.SUBMIT_SM: _message_decoder(SubmitSm),
    CommandId.DELIVER_SM: _message_decoder(DeliverSm),
    CommandId.SUBMIT_SM_RESP: _response_decoder(SubmitSmResp),
    CommandId.DELIVER_SM_RESP: _response_decoder(DeliverSmResp),
}
