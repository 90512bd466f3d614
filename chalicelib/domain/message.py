"""A message is a list of facts; its status is the fold of them."""

import typing
from collections.abc import Iterable

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.facts import (
    Accepted,
    AnyFact,
    Attempted,
    ErrorInfo,
    Fact,
    Final,
    Held,
    Queued,
    Receipt,
    Refunded,
    Scheduled,
    Submitted,
)
from chalicelib.domain.status import FINAL, PERMANENT, RANK, Status

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
