"""submit_multi and its response (SMPP 3.4 section 4.5): one message to up to 254 destinations."""

import struct
from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from smpp_bridge.protocol import stock
from smpp_bridge.protocol.base import Body, Pdu
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.fields import CString, Integer, ShortMessage
from smpp_bridge.protocol.messages import MessageParameters
from smpp_bridge.protocol.status import Status

MAX_DESTINATIONS: Final = 254  # number_of_dests
_SME: Final = 1  # dest_flag, section 5.2.25
_LIST: Final = 2
_ADDRESS: Final = CString("destination_addr", 21, Status.INVALID_DESTINATION)
_LIST_NAME: Final = CString("dl_name", 21, Status.INVALID_LIST_NAME)
_STATUS: Final = struct.Struct(">L")


class Destination(Struct, frozen=True):
    """An SME's address (section 4.5.1.1)."""

    address: str = ""
    ton: int = 0
    npi: int = 0


class DistributionList(Struct, frozen=True):
    """A list that the SMSC keeps, by its name (section 4.5.1.2)."""

    name: str = ""


class Unsuccessful(Struct, frozen=True):
    """A destination that the message was not taken for, and the command_status that says why (section 4.5.2.1)."""

    destination: Destination
    status: int


class Destinations(Struct, frozen=True):
    """number_of_dests and as many addresses, each behind its dest_flag."""

    name: str = "destinations"

    def read(self, frame: bytes, position: int) -> tuple[tuple[Destination | DistributionList, ...], int]:
        count, position = Integer("number_of_dests").read(frame, position)
        if not 1 <= count <= MAX_DESTINATIONS:
            raise ProtocolError(Status.INVALID_DESTINATION_COUNT, f"number_of_dests {count} is not 1..254")
        found: list[Destination | DistributionList] = []
        for _ in range(count):
            flag, position = Integer("dest_flag").read(frame, position)
            if flag == _SME:
                destination, position = _read_destination(frame, position)
                found.append(destination)
            elif flag == _LIST:
                name, position = _LIST_NAME.read(frame, position)
                found.append(DistributionList(name))
            else:
                raise ProtocolError(Status.INVALID_DESTINATION_FLAG, f"dest_flag {flag} is neither 1 nor 2")
        return tuple(found), position

    def write(self, value: tuple[Destination | DistributionList, ...]) -> bytes:
        if not 1 <= len(value) <= MAX_DESTINATIONS:
            raise ProtocolError(Status.INVALID_DESTINATION_COUNT, f"{len(value)} destinations are not 1..254")
        written = [bytes((len(value),))]
        for each in value:
            if isinstance(each, Destination):
                written.append(bytes((_SME,)) + _write_destination(each))
            else:
                written.append(bytes((_LIST,)) + _LIST_NAME.write(each.name))
        return b"".join(written)


class UnsuccessfulDestinations(Struct, frozen=True):
    """no_unsuccess and as many addresses, each with its error_status_code of four octets."""

    name: str = "unsuccessful"

    def read(self, frame: bytes, position: int) -> tuple[tuple[Unsuccessful, ...], int]:
        count, position = Integer("no_unsuccess").read(frame, position)
        found = []
        for _ in range(count):
            destination, position = _read_destination(frame, position)
            try:
                (status,) = _STATUS.unpack_from(frame, position)
            except struct.error:
                raise ProtocolError(Status.INVALID_COMMAND_LENGTH, "the PDU ends before error_status_code") from None
            found.append(Unsuccessful(destination, status))
            position += _STATUS.size
        return tuple(found), position

    def write(self, value: tuple[Unsuccessful, ...]) -> bytes:
        if len(value) > MAX_DESTINATIONS:
            raise ProtocolError(Status.INVALID_DESTINATION_COUNT, f"{len(value)} unsuccessful are over 254")
        try:
            each = [_write_destination(one.destination) + _STATUS.pack(one.status) for one in value]
        except struct.error:
            raise ProtocolError(Status.SYSTEM_ERROR, "an error_status_code is not 32 bits") from None
        return bytes((len(value),)) + b"".join(each)


def _read_destination(frame: bytes, position: int) -> tuple[Destination, int]:
    ton, position = Integer("dest_addr_ton").read(frame, position)
    npi, position = Integer("dest_addr_npi").read(frame, position)
    address, position = _ADDRESS.read(frame, position)
    return Destination(address, ton, npi), position


def _write_destination(destination: Destination) -> bytes:
    ton, npi = Integer("dest_addr_ton"), Integer("dest_addr_npi")
    return ton.write(destination.ton) + npi.write(destination.npi) + _ADDRESS.write(destination.address)


@dataclass
class SubmitMulti(Pdu, MessageParameters, stock.Command):
    """A submit_sm with several destinations in the place of one."""

    command_id = CommandId.SUBMIT_MULTI
    fields = (
        CString("service_type", 6, Status.INVALID_SERVICE_TYPE),
        Integer("source_addr_ton"),
        Integer("source_addr_npi"),
        CString("source_addr", 21, Status.INVALID_SOURCE),
        Destinations(),
        Integer("esm_class"),
        Integer("protocol_id"),
        Integer("priority_flag"),
        CString("schedule_delivery_time", 17, Status.INVALID_SCHEDULE, whole=True),
        CString("validity_period", 17, Status.INVALID_VALIDITY, whole=True),
        Integer("registered_delivery"),
        Integer("replace_if_present_flag"),
        Integer("data_coding"),
        Integer("sm_default_msg_id"),
        ShortMessage(),
    )
    takes_tlvs = True

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    destinations: tuple[Destination | DistributionList, ...] = ()
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
    def content(self) -> bytes:
        """The message's octets (a user data header included), wherever the peer put them."""
        return self.short_message or self.message_payload or b""


@dataclass
class SubmitMultiResp(Pdu, stock.Command):
    """`unsuccessful` are the destinations that were refused; it may be empty."""

    command_id = CommandId.SUBMIT_MULTI_RESP
    fields = (CString("message_id", 65, Status.INVALID_MESSAGE_ID), UnsuccessfulDestinations())
    body = Body.ABSENT_ON_ERROR
    takes_tlvs = True

    message_id: str = ""
    unsuccessful: tuple[Unsuccessful, ...] = ()
