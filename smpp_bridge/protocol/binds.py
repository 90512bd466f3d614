"""The binds and their responses (SMPP 3.4 sections 4.1.1 to 4.1.6)."""

from dataclasses import dataclass
from typing import Final

from smpp_bridge.protocol import stock
from smpp_bridge.protocol.base import Body, Pdu
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.fields import CString, Field, Integer
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import IntegerParameter, Tag

_BIND_FIELDS: Final[tuple[Field, ...]] = (
    CString("system_id", 16, Status.INVALID_SYSTEM_ID),
    CString("password", 9, Status.INVALID_PASSWORD),
    CString("system_type", 13, Status.INVALID_SYSTEM_TYPE),
    Integer("interface_version"),
    Integer("addr_ton"),
    Integer("addr_npi"),
    CString("address_range", 41),
)


@dataclass
class Bind(Pdu):
    """A request to bind; which session it asks for is its class."""

    fields = _BIND_FIELDS

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass
class BindResponse(Pdu):
    """The SMSC's answer to a bind."""

    fields = (CString("system_id", 16),)
    body = Body.ABSENT_ON_ERROR
    takes_tlvs = True
    sc_interface_version = IntegerParameter(Tag.SC_INTERFACE_VERSION)

    system_id: str = ""


class BindTransmitter(Bind, stock.BindTransmitter):
    command_id = CommandId.BIND_TRANSMITTER


class BindTransmitterResp(BindResponse, stock.BindTransmitterResp):
    command_id = CommandId.BIND_TRANSMITTER_RESP


class BindReceiver(Bind, stock.BindReceiver):
    command_id = CommandId.BIND_RECEIVER


class BindReceiverResp(BindResponse, stock.BindReceiverResp):
    command_id = CommandId.BIND_RECEIVER_RESP


class BindTransceiver(Bind, stock.BindTransceiver):
    command_id = CommandId.BIND_TRANSCEIVER


class BindTransceiverResp(BindResponse, stock.BindTransceiverResp):
    command_id = CommandId.BIND_TRANSCEIVER_RESP
