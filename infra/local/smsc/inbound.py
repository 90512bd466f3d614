"""Messages from handsets (MO): as POST /inbound asks for them, cut into parts, in any order and as often as told."""

import base64
from typing import Final, Literal

from msgspec import Struct

from chalicelib.domain.concatenation import concatenate
from chalicelib.domain.numbers import parse_sender
from chalicelib.domain.text import Encoding, encoding_of
from infra.local.smsc.receipts import Receipt, receipt_pdu
from smpp_bridge.protocol.pdu import DataSm, DeliverSm
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs

_UDHI: Final = 0x40  # esm_class, section 5.2.12
_CODING: Final = {Encoding.GSM7: 0x00, Encoding.UCS2: 0x08, Encoding.BINARY: 0x04}


class Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sender": "from"}):
    """What somebody writes. `text` or `data` (base64)."""

    sender: str
    to: str
    text: str = ""
    data: str = ""
    form: Literal["udh", "udh8", "sar", "payload"] = "udh"  # of a long one
    data_sm: bool = False
    reference: int = 1
    order: tuple[int, ...] = ()  # the parts to send, by number, repeated as given; (): each once
    esm_class: int = 0
    data_coding: int | None = None  # None: what the text takes
    system_id: str | None = None  # whose session it goes to; None: anybody's


class Inbound(Struct):
    """One PDU on its way; `attempts` counts those that the ESME refused or left unanswered."""

    system_id: str
    pdu: DeliverSm | DataSm
    attempts: int = 0


Mail = Receipt | Inbound


def mail_pdu(mail: Mail, at: float) -> DeliverSm | DataSm:
    """What is sent for it, at an instant (epoch seconds)."""
    return mail.pdu if isinstance(mail, Inbound) else receipt_pdu(mail, at)


def inbound_of(written: Written, system_id: str) -> list[Inbound]:
    """Its parts in the order asked for. Raises ValueError for what cannot be written."""
    encoding = encoding_of(written.text) if written.text else Encoding.BINARY
    content: str | bytes = written.text or base64.b64decode(written.data, validate=True)
    parts = concatenate(content, encoding, written.form, written.reference)
    source, destination = parse_sender(written.sender), parse_sender(written.to)
    made = []
    for number in written.order or range(1, len(parts) + 1):
        if not 1 <= number <= len(parts):
            raise ValueError(f"it has {len(parts)} parts")
        part = parts[number - 1]
        kind = DataSm if written.data_sm else DeliverSm
        pdu = kind(
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.value,
            dest_addr_ton=destination.ton,
            dest_addr_npi=destination.npi,
            destination_addr=destination.value,
            esm_class=written.esm_class | (_UDHI if part.esm_class_udhi else 0),
            data_coding=_CODING[encoding] if written.data_coding is None else written.data_coding,
            tlvs=segment_tlvs(*part.sar) if part.sar else (),
        )
        if isinstance(pdu, DeliverSm) and not part.payload:
            pdu.short_message = part.octets
        else:
            pdu.tlvs = (*pdu.tlvs, (Tag.MESSAGE_PAYLOAD, part.octets))
        made.append(Inbound(system_id, pdu))
    return made
