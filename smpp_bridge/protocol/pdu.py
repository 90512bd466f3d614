"""The PDUs of SMPP 3.4 section 4: smpplib's classes, each with its body as a table of strict fields.

Build one with keyword arguments; `codec` turns it into octets and back. `sequence` is the session's to set.
"""

from dataclasses import dataclass
from typing import Final

from smpp_bridge.protocol import stock
from smpp_bridge.protocol.base import Body, Pdu
from smpp_bridge.protocol.binds import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResponse,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
)
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.fields import CString, Integer, ShortMessage
from smpp_bridge.protocol.messages import (
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    Message,
    MessageResponse,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.multi import SubmitMulti, SubmitMultiResp
from smpp_bridge.protocol.status import Status

# --- asking after a message, taking it back, saying another: sections 4.8 to 4.10


@dataclass
class QuerySm(Pdu, stock.QuerySM):
    command_id = CommandId.QUERY_SM
    fields = (
        CString("message_id", 65, Status.INVALID_MESSAGE_ID),
        Integer("source_addr_ton"),
        Integer("source_addr_npi"),
        CString("source_addr", 21, Status.INVALID_SOURCE),
    )

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass
class QuerySmResp(Pdu, stock.QuerySMResp):
    command_id = CommandId.QUERY_SM_RESP
    fields = (
        CString("message_id", 65, Status.INVALID_MESSAGE_ID),
        CString("final_date", 17, whole=True),
        Integer("message_state"),
        Integer("error_code"),
    )
    body = Body.ABSENT_ON_ERROR

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


@dataclass
class CancelSm(Pdu, stock.Command):
    command_id = CommandId.CANCEL_SM
    fields = (
        CString("service_type", 6, Status.INVALID_SERVICE_TYPE),
        CString("message_id", 65, Status.INVALID_MESSAGE_ID),
        Integer("source_addr_ton"),
        Integer("source_addr_npi"),
        CString("source_addr", 21, Status.INVALID_SOURCE),
        Integer("dest_addr_ton"),
        Integer("dest_addr_npi"),
        CString("destination_addr", 21, Status.INVALID_DESTINATION),
    )

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class CancelSmResp(Pdu, stock.Command):
    command_id = CommandId.CANCEL_SM_RESP


@dataclass
class ReplaceSm(Pdu, stock.Command):
    command_id = CommandId.REPLACE_SM
    takes_tlvs = True  # none in 3.4 (4.10.1); message_payload since 5.0
    fields = (
        CString("message_id", 65, Status.INVALID_MESSAGE_ID),
        Integer("source_addr_ton"),
        Integer("source_addr_npi"),
        CString("source_addr", 21, Status.INVALID_SOURCE),
        CString("schedule_delivery_time", 17, Status.INVALID_SCHEDULE, whole=True),
        CString("validity_period", 17, Status.INVALID_VALIDITY, whole=True),
        Integer("registered_delivery"),
        Integer("sm_default_msg_id"),
        ShortMessage(),
    )

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class ReplaceSmResp(Pdu, stock.Command):
    command_id = CommandId.REPLACE_SM_RESP


# --- the session itself: sections 4.2, 4.3, 4.11 and 4.12


class Unbind(Pdu, stock.Unbind):
    command_id = CommandId.UNBIND


class UnbindResp(Pdu, stock.UnbindResp):
    command_id = CommandId.UNBIND_RESP


class EnquireLink(Pdu, stock.EnquireLink):
    command_id = CommandId.ENQUIRE_LINK


class EnquireLinkResp(Pdu, stock.EnquireLinkResp):
    command_id = CommandId.ENQUIRE_LINK_RESP


class GenericNack(Pdu, stock.GenericNAck):
    command_id = CommandId.GENERIC_NACK


@dataclass
class AlertNotification(Pdu, stock.AlertNotification):
    """Has no response (section 4.12.1)."""

    command_id = CommandId.ALERT_NOTIFICATION
    fields = (
        Integer("source_addr_ton"),
        Integer("source_addr_npi"),
        CString("source_addr", 65, Status.INVALID_SOURCE),
        Integer("esme_addr_ton"),
        Integer("esme_addr_npi"),
        CString("esme_addr", 65, Status.INVALID_DESTINATION),
    )
    takes_tlvs = True

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""


# Every PDU that can be decoded, by command_id.
PDUS: Final[dict[int, type[Pdu]]] = {
    pdu.command_id: pdu
    for pdu in (
        BindTransmitter,
        BindTransmitterResp,
        BindReceiver,
        BindReceiverResp,
        BindTransceiver,
        BindTransceiverResp,
        SubmitSm,
        SubmitSmResp,
        DeliverSm,
        DeliverSmResp,
        DataSm,
        DataSmResp,
        QuerySm,
        QuerySmResp,
        CancelSm,
        CancelSmResp,
        ReplaceSm,
        ReplaceSmResp,
        SubmitMulti,
        SubmitMultiResp,
        Unbind,
        UnbindResp,
        EnquireLink,
        EnquireLinkResp,
        GenericNack,
        AlertNotification,
    )
}

__all__ = [
    "PDUS",
    "AlertNotification",
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindResponse",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "CancelSm",
    "CancelSmResp",
    "DataSm",
    "DataSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "EnquireLink",
    "EnquireLinkResp",
    "GenericNack",
    "Message",
    "MessageResponse",
    "Pdu",
    "QuerySm",
    "QuerySmResp",
    "ReplaceSm",
    "ReplaceSmResp",
    "SubmitMulti",
    "SubmitMultiResp",
    "SubmitSm",
    "SubmitSmResp",
    "Unbind",
    "UnbindResp",
]
