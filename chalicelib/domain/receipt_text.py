"""A delivery receipt as customers' clients read it: the text of SMPP 3.4 appendix B, and the TLVs beside it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from chalicelib.domain.esme import EsmeReceipt
from chalicelib.domain.receipts import STATE_OF_NUMBER, ReceiptState
from chalicelib.domain.status import Status

# What is told of each status. A message that no gateway took (`failed`) was not delivered; a canceled one is deleted.
STATE_OF_STATUS: Final[Mapping[Status, ReceiptState]] = {
    Status.ACCEPTED: ReceiptState.ACCEPTD,
    Status.SCHEDULED: ReceiptState.ENROUTE,
    Status.QUEUED: ReceiptState.ENROUTE,
    Status.SUBMITTED: ReceiptState.ENROUTE,
    Status.DELIVERED: ReceiptState.DELIVRD,
    Status.UNDELIVERED: ReceiptState.UNDELIV,
    Status.EXPIRED: ReceiptState.EXPIRED,
    Status.REJECTED: ReceiptState.REJECTD,
    Status.FAILED: ReceiptState.UNDELIV,
    Status.CANCELED: ReceiptState.DELETED,
    Status.UNKNOWN: ReceiptState.UNKNOWN,
}
_NUMBER_OF_STATE: Final[Mapping[ReceiptState, int]] = {state: number for number, state in STATE_OF_NUMBER.items()}
_MINUTE_MS: Final = 60_000
_GSM: Final = b"\x03"  # network_error_code's first octet (5.3.2.31)
# Latin-1 is what both read alike who take the octets as they are and who go by data_coding: in GSM 03.38 the _ of an
# id is another octet.
CHARSET: Final = "latin-1"


def message_state(status: Status) -> int:
    """The message_state of a status (5.2.28)."""
    return _NUMBER_OF_STATE[STATE_OF_STATUS[status]]


def network_error_code(receipt: EsmeReceipt) -> bytes | None:
    """The TLV's three octets: network type and code; None where no operator gave a code."""
    return None if receipt.network_error is None else _GSM + receipt.network_error.to_bytes(2, "big")


def receipt_text(receipt: EsmeReceipt) -> bytes:
    """`id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`; times YYMMDDhhmm in UTC, in Latin-1."""
    submitted, done = _written(receipt.submitted_ms // _MINUTE_MS), _written(receipt.done_ms // _MINUTE_MS)
    return (
        f"id:{receipt.id} sub:001 dlvrd:{int(receipt.status is Status.DELIVERED):03}"
        f" submit date:{submitted} done date:{done}"
        f" stat:{STATE_OF_STATUS[receipt.status]} err:{receipt.err} text:{receipt.text}"
    ).encode(CHARSET, "replace")


@lru_cache(1024)
def _written(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%y%m%d%H%M")
