"""Delivery receipts as SMSCs write them: the text of SMPP 3.4 appendix B, and the parameters of section 5.3.2."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from chalicelib.domain.text import Encoding, decode
from infra.local.smsc.outcomes import Carrier, Outcome, Verdict
from infra.local.smsc.recorder import segment
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, SubmitSm
from smpp_bridge.protocol.tlvs import Tag, Tlv, receipt_tlvs

RECEIPT: Final = 0x04  # esm_class (section 5.2.12): SMSC delivery receipt
INTERMEDIATE: Final = 0x20
_QUOTED_CHARACTERS: Final = 20  # appendix B: the first 20 characters of the message
_GSM_NETWORK: Final = 3  # network_error_code (section 5.3.2.31)


class Receipt(Struct):
    """A receipt on its way; `attempts` counts those that the ESME refused or left unanswered."""

    system_id: str
    number: int
    source_ton: int
    source_npi: int
    source: str
    destination_ton: int
    destination_npi: int
    destination: str
    text: str
    submitted_at: float  # epoch seconds
    outcome: Outcome
    verdict: Verdict
    attempts: int = 0


def receipt_for(pdu: SubmitSm, system_id: str, number: int, outcome: Outcome, submitted_at: float) -> Receipt:
    """The final receipt of a submit_sm; it goes from the destination back to the source."""
    encoding = Encoding.UCS2 if pdu.data_coding == 0x08 else Encoding.GSM7
    return Receipt(
        system_id,
        number,
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        pdu.destination_addr,
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        pdu.source_addr,
        decode(segment(pdu).octets[: _QUOTED_CHARACTERS * 2], encoding)[:_QUOTED_CHARACTERS],
        submitted_at,
        outcome,
        outcome.verdict,
    )


def receipt_wanted(registered_delivery: int, verdict: Verdict) -> bool:
    """Section 5.2.17, bits 1 and 0: never, always, on failure only; 3 is 5.0's on success only."""
    match registered_delivery & 0x03:
        case 0:
            return False
        case 1:
            return True
        case 2:
            return verdict is not Verdict.DELIVERED
        case _:
            return verdict is Verdict.DELIVERED


def receipt_text(receipt: Receipt, done_at: float) -> str:
    """Appendix B: `id:… sub:… dlvrd:… submit date:YYMMDDhhmm done date:… stat:… err:… text:…`, in UTC."""
    delivered = int(receipt.verdict is Verdict.DELIVERED)
    err = "000" if receipt.verdict is Verdict.ENROUTE else receipt.outcome.err
    return (
        f"id:{_written_id(receipt)} sub:001 dlvrd:{delivered:03d} submit date:{_date(receipt.submitted_at)} "
        f"done date:{_date(done_at)} stat:{receipt.verdict.word} err:{err} text:{receipt.text}"
    )


def receipt_pdu(receipt: Receipt, done_at: float) -> DeliverSm | DataSm:
    """What is sent to the ESME, in the form that the outcome says."""
    carrier = receipt.outcome.carrier
    text = receipt_text(receipt, done_at).encode("ascii", errors="replace")
    tlvs = () if carrier in {Carrier.TEXT, Carrier.PAYLOAD} else _parameters(receipt)
    if carrier in {Carrier.PAYLOAD, Carrier.DATA_SM}:
        tlvs = (*tlvs, (Tag.MESSAGE_PAYLOAD, text))
    kind = DataSm if carrier is Carrier.DATA_SM else DeliverSm
    pdu = kind(
        source_addr_ton=receipt.source_ton,
        source_addr_npi=receipt.source_npi,
        source_addr=receipt.source,
        dest_addr_ton=receipt.destination_ton,
        dest_addr_npi=receipt.destination_npi,
        destination_addr=receipt.destination,
        esm_class=INTERMEDIATE if receipt.verdict is Verdict.ENROUTE else RECEIPT,
        tlvs=tlvs,
    )
    if isinstance(pdu, DeliverSm) and carrier in {Carrier.TEXT_AND_TLVS, Carrier.TEXT}:
        pdu.short_message = text
    return pdu


def _parameters(receipt: Receipt) -> tuple[Tlv, ...]:
    err = receipt.outcome.err
    network_error = bytes((_GSM_NETWORK,)) + int(err).to_bytes(2) if err.isdigit() else None
    return receipt_tlvs(_written_id(receipt), receipt.verdict.message_state, network_error)


def _written_id(receipt: Receipt) -> str:
    return receipt.outcome.receipt_id.format(receipt.number)


def _date(epoch_seconds: float) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%y%m%d%H%M")
