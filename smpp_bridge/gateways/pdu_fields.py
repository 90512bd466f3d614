"""What is kept of a PDU beside the fact that it brought: see domain.pdu."""

from collections.abc import Sequence
from typing import Final

from chalicelib.domain.numbers import mask
from chalicelib.domain.pdu import MAX_TLV_OCTETS, MAX_TLVS, MAX_UDH_OCTETS, MESSAGE_PAYLOAD, PduFields, PduTlv
from chalicelib.domain.receipts import said_by
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, SubmitSm

_UDHI: Final = 0x40  # esm_class, section 5.2.12


def of_submit(pdu: SubmitSm, sequence: int) -> PduFields:
    """The submit_sm as it went out under that sequence number."""
    return PduFields(
        int(pdu.command_id),
        sequence,
        pdu.service_type,
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        pdu.source_addr,
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        mask(pdu.destination_addr),
        pdu.esm_class,
        pdu.registered_delivery,
        pdu.data_coding,
        len(pdu.short_message),
        _udh(pdu.short_message) if pdu.esm_class & _UDHI else "",
        pdu.priority_flag,
        pdu.validity_period,
        pdu.protocol_id,
        _tlvs(pdu.tlvs) if pdu.tlvs else (),
    )


def of_receipt(pdu: DeliverSm | DataSm, text: str) -> PduFields:
    """The deliver_sm or data_sm with a receipt in it; `text` is what it says, decoded."""
    deliver = pdu if isinstance(pdu, DeliverSm) else None  # data_sm has fewer fields
    return PduFields(
        int(pdu.command_id),
        pdu.sequence,
        pdu.service_type,
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        mask(pdu.source_addr),
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        pdu.destination_addr,
        pdu.esm_class,
        pdu.registered_delivery,
        pdu.data_coding,
        len(deliver.short_message) if deliver else 0,
        _udh(pdu.content) if pdu.esm_class & _UDHI else "",
        deliver.priority_flag if deliver else 0,
        "",
        deliver.protocol_id if deliver else 0,
        _tlvs(pdu.tlvs) if pdu.tlvs else (),
        said_by(text),
    )


def _udh(octets: bytes) -> str:
    return octets[: min(1 + octets[0], MAX_UDH_OCTETS)].hex() if octets else ""


def _tlvs(tlvs: Sequence[tuple[int, bytes]]) -> tuple[PduTlv, ...]:
    return tuple(
        PduTlv(int(tag), len(value), "" if tag == MESSAGE_PAYLOAD else value[:MAX_TLV_OCTETS].hex())
        for tag, value in tlvs[:MAX_TLVS]
    )
