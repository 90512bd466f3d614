"""Settle: what SMSCs did with messages becomes facts; ends are drawn from receipts, and paid back where due."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from chalicelib import wire
from chalicelib.domain import facts, ids
from chalicelib.domain.facts import AnyFact, Final, Queued, Receipt
from chalicelib.domain.message import outcome_of_parts
from chalicelib.domain.refunds import EndedBy, is_refunded
from chalicelib.domain.status import FINAL, RANK, Status
from chalicelib.services.announce import News, announce, has_ears
from chalicelib.services.count_ends import count_ends
from chalicelib.services.refund import Due, refund
from chalicelib.services.refuse_unpaid import refuse_unpaid
from chalicelib.services.tally import tally_outcomes
from chalicelib.services.tell_esme import tell_again
from chalicelib.store import accounts, messages, queues, receipt_pointers
from chalicelib.store.messages import Noted, Whose
from chalicelib.store.receipt_pointers import Pointer, name_of
from chalicelib.wire import (
    AttemptOutcome,
    EndOutcome,
    InboundBundle,
    InboundOutcome,
    Outcome,
    OutcomeBundle,
    ReceiptOutcome,
    SubmitOutcome,
    ToldInVain,
)

log = logging.getLogger(__name__)
# How long a receipt waits for its message before each next look: a receipt may overtake the response to its submit,
# whose outcome may be late by an outage, or by the two minutes after which a record comes again. In all about an hour;
# then it belongs to nobody.
LOOKS_SECONDS = (1, 5, 15, 30, 90, 600, 900, 900, 900)
UNMATCHED = "unmatched receipt"
Told = tuple[str, str, AnyFact]  # account, message id, what happened to it


class Found(NamedTuple):
    """A receipt with the part it is for."""

    outcome: ReceiptOutcome
    pointer: Pointer


class Ending(NamedTuple):
    """A message's end as just learned, and whether the sender of the news would pay it back."""

    account: str
    message_id: str
    final: Final
    ended_by: EndedBy
    refundable: bool


def settle(bundles: Sequence[OutcomeBundle], now_ms: int) -> None:
    """Note what happened, in whatever order it is told; doing it again changes nothing."""
    outcomes = [outcome for bundle in bundles for outcome in bundle.outcomes]
    submitted = _of(outcomes, SubmitOutcome)
    pointers = [_pointer(outcome) for outcome in submitted]
    receipt_pointers.put(pointers)
    found, missing = _match(_of(outcomes, ReceiptOutcome), pointers)
    happened: list[Told] = [
        *((one.account, one.message, _submitted(one)) for one in submitted),
        *((one.account, one.message, _attempted(one)) for one in _of(outcomes, AttemptOutcome)),
        *((one.pointer.account, one.pointer.message, _receipt(one)) for one in found),
    ]
    _note(happened, now_ms)
    endings = [*(_ended(outcome) for outcome in _of(outcomes, EndOutcome)), *_decided(found)]
    ended = [(one.account, one.message_id, one.final) for one in endings]
    queued = _queued(happened, ended, now_ms)
    standing = count_ends(ended, queued, now_ms)
    refuse_unpaid(ended, queued)
    _note_ends(ended, queued, now_ms)
    tally_outcomes(
        bundles,
        ((id(one.outcome), one.pointer.message) for one in found),
        ((one.message_id, one.final.status) for one in endings),
        now_ms,
    )
    _pay_back(endings, queued, standing, now_ms)
    announce([_news(*one, queued, standing) for one in (*happened, *ended) if _is_news(one[2])], now_ms)
    tell_again(_of(outcomes, ToldInVain))
    _park(missing, now_ms)
    _hand_on(_of(outcomes, InboundOutcome), now_ms)


def _hand_on(inbound: Sequence[InboundOutcome], now_ms: int) -> None:
    """What people wrote is for another function: joining and answering it needs more than settling does."""
    if inbound:
        queues.send(queues.INBOUND, InboundBundle(id=ids.new_ulid(now_ms), came=tuple(inbound)))


def _queued(happened: Iterable[Told], ended: Iterable[Told], now_ms: int) -> dict[Whose, Queued]:
    """How each message was charged that has ended, or that somebody hears of: read once, for all that ask below."""
    heard = ((account, message) for account, message, fact in happened if _is_news(fact))
    whose = [(account, message) for account, message, _ in ended]
    whose += (one for one in heard if has_ears(*one, now_ms))
    known = messages.named((*one, messages.QUEUED) for one in dict.fromkeys(whose))
    return {one: fact for one, some in known.items() for fact in some if isinstance(fact, Queued)}


def _is_news(fact: AnyFact) -> bool:
    """Attempts are the platform's own affair."""
    return not isinstance(fact, facts.Attempted)


def _news(
    account: str, message: str, fact: AnyFact, queued: Mapping[Whose, Queued], standing: Mapping[Whose, Status]
) -> News:
    paid, counted = queued.get((account, message)), standing.get((account, message))
    stands = counted is None or not isinstance(fact, Final) or RANK[counted] <= RANK[fact.status]
    return News(
        account=account,
        message=message,
        fact=fact,
        content=paid.content if paid else None,
        stands=stands if paid else None,
    )


def _match(receipts: Sequence[ReceiptOutcome], fresh: Iterable[Pointer]) -> tuple[list[Found], list[ReceiptOutcome]]:
    """Receipts with their messages, and those whose message is not known (yet)."""
    known = {pointer.name: pointer for pointer in fresh}
    unknown = [receipt for receipt in receipts if _first(receipt, known) is None]
    known |= receipt_pointers.find((receipt.gateway, receipt.ids) for receipt in unknown)
    found: list[Found] = []
    missing: list[ReceiptOutcome] = []
    for receipt in receipts:
        pointer = _first(receipt, known)
        if pointer is None:
            missing.append(receipt)
        else:
            found.append(Found(receipt, pointer))
    return found, missing


def _first(receipt: ReceiptOutcome, known: dict[str, Pointer]) -> Pointer | None:
    """By the first of the id's forms that is known: the raw one before the converted."""
    forms = (known.get(name_of(receipt.gateway, form)) for form in receipt.ids)
    return next((pointer for pointer in forms if pointer is not None), None)


def _decided(found: Sequence[Found]) -> list[Ending]:
    """The ends that receipts bring: a single part's at once, of several parts when all are decided."""
    endings: list[Ending] = []
    several: dict[tuple[str, str], None] = {}
    for one in found:
        if one.outcome.status not in FINAL:
            continue
        if one.pointer.parts == 1:
            endings.append(_by_receipt(one.pointer.account, one.pointer.message, _receipt(one)))
        else:
            several[one.pointer.account, one.pointer.message] = None
    for account, message_id in several:  # whose receipts are all noted by now: the last to look sees them all
        known = messages.facts_of(account, message_id)
        deciding = outcome_of_parts(fact for fact in known if isinstance(fact, Receipt))
        if deciding is not None:
            endings.append(_by_receipt(account, message_id, deciding))
    return endings


def _by_receipt(account: str, message_id: str, receipt: Receipt) -> Ending:
    final = Final(at_ms=receipt.at_ms, status=receipt.status, error=receipt.error)
    return Ending(account, message_id, final, EndedBy.RECEIPT, refundable=True)


def _ended(outcome: EndOutcome) -> Ending:
    final = Final(at_ms=outcome.at_ms, status=outcome.status, error=outcome.error)
    return Ending(outcome.account, outcome.message, final, EndedBy.PLATFORM, outcome.refundable)


def _pay_back(
    endings: Sequence[Ending], queued: Mapping[Whose, Queued], standing: Mapping[Whose, Status], now_ms: int
) -> None:
    """Refund by the accounts' policies, unless a message is known to have fared better than its end says."""
    asked = {(one.account, one.message_id): one for one in endings if _may_be_paid_back(one, now_ms)}
    dues: dict[str, list[Due]] = defaultdict(list)
    for whose, one in asked.items():
        paid, status = queued.get(whose), one.final.status
        if paid is not None and RANK[standing.get(whose, status)] <= RANK[status]:
            why = one.final.error.code if one.final.error else status
            dues[one.account].append(Due(one.message_id, paid, why))
    for account, of_account in dues.items():
        refund(account, of_account, now_ms)


def _may_be_paid_back(ending: Ending, now_ms: int) -> bool:
    account = accounts.cached(ending.account, now_ms)
    if account is None or not ending.refundable:
        return False
    return is_refunded(account.refund_policy, ending.ended_by, ending.final.status)


def _park(missing: Sequence[ReceiptOutcome], now_ms: int) -> None:
    """Look again later, each time after longer; what stays unmatched goes where a person can see it."""
    by_looks: dict[int, list[ReceiptOutcome]] = defaultdict(list)
    for receipt in missing:
        by_looks[receipt.looked].append(msgspec.structs.replace(receipt, looked=receipt.looked + 1))
    for looked, receipts in by_looks.items():
        bundle = OutcomeBundle(id=ids.new_ulid(now_ms), outcomes=tuple(receipts))
        if looked < len(LOOKS_SECONDS):
            queues.send(queues.OUTCOMES, bundle, delay_seconds=LOOKS_SECONDS[looked])
        else:
            log.error(UNMATCHED, extra={"gateways": sorted({receipt.gateway for receipt in receipts})})
            queues.bury(queues.OUTCOMES, wire.encode(bundle), UNMATCHED, receives=looked + 1)


def _note(noted: Iterable[Told], now_ms: int) -> None:
    messages.put_facts(
        Noted(account, message_id, fact, accounts.retention_days(account, now_ms))
        for account, message_id, fact in noted
    )


def _note_ends(ended: Iterable[Told], queued: Mapping[Whose, Queued], now_ms: int) -> None:
    """Only once they are counted: who comes after a death in between counts nothing twice, and notes them."""
    messages.put_facts(
        Noted(account, message_id, final, accounts.retention_days(account, now_ms), (account, message_id) not in queued)
        for account, message_id, final in ended
    )


def _pointer(outcome: SubmitOutcome) -> Pointer:
    return Pointer(
        gateway=outcome.gateway,
        smsc_message_id=outcome.smsc_message_id,
        account=outcome.account,
        message=outcome.message,
        part=outcome.part,
        parts=outcome.parts,
        at_ms=outcome.at_ms,
    )


def _submitted(outcome: SubmitOutcome) -> facts.Submitted:
    return facts.Submitted(
        at_ms=outcome.at_ms,
        part=outcome.part,
        parts=outcome.parts,
        gateway=outcome.gateway,
        smsc_message_id=outcome.smsc_message_id,
        session=outcome.session,
        pdu=outcome.pdu,
    )


def _attempted(outcome: AttemptOutcome) -> facts.Attempted:
    return facts.Attempted(
        at_ms=outcome.at_ms,
        attempt=outcome.attempt,
        part=outcome.part,
        gateway=outcome.gateway,
        error=outcome.error,
        next=outcome.next,
    )


def _receipt(found: Found) -> Receipt:
    outcome, pointer = found
    return Receipt(
        at_ms=outcome.at_ms,
        part=pointer.part,
        parts=pointer.parts,
        gateway=pointer.gateway,
        smsc_message_id=pointer.smsc_message_id,
        status=outcome.status,
        state=outcome.state,
        error=outcome.error,
        done_at_ms=outcome.done_at_ms,
        pdu=outcome.pdu,
    )


_O = TypeVar("_O", bound=msgspec.Struct)


def _of(outcomes: Iterable[Outcome], kind: type[_O]) -> list[_O]:
    return [outcome for outcome in outcomes if isinstance(outcome, kind)]
