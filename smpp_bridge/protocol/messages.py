"""submit_sm, deliver_sm, data_sm and their responses (SMPP 3.4 sections 4.4, 4.6 and 4.7)."""

from dataclasses import dataclass
from typing import Final

from smpp_bridge.protocol import stock
from smpp_bridge.protocol.base import Body, Pdu
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.fields import CString, Field, Integer, ShortMessage
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import IntegerParameter, OctetsParameter, Tag, TextParameter

_ADDRESS_FIELDS: Final[tuple[Field, ...]] = (
    CString("service_type", 6, Status.INVALID_SERVICE_TYPE),
    Integer("source_addr_ton"),
    Integer("source_addr_npi"),
    CString("source_addr", 21, Status.INVALID_SOURCE),
    Integer("dest_addr_ton"),
    Integer("dest_addr_npi"),
    CString("destination_addr", 21, Status.INVALID_DESTINATION),
    Integer("esm_class"),
)
_FLAG_FIELDS: Final[tuple[Field, ...]] = (
    Integer("registered_delivery"),
    Integer("replace_if_present_flag"),
    Integer("data_coding"),
    Integer("sm_default_msg_id"),
    ShortMessage(),
)


class MessageParameters:
    """The optional parameters that PDUs with a message in them may have, as far as they mean something here."""

    message_payload = OctetsParameter(Tag.MESSAGE_PAYLOAD)
    sar_msg_ref_num = IntegerParameter(Tag.SAR_MSG_REF_NUM)
    sar_total_segments = IntegerParameter(Tag.SAR_TOTAL_SEGMENTS)
    sar_segment_seqnum = IntegerParameter(Tag.SAR_SEGMENT_SEQNUM)
    user_message_reference = IntegerParameter(Tag.USER_MESSAGE_REFERENCE)
    receipted_message_id = TextParameter(Tag.RECEIPTED_MESSAGE_ID)
    message_state = IntegerParameter(Tag.MESSAGE_STATE)
    network_error_code = OctetsParameter(Tag.NETWORK_ERROR_CODE)


@dataclass
class Message(Pdu, MessageParameters):
    """What submit_sm and deliver_sm have in common: all of it, on the wire."""

    takes_tlvs = True

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""

    @property
    def sm_length(self) -> int:
        return len(self.short_message)

    @property
    def content(self) -> bytes:
        """The message's octets (a user data header included), wherever the peer put them."""
        return self.short_message or self.message_payload or b""


class SubmitSm(Message, stock.SubmitSM):
    command_id = CommandId.SUBMIT_SM
    fields = (
        *_ADDRESS_FIELDS,
        Integer("protocol_id"),
        Integer("priority_flag"),
        CString("schedule_delivery_time", 17, Status.INVALID_SCHEDULE, whole=True),
        CString("validity_period", 17, Status.INVALID_VALIDITY, whole=True),
        *_FLAG_FIELDS,
    )


class DeliverSm(Message, stock.DeliverSM):
    command_id = CommandId.DELIVER_SM
    # Both times are unused here (section 4.6.1): what an SMSC leaves in them is no reason to refuse its receipts.
    fields = (
        *_ADDRESS_FIELDS,
        Integer("protocol_id"),
        Integer("priority_flag"),
        CString("schedule_delivery_time", 17, Status.INVALID_SCHEDULE),
        CString("validity_period", 17, Status.INVALID_VALIDITY),
        *_FLAG_FIELDS,
    )


@dataclass
class DataSm(Pdu, MessageParameters, stock.DataSM):
    command_id = CommandId.DATA_SM
    fields = (*_ADDRESS_FIELDS, Integer("registered_delivery"), Integer("data_coding"))
    takes_tlvs = True

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0

    @property
    def content(self) -> bytes:
        """The message's octets (a user data header included)."""
        return self.message_payload or b""


@dataclass
class MessageResponse(Pdu):
    """Answers submit_sm, deliver_sm and data_sm. 3.4 gives only the last one parameters; 5.0 gives them to all."""

    fields = (CString("message_id", 65, Status.INVALID_MESSAGE_ID),)
    body = Body.ABSENT_ON_ERROR
    takes_tlvs = True

    message_id: str = ""


class SubmitSmResp(MessageResponse, stock.SubmitSMResp):
    command_id = CommandId.SUBMIT_SM_RESP


class DeliverSmResp(MessageResponse, stock.DeliverSMResp):
    command_id = CommandId.DELIVER_SM_RESP
    body = Body.OPTIONAL


class DataSmResp(MessageResponse, stock.DataSMResp):
    command_id = CommandId.DATA_SM_RESP
