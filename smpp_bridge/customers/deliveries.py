"""What a customer is told, as deliver_sm (SMPP 3.4, 4.6): receipts with text and TLVs, and messages from handsets."""

from functools import lru_cache
from typing import Final, NamedTuple

from chalicelib.domain import gsm
from chalicelib.domain.concatenation import Part, concatenate, reference_of
from chalicelib.domain.esme import EsmeInbound, EsmeItem, EsmeReceipt
from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.receipt_text import message_state, network_error_code, receipt_text
from chalicelib.domain.text import Encoding
from smpp_bridge.protocol.pdu import DeliverSm
from smpp_bridge.protocol.tlvs import Tag, receipt_tlvs

# esm_class toward an ESME (5.2.12)
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20
UDHI: Final = 0x40
LATIN_1: Final = 3  # data_coding (5.2.19) of the receipts' text
_DATA_CODINGS: Final = {Encoding.GSM7: 0, Encoding.UCS2: 8, Encoding.BINARY: 4}
_MAX_ADDRESS: Final = 20  # octets, without the NUL
_CACHED: Final = 4_096


class Address(NamedTuple):
    """TON, NPI and what goes into the address field."""

    ton: int
    npi: int
    value: str


def pdus_of(item: EsmeItem, *, takes_tlvs: bool) -> tuple[DeliverSm, ...]:
    """The deliver_sm of an item, made anew each time: one, or the parts of a long message for who takes no TLVs."""
    return (_receipt(item),) if isinstance(item, EsmeReceipt) else _inbound(item, takes_tlvs=takes_tlvs)


def _receipt(receipt: EsmeReceipt) -> DeliverSm:
    """From the recipient to the sender of the message that it is about."""
    source, destination = address(receipt.to), address(receipt.sender)
    return DeliverSm(
        tlvs=receipt_tlvs(receipt.id, message_state(receipt.status), network_error_code(receipt)),
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.value,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.value,
        esm_class=INTERMEDIATE if receipt.intermediate else RECEIPT,
        data_coding=LATIN_1,
        short_message=receipt_text(receipt),
    )


def _inbound(message: EsmeInbound, *, takes_tlvs: bool) -> tuple[DeliverSm, ...]:
    encoding = message.encoding
    if encoding is Encoding.GSM7 and not gsm.is_gsm(message.text):  # it came with octets that mean nothing
        encoding = Encoding.UCS2
    content = message.data if encoding is Encoding.BINARY else message.text
    parts = concatenate(content, encoding, "payload" if takes_tlvs else "udh", reference_of(message.id))
    return tuple(_part(message, encoding, part) for part in parts)


def _part(message: EsmeInbound, encoding: Encoding, part: Part) -> DeliverSm:
    source, destination = address(message.sender), address(message.recipient)
    return DeliverSm(
        tlvs=((Tag.MESSAGE_PAYLOAD, part.octets),) if part.payload else (),
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        source_addr=source.value,
        dest_addr_ton=destination.ton,
        dest_addr_npi=destination.npi,
        destination_addr=destination.value,
        esm_class=UDHI if part.esm_class_udhi else 0,
        data_coding=_DATA_CODINGS[encoding],
        short_message=b"" if part.payload else part.octets,
    )


@lru_cache(_CACHED)
def address(written: str) -> Address:
    """A number, short code or name as an address; what operators write beside those goes as a name, cut to fit."""
    try:
        sender = parse_sender(written)
    except BadSender:
        return Address(5, 0, _fitting(written))
    return Address(sender.ton, sender.npi, _fitting(sender.value))


def _fitting(value: str) -> str:
    """What the field takes: Latin-1 without NUL, ? for other characters."""
    return value.replace("\0", "").encode("latin-1", "replace").decode("latin-1")[:_MAX_ADDRESS]
