"""The fields of the PDU that a fact came out of, without what the message says: for who looks into one message's life.

No text is in it, and numbers of people are masked: the message's own record has them, under the account's retention,
and a number that is erased there is not left here.
"""

from typing import Final

import msgspec

SUBMIT_SM: Final = 0x00000004  # SMPP 3.4, 5.1.2.1
DELIVER_SM: Final = 0x00000005
DATA_SM: Final = 0x00000103
COMMANDS: Final[dict[int, str]] = {SUBMIT_SM: "submit_sm", DELIVER_SM: "deliver_sm", DATA_SM: "data_sm"}
MESSAGE_PAYLOAD: Final = 0x0424  # 5.3.2.32: the message itself, of which only the length is kept
MAX_TLVS: Final = 16
MAX_TLV_OCTETS: Final = 32  # of a value that are kept
MAX_UDH_OCTETS: Final = 16


class PduTlv(msgspec.Struct, frozen=True, array_like=True):
    """An optional parameter: tag, length, and its first octets in hexadecimal; none of message_payload."""

    tag: int
    length: int
    value: str = ""


class PduFields(msgspec.Struct, frozen=True, array_like=True):
    """submit_sm, deliver_sm or data_sm (SMPP 3.4, 4.4 to 4.7) as it was on the wire. An array, since each part of each
    message has one: some hundred octets. New fields come at the end, with a default.
    """

    command_id: int
    sequence: int
    service_type: str
    source_ton: int
    source_npi: int
    source: str  # of a receipt masked: it is the recipient
    destination_ton: int
    destination_npi: int
    destination: str  # of a submit masked
    esm_class: int
    registered_delivery: int
    data_coding: int
    sm_length: int  # octets of short_message, its header included
    udh: str = ""  # its user data header in hexadecimal, the length octet included
    priority: int = 0
    validity: str = ""
    protocol_id: int = 0
    tlvs: tuple[PduTlv, ...] = ()
    said: str = ""  # of a receipt: the fields of its text, `id:… stat:…`, without the message's own words

    @property
    def command(self) -> str:
        """As SMPP calls it."""
        return COMMANDS.get(self.command_id, f"0x{self.command_id:08X}")
