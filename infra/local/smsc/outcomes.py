"""What the simulator does with a message, by the last four digits of its destination: the magic numbers, as a table."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from smpp_bridge.protocol.status import Status

SUFFIX_DIGITS: Final = 4


class Verdict(Enum):
    """How a message ends: the word of a receipt's text (appendix B), and message_state (section 5.2.28)."""

    DELIVERED = ("DELIVRD", 2)
    EXPIRED = ("EXPIRED", 3)
    UNDELIVERABLE = ("UNDELIV", 5)
    UNKNOWN = ("UNKNOWN", 7)
    REJECTED = ("REJECTD", 8)
    ENROUTE = ("ENROUTE", 1)

    def __init__(self, word: str, message_state: int) -> None:
        self.word = word
        self.message_state = message_state


class Receipts(Enum):
    """Which receipts come, if the submit_sm asked for one."""

    ONE = "one, after the delay"
    NONE = "none, ever"
    BEFORE_RESPONSE = "one, before the submit_sm_resp"
    TWICE = "the same one twice"
    ENROUTE_FIRST = "an intermediate one, then the final one"


class Carrier(Enum):
    """What a receipt travels in."""

    TEXT_AND_TLVS = "deliver_sm with text and TLVs"
    TLVS = "deliver_sm with TLVs alone"
    TEXT = "deliver_sm with text alone"
    PAYLOAD = "deliver_sm with its text in message_payload"
    DATA_SM = "data_sm"


class Answer(Enum):
    """What becomes of the submit_sm itself."""

    GIVEN = "a response"
    NEVER = "no response"
    DISCONNECT = "no response: the connection is closed at once"
    GIVEN_THEN_DISCONNECT = "a response, then the connection is closed"


class Outcome(Struct, frozen=True, kw_only=True):
    """One row. `refusals` is how many submits a destination needs before one is taken; None: it never is."""

    description: str
    verdict: Verdict = Verdict.DELIVERED
    err: str = "000"
    refusal: int = Status.OK
    refusals: int | None = 0
    answer: Answer = Answer.GIVEN
    receipts: Receipts = Receipts.ONE
    carrier: Carrier = Carrier.TEXT_AND_TLVS
    response_id: str = "{:d}"  # the message's number as the submit_sm_resp writes it
    receipt_id: str = "{:d}"  # and as its receipts do


DELIVERED: Final = Outcome(description="delivered: the receipt comes after the delay")

OUTCOMES: Final[Mapping[str, Outcome]] = {
    # how it ends
    "0001": Outcome(description="undelivered: UNDELIV, err 001", verdict=Verdict.UNDELIVERABLE, err="001"),
    "0002": Outcome(description="expired: EXPIRED, err 002", verdict=Verdict.EXPIRED, err="002"),
    "0003": Outcome(description="rejected in the receipt: REJECTD, err 003", verdict=Verdict.REJECTED, err="003"),
    "0004": Outcome(description="unknown: UNKNOWN, err 00A (with a letter)", verdict=Verdict.UNKNOWN, err="00A"),
    "0005": Outcome(description="ENROUTE, then delivered", receipts=Receipts.ENROUTE_FIRST),
    # refused at submit, for ever
    "0010": Outcome(description="refused: 0x0B invalid destination", refusal=Status.INVALID_DESTINATION, refusals=None),
    "0011": Outcome(description="refused: 0x45 submit failed", refusal=Status.SUBMIT_FAILED, refusals=None),
    "0012": Outcome(description="refused: 0x0411, a vendor's own status", refusal=0x0411, refusals=None),
    # refused for a while
    "0020": Outcome(description="throttled (0x58) twice, then delivered", refusal=Status.THROTTLED, refusals=2),
    "0021": Outcome(
        description="message queue full (0x14) once, then delivered", refusal=Status.QUEUE_FULL, refusals=1
    ),
    "0022": Outcome(description="system error (0x08) once, then delivered", refusal=Status.SYSTEM_ERROR, refusals=1),
    # silence
    "0030": Outcome(description="no answer to the submit_sm, ever, and not taken", answer=Answer.NEVER),
    "0031": Outcome(description="taken, and no receipt ever", receipts=Receipts.NONE),
    # receipts as they come in the wild
    "0040": Outcome(description="delivered: the receipt overtakes the response", receipts=Receipts.BEFORE_RESPONSE),
    "0041": Outcome(
        description="delivered: id hexadecimal in the response, decimal in the receipt", response_id="{:x}"
    ),
    "0042": Outcome(
        description="delivered: id decimal in the response, hexadecimal with leading zeros in the receipt",
        receipt_id="{:016X}",
    ),
    "0043": Outcome(description="delivered: the receipt comes twice", receipts=Receipts.TWICE),
    "0044": Outcome(description="delivered: the receipt has TLVs and no text", carrier=Carrier.TLVS),
    "0045": Outcome(description="delivered: the receipt has text and no TLVs", carrier=Carrier.TEXT),
    "0046": Outcome(description="delivered: the receipt's text is in message_payload", carrier=Carrier.PAYLOAD),
    "0047": Outcome(description="delivered: the receipt is a data_sm", carrier=Carrier.DATA_SM),
    # broken connections
    "0050": Outcome(description="disconnects instead of answering, and has not taken it", answer=Answer.DISCONNECT),
    "0051": Outcome(
        description="answers, then disconnects; delivered: the receipt comes on the next session",
        answer=Answer.GIVEN_THEN_DISCONNECT,
    ),
}


def outcome_of(destination: str) -> Outcome:
    """The outcome of a message to `destination`; DELIVERED unless its last four digits are in the table."""
    return OUTCOMES.get(destination[-SUFFIX_DIGITS:], DELIVERED)


def table() -> list[tuple[str, str]]:
    """(last digits, what happens), for the README and for `--outcomes`."""
    return [*((suffix, outcome.description) for suffix, outcome in OUTCOMES.items()), ("other", DELIVERED.description)]
