"""From a customer's submit_sm, data_sm or submit_multi to a message that can be accepted, or a command_status. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from chalicelib.domain.content import Priority, Segment, Tlv
from chalicelib.domain.data_coding import CODINGS, BadOctets, Coding
from chalicelib.domain.headers import BadHeader, checked_segment, read_header
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.domain.text import Encoding
from chalicelib.services.check import Submission
from smpp_bridge.customers.addresses import recipient, sender
from smpp_bridge.customers.refused import Refused
from smpp_bridge.customers.statuses import OwnStatus
from smpp_bridge.customers.times import BadTime, read_time
from smpp_bridge.protocol.messages import DataSm, SubmitSm
from smpp_bridge.protocol.multi import SubmitMulti
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag

MAX_TLV_OCTETS: Final = 1_000  # of what is kept for the gateway, a message
MAX_SCHEDULE_MS: Final = 30 * 86_400_000  # as long as messages are looked after; accept counts the validity, too
MAX_PART_SCHEDULE_MS: Final = 900_000  # of a part: as long as SQS delays, since it may be sent by who wakes up last
LATE_SCHEDULE_MS: Final = 60_000  # a customer's clock may be fast by so much: then it is sent at once
PRIORITIES: Final[tuple[Priority, ...]] = ("bulk", "normal", "high", "high")  # by priority_flag (5.2.14)
_UDHI: Final = 0x40  # esm_class (5.2.12), as are the next two
_NOT_PLAIN: Final = 0x3C  # the message's type: acknowledgements of an ESME's user
_TRANSACTION: Final = 0x02  # the mode in which the answer is to say how the delivery went
_RESERVED_RECEIPT: Final = 0x03  # registered_delivery (5.2.17)
_GSM: Final = 0x00  # data_coding (5.2.19): the default alphabet, which here is GSM 03.38
_IA5: Final = 0x01
_DEST_ADDR_SUBUNIT: Final = 0x0005  # 5.3.2.1: display, handset, SIM, further device, as message classes 0 to 3
_QOS_TIME_TO_LIVE: Final = 0x0017  # 5.3.2.9, of data_sm
_CLASSES: Final = {b"\x01": 0, b"\x02": 1, b"\x03": 2, b"\x04": 3}
# What is read here, or concerns only the customer and us; the rest is the gateway's.
_READ_HERE: Final = frozenset(
    {
        _DEST_ADDR_SUBUNIT,
        _QOS_TIME_TO_LIVE,
        Tag.USER_MESSAGE_REFERENCE,
        Tag.MESSAGE_PAYLOAD,
        Tag.SAR_MSG_REF_NUM,
        Tag.SAR_TOTAL_SEGMENTS,
        Tag.SAR_SEGMENT_SEQNUM,
    }
)

Submit = SubmitSm | DataSm | SubmitMulti


class ReadSubmit(msgspec.Struct, frozen=True):
    """A submit as it is meant. One with `submission.segment` is a part; `octets` are its own, without a header."""

    submission: Submission
    octets: bytes
    data_coding: int
    replaces: bool = False


def read_submit(pdu: SubmitSm | DataSm, login: SmppLogin, now_ms: int) -> ReadSubmit:
    """The message. Raises Refused."""
    return read_to(pdu, recipient(pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi), login, now_ms)


def read_to(pdu: Submit, to: str, login: SmppLogin, now_ms: int) -> ReadSubmit:
    """The same, to one of a submit_multi's destinations. Raises Refused."""
    tlvs = dict(reversed(pdu.tlvs)) if pdu.tlvs else {}  # the first one where one is there twice
    if pdu.esm_class & _NOT_PLAIN or pdu.esm_class & 0x03 == _TRANSACTION:
        raise Refused(Status.INVALID_ESM_CLASS, f"esm_class 0x{pdu.esm_class:02X}")
    if pdu.registered_delivery & 0x03 == _RESERVED_RECEIPT:
        raise Refused(Status.INVALID_REGISTERED_DELIVERY, f"registered_delivery 0x{pdu.registered_delivery:02X}")
    data_coding = pdu.data_coding
    if data_coding == _IA5 and login.data_coding_1 == "gsm":
        data_coding = _GSM
    coding = CODINGS.get(data_coding)
    if coding is None:
        raise Refused(OwnStatus.INVALID_TEXT, f"data_coding 0x{data_coding:02X} is not known here")
    octets, udh, segment = _user_data(pdu, tlvs)
    text, data, encoding = _body(octets, coding, segment)
    scheduled_ms, validity_seconds, priority, replaces = None, None, PRIORITIES[0], False
    if isinstance(pdu, DataSm):
        validity_seconds = _time_to_live(tlvs)
    else:
        if pdu.priority_flag >= len(PRIORITIES):
            raise Refused(Status.INVALID_PRIORITY, f"priority_flag {pdu.priority_flag}")
        if pdu.replace_if_present_flag > 1:
            raise Refused(Status.INVALID_REPLACE_FLAG, f"replace_if_present_flag {pdu.replace_if_present_flag}")
        if pdu.sm_default_msg_id:
            raise Refused(Status.INVALID_DEFAULT_MESSAGE_ID, "there are no messages kept here to be named")
        priority, replaces = PRIORITIES[pdu.priority_flag], bool(pdu.replace_if_present_flag)
        if pdu.schedule_delivery_time:
            most_ms = MAX_SCHEDULE_MS if segment is None else MAX_PART_SCHEDULE_MS
            scheduled_ms = read_schedule(pdu.schedule_delivery_time, now_ms, most_ms)
        if pdu.validity_period:
            validity_seconds = read_validity(pdu.validity_period, now_ms, scheduled_ms or now_ms)
    return ReadSubmit(
        Submission(
            to=to,
            sender=sender(pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi),
            text=text,
            data=data,
            encoding=encoding,
            validity_seconds=validity_seconds,
            priority=priority,
            client_ref=_reference(tlvs),
            mode=login.mode,
            source="smpp",
            login=login.system_id,
            registered=pdu.registered_delivery,
            message_class=_CLASSES.get(tlvs.get(_DEST_ADDR_SUBUNIT, b""), coding.message_class),
            udh=udh,
            segment=segment,
            send_at_ms=scheduled_ms,
            tlvs=_kept(pdu) if pdu.tlvs else (),
            data_coding=None if scheduled_ms is None or segment is not None else data_coding,
        ),
        octets,
        data_coding,
        replaces,
    )


def read_schedule(text: str, now_ms: int, most_ms: int) -> int | None:
    """When to begin to deliver; None where that is by now. Raises Refused."""
    try:
        at_ms = read_time(text, now_ms)
    except BadTime as error:
        raise Refused(Status.INVALID_SCHEDULE, str(error)) from None
    if at_ms < now_ms - LATE_SCHEDULE_MS or at_ms > now_ms + most_ms:
        raise Refused(Status.INVALID_SCHEDULE, f"not within the next {most_ms // 1000} seconds")
    return at_ms if at_ms > now_ms else None


def read_validity(text: str, now_ms: int, begins_ms: int) -> int:
    """For how long to try from `begins_ms`, in seconds. Raises Refused where that is over before.

    What is relative to now is taken as relative to that, too: else most of what is scheduled were over before.
    """
    try:
        seconds = (read_time(text, begins_ms if text.endswith("R") else now_ms) - begins_ms) // 1000
    except BadTime as error:
        raise Refused(Status.INVALID_VALIDITY, str(error)) from None
    if seconds <= 0:
        raise Refused(Status.INVALID_VALIDITY, "the validity is over")
    return seconds


def read_body(octets: bytes, data_coding: int) -> str | bytes:
    """A whole message without a header: its text, or data. Raises Refused."""
    coding = CODINGS.get(data_coding)
    if coding is None:
        raise Refused(OwnStatus.INVALID_TEXT, f"data_coding 0x{data_coding:02X} is not known here")
    return octets if coding.read is None else _text(octets, coding)


def _user_data(pdu: Submit, tlvs: Mapping[int, bytes]) -> tuple[bytes, bytes, Segment | None]:
    """The octets behind the header, the header's elements, and which part it is: by the header, or by SAR."""
    payload = tlvs.get(Tag.MESSAGE_PAYLOAD)
    octets = payload or b""
    if not isinstance(pdu, DataSm):
        if pdu.short_message and payload is not None:
            raise Refused(Status.INVALID_MESSAGE_LENGTH, "both short_message and message_payload (5.3.2.32)")
        octets = pdu.short_message or octets
    try:
        if pdu.esm_class & _UDHI:
            header, octets = read_header(octets)
            return octets, header.elements, header.segment
        if Tag.SAR_MSG_REF_NUM in tlvs:
            reference, total, number = (
                int.from_bytes(tlvs.get(tag, b""))
                for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
            )
            return octets, b"", checked_segment(reference, total, number)
    except BadHeader as error:
        status = Status.INVALID_ESM_CLASS if pdu.esm_class & _UDHI else Status.INVALID_PARAMETER_VALUE
        raise Refused(status, str(error)) from None
    return octets, b"", None


def _body(octets: bytes, coding: Coding, segment: Segment | None) -> tuple[str | None, bytes | None, Encoding | None]:
    """Text or data, and what it is sent as where that is not for the text to say.

    A part keeps its encoding: the handset joins it with others. One that was cut where it cannot be read stays octets.
    """
    if coding.read is None:
        return None, octets, Encoding.BINARY
    if segment is None:
        return _text(octets, coding), None, None
    try:
        text = coding.read(octets)
    except BadOctets as error:
        if coding.encoding is not Encoding.UCS2:
            raise Refused(OwnStatus.INVALID_TEXT, str(error)) from None
        return None, octets, coding.encoding
    if coding.encoding is Encoding.GSM7 and octets.endswith(b"\x1b"):
        return None, octets, coding.encoding
    return text, None, coding.encoding


def _text(octets: bytes, coding: Coding) -> str:
    if coding.encoding is Encoding.UCS2 and len(octets) % 2:
        raise Refused(Status.INVALID_MESSAGE_LENGTH, "UCS-2 with an odd octet")
    try:
        return coding.read(octets) if coding.read else ""
    except BadOctets as error:
        raise Refused(OwnStatus.INVALID_TEXT, str(error)) from None


def _time_to_live(tlvs: Mapping[int, bytes]) -> int | None:
    value = tlvs.get(_QOS_TIME_TO_LIVE)
    if value is None:
        return None
    seconds = int.from_bytes(value)
    if len(value) != 4 or not seconds:
        raise Refused(Status.INVALID_PARAMETER_VALUE, "qos_time_to_live")
    return seconds


def _reference(tlvs: Mapping[int, bytes]) -> str | None:
    """The customer's own name for it, as reports show it."""
    value = tlvs.get(Tag.USER_MESSAGE_REFERENCE)
    return None if value is None else str(int.from_bytes(value))


def _kept(pdu: Submit) -> tuple[Tlv, ...]:
    kept = tuple(Tlv(tag, value) for tag, value in pdu.tlvs if tag not in _READ_HERE)
    if sum(4 + len(tlv.value) for tlv in kept) > MAX_TLV_OCTETS:
        raise Refused(Status.INVALID_PARAMETER_LENGTH, f"optional parameters of over {MAX_TLV_OCTETS} octets")
    return kept
