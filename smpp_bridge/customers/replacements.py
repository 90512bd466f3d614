"""From a customer's replace_sm to what is to stand in a message's place, or a command_status. Pure."""

from typing import Final

from chalicelib.domain.message import Message
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.services.replace import Replacement
from smpp_bridge.customers.addresses import sender
from smpp_bridge.customers.refused import Refused
from smpp_bridge.customers.submits import MAX_SCHEDULE_MS, read_body, read_schedule, read_validity
from smpp_bridge.protocol.pdu import ReplaceSm
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag

_RESERVED_RECEIPT: Final = 0x03  # registered_delivery (5.2.17)


def read_replacement(pdu: ReplaceSm, message: Message, login: SmppLogin, now_ms: int) -> Replacement:
    """4.10: the text by the message's own data_coding; a time that is not given stays as it was. Raises Refused."""
    content = message.content
    if content is None or content.data_coding is None or message.due_ms is None:
        raise Refused(Status.REPLACE_FAILED, "it was not handed over for later, by SMPP")
    if pdu.registered_delivery & 0x03 == _RESERVED_RECEIPT:
        raise Refused(Status.INVALID_REGISTERED_DELIVERY, f"registered_delivery 0x{pdu.registered_delivery:02X}")
    if pdu.sm_default_msg_id:
        raise Refused(Status.INVALID_DEFAULT_MESSAGE_ID, "there are no messages kept here to be named")
    payload = dict(pdu.tlvs).get(Tag.MESSAGE_PAYLOAD)
    if pdu.short_message and payload is not None:
        raise Refused(Status.INVALID_MESSAGE_LENGTH, "both short_message and message_payload (5.3.2.32)")
    send_at_ms = None
    if pdu.schedule_delivery_time:
        send_at_ms = read_schedule(pdu.schedule_delivery_time, now_ms, MAX_SCHEDULE_MS) or now_ms
    validity_seconds = None
    if pdu.validity_period:
        validity_seconds = read_validity(pdu.validity_period, now_ms, send_at_ms or message.due_ms)
    return Replacement(
        login=login.system_id,
        sender=sender(pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi),
        body=read_body(pdu.short_message or payload or b"", content.data_coding),
        registered=pdu.registered_delivery,
        send_at_ms=send_at_ms,
        validity_seconds=validity_seconds,
    )
