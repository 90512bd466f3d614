"""What a customer's SMPP client is told: what became of its messages, and what came in for its numbers."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.facts import ErrorInfo, Receipt
from chalicelib.domain.facts import Final as End
from chalicelib.domain.news import Heard
from chalicelib.domain.status import FINAL, Status
from chalicelib.domain.text import Encoding

NO_ERROR: Final = "000"
QUOTED_CHARACTERS: Final = 20  # SMPP 3.4, appendix B: the first 20 characters of the message
MAX_ERR: Final = 16  # of the operator's own code: one with more is no code
# registered_delivery (SMPP 3.4, 5.2.17), bits 1 and 0: which ends a receipt is wanted of. 3 is reserved there; in 5.0
# (4.7.21) it asks for receipts of success only, and whoever sets it means that.
ENDS_WANTED: Final[tuple[frozenset[Status], ...]] = (
    frozenset(),
    FINAL,
    FINAL - {Status.DELIVERED},
    frozenset({Status.DELIVERED}),
)
INTERMEDIATE_WANTED: Final = 0x10  # bit 4: intermediate notification
# What `err` says where the message failed here, before any operator had a say: nines, which GSM networks leave free.
OWN_ERRORS: Final[Mapping[str, str]] = {
    "no_route": "901",
    "no_gateway": "902",
    "no_simulator": "903",
    "no_credit": "904",
    "account_inactive": "905",
    "expired": "906",
    "validity_expired": "906",
    "canceled": "907",
    "no_answer": "908",
    "dnd": "909",
    "opted_out": "910",
    "outside_hours": "911",
    "content_blocked": "912",
    "sender_not_allowed": "913",
    "no_price": "914",
    "erased": "915",
}
OTHER_OWN_ERROR: Final = "900"
_COMMAND_STATUS: Final = re.compile("0x[0-9A-F]{2,8}")  # as the bridge tells a refused submit_sm


class EsmeReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="receipt"):
    """A delivery receipt, or an intermediate notification, of one id that a submit was answered with."""

    id: str
    sender: str  # of the message: where the receipt goes
    to: str  # E.164 with +: where it comes from
    submitted_ms: int
    done_ms: int
    status: Status
    err: str = NO_ERROR
    network_error: int | None = None  # what the operator's receipt said, where it is a number of 16 bits
    text: str = ""  # the message's first QUOTED_CHARACTERS
    intermediate: bool = False
    message: str = ""  # the message's own id, where another was answered: several messages may share that

    @property
    def name(self) -> str:
        """The same for the same receipt, however often it is told."""
        return f"{self.message}{self.id}#{'~' if self.intermediate else ''}{self.status}"


class EsmeInbound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="inbound"):
    """A message to a number of the customer's. `text`, or `data` where the encoding is binary."""

    id: str
    sender: str  # E.164 with +, or what the operator wrote
    recipient: str  # E.164 with +, or a short code
    encoding: Encoding
    at_ms: int
    text: str = ""
    data: bytes = b""

    @property
    def name(self) -> str:
        """The same for the same message, however often it is told."""
        return self.id


EsmeItem = EsmeReceipt | EsmeInbound


def receipts_of(heard: Heard, submitted_ms: int) -> Iterator[EsmeReceipt]:
    """What the message's sender asked to be told of this fact: a receipt for each id that it was answered with.

    None where it did not come by SMPP, or asked for no such thing. A receipt of the operator's is told as an
    intermediate notification where it is not final, and else not at all: the end that it brings is a fact of its own.
    """
    fact, content = heard.news.fact, heard.content
    if not content.login or not is_wanted(content.registered, fact):
        return
    error = fact.error if isinstance(fact, End | Receipt) else None
    intermediate = isinstance(fact, Receipt)
    for id_ in content.segment_ids or (heard.news.message,):
        yield EsmeReceipt(
            id=id_,
            sender=content.sender,
            to=content.to,
            submitted_ms=submitted_ms,
            done_ms=(fact.done_at_ms or fact.at_ms) if isinstance(fact, Receipt) else fact.at_ms,
            status=fact.status if isinstance(fact, End) else Status.SUBMITTED,
            err=err_of(error),
            network_error=network_error_of(error),
            text=quoted(content),
            intermediate=intermediate,
            message="" if id_ == heard.news.message else heard.news.message,
        )


def is_wanted(registered: int, fact: object) -> bool:
    """Whether who set `registered` (registered_delivery) wants to be told of the fact."""
    match fact:
        case End():
            return fact.status in ENDS_WANTED[registered & 0x03]
        case Receipt():
            return fact.status not in FINAL and bool(registered & INTERMEDIATE_WANTED)
        case _:
            return False


def err_of(error: ErrorInfo | None) -> str:
    """The `err` of a receipt: the operator's code, an SMSC's command_status in decimal, or one of OWN_ERRORS."""
    if error is None:
        return NO_ERROR
    code = error.gateway_code
    if not code:
        return OWN_ERRORS.get(error.code, OTHER_OWN_ERROR)
    if _COMMAND_STATUS.fullmatch(code):
        return f"{int(code, 16):03}"
    return code.zfill(3) if _is_word(code) else OTHER_OWN_ERROR


def network_error_of(error: ErrorInfo | None) -> int | None:
    """The operator's code as a number, where it gave one that network_error_code holds (SMPP 3.4, 5.3.2.31)."""
    code = error.gateway_code if error else None
    if not code or not code.isascii() or not code.isdigit() or len(code) > 5:
        return None
    return int(code) if int(code) <= 0xFFFF else None


def quoted(content: Content) -> str:
    """The text that a receipt begins to repeat, so that people find the message: on one line, nothing for data."""
    if content.encoding is Encoding.BINARY:
        return ""
    return "".join(character if character.isprintable() else " " for character in content.text[:QUOTED_CHARACTERS])


def _is_word(code: str) -> bool:
    return len(code) <= MAX_ERR and code.isascii() and code.isalnum()
