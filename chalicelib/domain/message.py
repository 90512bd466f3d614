"""A message is a list of facts, each written once; its status is the fold of them."""

import typing
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from chalicelib.domain.pdu import PduFields
from chalicelib.domain.text import Encoding


class Status(StrEnum):
    """What a customer is told of a message."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


# Which fact wins when several are known, whatever order they came in: a later step over an earlier one, and among
# final states what the handset said over what a clock or a table said. One place, used by fold and settle.
RANK: typing.Final[dict[Status, int]] = {
    Status.SCHEDULED: 0,
    Status.ACCEPTED: 5,
    Status.QUEUED: 10,
    Status.SUBMITTED: 20,
    Status.UNKNOWN: 30,
    Status.EXPIRED: 40,
    Status.CANCELED: 50,
    Status.FAILED: 55,
    Status.REJECTED: 60,
    Status.UNDELIVERED: 70,
    Status.DELIVERED: 80,
}
FINAL: typing.Final = frozenset(status for status, rank in RANK.items() if rank >= RANK[Status.UNKNOWN])
# Where sending the same text to the same number again cannot help.
PERMANENT: typing.Final = frozenset({Status.DELIVERED, Status.REJECTED, Status.CANCELED})

FAILED_OVER: typing.Final = "fail over to "  # how `Attempted.next` begins when the message went to another gateway

Priority = Literal["bulk", "normal", "high"]
Mode = Literal["live", "test"]
# Promotional traffic minds Do Not Disturb and hours; a confirmation answers the recipient's own message.
Category = Literal["promotional", "transactional", "confirmation"]
Source = Literal["https", "smpp", "panel", "job"]


class Tlv(msgspec.Struct, frozen=True, array_like=True):
    """An optional parameter of SMPP (3.4, 3.2.4.1), as it came."""

    tag: int
    value: bytes


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """One part of a message that its sender cut (GSM 03.40, 9.2.3.24.1): `number` of `total`, from 1."""

    reference: int
    total: int
    number: int


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer handed over, after checking. Exactly one of `text` and `data` is meant by `encoding`."""

    to: str  # E.164 with +
    country: str  # ISO 3166-1 alpha-2
    sender: str
    encoding: Encoding
    parts: int
    valid_until_ms: int
    text: str = ""
    data: bytes = b""
    priority: Priority = "normal"
    client_ref: str | None = None
    mode: Mode = "live"
    source: Source = "https"
    login: str = ""  # the SMPP login (system_id) that it came by
    registered: int = 0  # registered_delivery as asked for (SMPP 3.4, 5.2.17)
    message_class: int | None = None  # GSM 03.38, 4: 0 is flash
    udh: bytes = b""  # the customer's own user data header elements, without the length octet
    segment: Segment | None = None  # a part that the customer cut, whose other parts did not come
    tlvs: tuple[Tlv, ...] = ()  # for the gateway
    segment_ids: tuple[str, ...] = ()  # what its sender was answered, if not its id alone: where receipts go to
    callback_url: str = ""  # where its events go, beside the account's webhooks
    job: str = ""  # the job that made it
    category: Category = "promotional"
    data_coding: int | None = None  # as SMPP gave a scheduled one: what replaces its text is read by it
    by: str = ""  # who sent it: the user's id, else the API key's, else the SMPP login
    text_hash: str = ""  # instead of the text, or data, where that is not kept (domain.cdr.text_hash)
    text_length: int = 0  # how many characters, or octets, that one had


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why: a stable snake_case code, a sentence, and the gateway's own code where it gave one."""

    code: str
    title: str
    gateway_code: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """One thing that happened to a message, at an instant (epoch ms, UTC)."""

    at_ms: int

    @property
    def key(self) -> str:
        """The fact's name within its message: the same fact always has the same name."""
        return type(self).__name__.lower()


class Accepted(Fact, frozen=True, kw_only=True, tag="accepted"):
    """The platform answered with an id."""

    content: Content


class Held(Fact, frozen=True, kw_only=True, tag="held"):
    """A content rule holds it until a person has looked at it, or its validity is over."""


class Scheduled(Fact, frozen=True, kw_only=True, tag="scheduled"):
    """The platform answered with an id, and keeps it until its time. Where it is replaced, this is what it is now."""

    content: Content
    due_ms: int


class Queued(Fact, frozen=True, kw_only=True, tag="queued"):
    """Routed, priced and charged; handed to the gateway's queue."""

    content: Content
    gateway: str
    route: str
    operator: str
    price_micros: int  # per part
    charge_micros: int  # what the account paid for this message
    rules: int  # number of the snapshot that decided
    bundle: str  # name of the ledger entry that paid
    why: str  # one line: how the route was found
    dispatch: str = ""  # under which name its bridge claims it, where it shares a bundle
    cost_micros: int | None = None  # per part, at `gateway`; None: not known. Where it failed over: domain.costs


class Submitted(Fact, frozen=True, kw_only=True, tag="submitted"):
    """The SMSC took one part."""

    part: int
    parts: int
    gateway: str
    smsc_message_id: str
    session: str
    pdu: PduFields | None = None  # the submit_sm that it answered

    @property
    def key(self) -> str:
        return f"submitted#{self.part:03}"


class Attempted(Fact, frozen=True, kw_only=True, tag="attempted"):
    """The SMSC refused or did not answer one part; what the bridge did next."""

    attempt: int
    part: int
    gateway: str
    error: ErrorInfo
    next: str  # 'retry in 5 s', 'fail over to …', 'hold'

    @property
    def key(self) -> str:
        return f"attempted#{self.gateway}#{self.part:03}#{self.attempt:03}"

    @property
    def failed_over(self) -> bool:
        """Whether the message left this gateway for another one, which it does only with no part taken."""
        return self.next.startswith(FAILED_OVER)


class Receipt(Fact, frozen=True, kw_only=True, tag="receipt"):
    """A delivery receipt of one part, as the SMSC gave it. `at_ms` is when it came, `done_at_ms` what it says."""

    part: int
    parts: int
    gateway: str
    smsc_message_id: str
    status: Status
    state: str  # the SMSC's own word: DELIVRD, UNDELIV …
    error: ErrorInfo | None = None
    done_at_ms: int | None = None
    pdu: PduFields | None = None  # the deliver_sm or data_sm that it came in

    @property
    def key(self) -> str:
        return f"receipt#{self.part:03}#{self.state.lower()}"


class Refunded(Fact, frozen=True, kw_only=True, tag="refunded"):
    """The charge was given back."""

    refund_micros: int


class Final(Fact, frozen=True, kw_only=True, tag="final"):
    """The message reached an end. A later, higher-ranking end stands beside it under its own name."""

    status: Status
    error: ErrorInfo | None = None

    @property
    def key(self) -> str:
        return f"final#{self.status}"


_OVER: typing.Final = {
    status: tuple(Final(at_ms=0, status=other).key for other in FINAL if RANK[other] > RANK[status]) for status in FINAL
}


def ends_over(status: Status) -> tuple[str, ...]:
    """The keys of the ends that would stand over an end with that status."""
    return _OVER[status]


AnyFact = Accepted | Scheduled | Held | Queued | Submitted | Attempted | Receipt | Refunded | Final
# What follows from what, for facts of the same instant: an end has the time of the receipt that brought it.
_STEPS: typing.Final[tuple[type[Fact], ...]] = (
    *(Scheduled, Accepted, Held, Queued),
    *(Attempted, Submitted, Receipt, Final, Refunded),
)


def timeline(facts: Iterable[AnyFact]) -> tuple[AnyFact, ...]:
    """The facts in order of time, and of cause where they share an instant."""
    return tuple(sorted(facts, key=lambda fact: (fact.at_ms, _STEPS.index(type(fact)))))


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The fold of a message's facts."""

    id: str
    status: Status
    content: Content | None
    queued: Queued | None
    created_ms: int
    updated_ms: int
    error: ErrorInfo | None
    parts_submitted: int
    refund_micros: int
    held: bool = False  # it waits for a person
    due_ms: int | None = None  # when it is to be sent, where its customer asked for a time

    @property
    def final(self) -> bool:
        return self.status in FINAL

    @property
    def permanent(self) -> bool:
        return self.status in PERMANENT


def status_of(fact: AnyFact) -> Status | None:
    """The status that the fact alone would give its message, if any."""
    match fact:
        case Accepted() | Held():
            return Status.ACCEPTED
        case Scheduled():
            return Status.SCHEDULED
        case Queued():
            return Status.QUEUED
        case Submitted():
            return Status.SUBMITTED
        case Final():
            return fact.status
        case _:
            return None


def fold(message_id: str, facts: Iterable[AnyFact]) -> Message | None:
    """The message as its facts tell it, in whatever order they are given; None where there are none."""
    known = sorted(facts, key=lambda fact: fact.at_ms)
    if not known:
        return None
    leading = max(known, key=_rank_of)
    queued = next((fact for fact in known if isinstance(fact, Queued)), None)
    accepted = next((fact for fact in known if isinstance(fact, Accepted)), None)
    scheduled = next((fact for fact in known if isinstance(fact, Scheduled)), None)
    origin = accepted or queued or scheduled
    return Message(
        id=message_id,
        status=status_of(leading) or Status.ACCEPTED,
        content=origin.content if origin else None,
        queued=queued,
        created_ms=known[0].at_ms,
        updated_ms=known[-1].at_ms,
        error=leading.error if isinstance(leading, Final) else None,
        parts_submitted=len({fact.part for fact in known if isinstance(fact, Submitted)}),
        refund_micros=sum(fact.refund_micros for fact in known if isinstance(fact, Refunded)),
        held=queued is None and any(isinstance(fact, Held) for fact in known),
        due_ms=scheduled.due_ms if scheduled else None,
    )


def _rank_of(fact: AnyFact) -> int:
    status = status_of(fact)
    return -1 if status is None else RANK[status]


def outcome_of_parts(receipts: Iterable[Receipt]) -> Receipt | None:
    """The receipt that decides a message: None until every part has a final receipt; then the worst part's.

    Of several receipts of one part the one that ranks highest counts, so a delivery wins over an expiry. Of the parts
    the lowest-ranking decides: so each further receipt can only raise the outcome, and the order that they came in
    does not matter to the fold.
    """
    best: dict[int, Receipt] = {}
    parts = 0
    for receipt in receipts:
        parts = receipt.parts
        held = best.get(receipt.part)
        if receipt.status in FINAL and (held is None or RANK[receipt.status] > RANK[held.status]):
            best[receipt.part] = receipt
    if not parts or len(best) < parts:
        return None
    worst = min(RANK[receipt.status] for receipt in best.values())
    return max(
        (receipt for receipt in best.values() if RANK[receipt.status] == worst),
        key=lambda receipt: (receipt.at_ms, receipt.part),
    )
