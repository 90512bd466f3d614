"""A message as the submit_sm PDUs that its gateway takes."""

from typing import Final

from chalicelib.domain.concatenation import Part, concatenate, reference_of
from chalicelib.domain.content import Content, Priority
from chalicelib.domain.numbers import parse_sender
from chalicelib.domain.rules import Gateway
from chalicelib.domain.text import Encoding
from chalicelib.wire import Dispatch
from smpp_bridge.protocol.pdu import SubmitSm
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs

# data_coding with a message class in its last two bits: GSM's own for 7 bits and for data (SMPP 3.4, 5.2.19), and for
# UCS-2, which SMPP has no value for, the general one (3GPP TS 23.038, section 4).
_CLASS_CODINGS: Final = {Encoding.GSM7: 0xF0, Encoding.BINARY: 0xF4, Encoding.UCS2: 0x18}
RECEIPT_WANTED: Final = 1  # registered_delivery, section 5.2.17: a receipt on success and on failure
_UDHI: Final = 0x40  # esm_class, section 5.2.12
_PRIORITY_FLAGS: Final[dict[Priority, int]] = {"bulk": 0, "normal": 1, "high": 2}
_MOST_VALIDITY_DAYS: Final = 30  # SMSCs keep no message longer; and months are no fixed time


class Composer:
    """Knows one gateway's wishes. Raises BadText or BadSender for a message that it can never send."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._data_codings = {Encoding.GSM7: gateway.gsm7_data_coding, Encoding.UCS2: 8, Encoding.BINARY: 4}

    def parts_of(self, dispatch: Dispatch) -> tuple[Part, ...]:
        """The message's parts, the same ones each time."""
        content = dispatch.content
        binary = content.encoding is Encoding.BINARY or content.data
        return concatenate(
            content.data if binary else content.text,
            content.encoding,
            self._gateway.long_messages,
            reference_of(dispatch.id),
            udh=content.udh,
            part=content.segment,
        )

    def submit_sm(self, content: Content, part: Part, now_ms: int) -> SubmitSm:
        """The PDU of one part; its sequence is the session's to set."""
        gateway = self._gateway
        sender = parse_sender(gateway.sender_override or content.sender)
        return SubmitSm(
            tlvs=self._tlvs(content, part) if content.tlvs or part.payload or part.sar else (),
            service_type=gateway.service_type,
            source_addr_ton=sender.ton if gateway.source_ton is None else gateway.source_ton,
            source_addr_npi=sender.npi if gateway.source_npi is None else gateway.source_npi,
            source_addr=sender.value,
            dest_addr_ton=gateway.destination_ton,
            dest_addr_npi=gateway.destination_npi,
            destination_addr=content.to if gateway.destination_plus else content.to[1:],
            esm_class=_UDHI if part.esm_class_udhi else 0,
            priority_flag=_PRIORITY_FLAGS[content.priority],
            validity_period=relative_time((content.valid_until_ms - now_ms) // 1000),
            registered_delivery=RECEIPT_WANTED,
            data_coding=self._data_coding(content),
            short_message=b"" if part.payload else part.octets,
        )

    def _data_coding(self, content: Content) -> int:
        if content.message_class is None:
            return self._data_codings[content.encoding]
        return _CLASS_CODINGS[content.encoding] | content.message_class

    def _tlvs(self, content: Content, part: Part) -> tuple[tuple[int, bytes], ...]:
        taken = self._gateway.tlvs
        kept = [(tlv.tag, tlv.value) for tlv in content.tlvs if taken == "all" or tlv.tag in taken]
        return (*_tlvs(part), *kept)


def relative_time(seconds: int) -> str:
    """Section 7.1.1.2, YYMMDDhhmmss000R: relative, since nobody knows how the SMSC's clock goes. At least a second."""
    minutes, second = divmod(max(1, seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days >= _MOST_VALIDITY_DAYS:
        days, hour, minute, second = _MOST_VALIDITY_DAYS, 0, 0, 0
    return f"0000{days:02}{hour:02}{minute:02}{second:02}000R"


def _tlvs(part: Part) -> tuple[tuple[int, bytes], ...]:
    if part.payload:
        return ((Tag.MESSAGE_PAYLOAD, part.octets),)
    return segment_tlvs(*part.sar) if part.sar else ()
