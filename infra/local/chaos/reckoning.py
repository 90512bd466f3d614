"""The account of a run: what became of each accepted message, what it was charged, and how often the SMSC took it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from chalicelib.domain.facts import AnyFact, Attempted, Queued
from chalicelib.domain.message import fold
from chalicelib.domain.status import FINAL, Status
from chalicelib.domain.submit_errors import NO_ANSWER
from chalicelib.store import ledger, messages, receipt_pointers
from chalicelib.store.receipt_pointers import name_of
from infra.local.chaos.driver import Done
from infra.local.chaos.load import GATEWAYS, PRICE_MICROS, Customer, Sent
from infra.local.chaos.plan import Deed
from infra.local.smsc.journal import Taken

# How long before a bridge is killed a submit may have been answered without its outcome being in SQS: milliseconds of
# gathering, and the seconds between the repetitions of a send that fails.
UNTOLD_SECONDS: Final = 10.0
# How long after a deed the SMSC may still read what was written before: a silence.
READ_LATE_SECONDS: Final = 5.0

MOST_TOLD: Final = 20  # of each kind of trouble

_BREAKING: Final = frozenset({Deed.KILL, Deed.CUT})
Name = tuple[str, int]  # destination without +, part


class Fate(msgspec.Struct, frozen=True):
    """What the log says of a message."""

    status: Status | None
    charge_micros: int
    resent_at: tuple[float, ...]  # when the bridge noted that a part had no answer, and would go again (epoch seconds)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


class Twice(msgspec.Struct, frozen=True):
    """A part that the SMSC took twice, and by what; None: nothing explains it."""

    sent: Sent
    first: Taken
    second: Taken
    by: str | None


class Reckoning(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of a run. All in messages, but for the auditor's differences."""

    accepted: int
    final: int
    lost: int
    charged_twice: int
    submitted_twice: int
    unexplained: int
    audit_differences: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.charged_twice or self.unexplained or self.audit_differences)


def fates(customers: Iterable[Customer], since_ms: int, until_ms: int) -> dict[str, Fate]:
    """What became of every message that the customers sent in that time, by id."""
    return {
        told.message_id: _fate(told.message_id, told.facts)
        for customer in customers
        for told in messages.made(customer.account.id, customer.account.shards, since_ms, until_ms)
    }


def fate_of(sent: Sent) -> Fate:
    """What became of one, read consistently."""
    return _fate(sent.id, messages.facts_of(sent.account, sent.id))


def _fate(message_id: str, facts: Sequence[AnyFact]) -> Fate:
    folded = fold(message_id, facts)
    return Fate(
        status=folded.status if folded else None,
        charge_micros=sum(fact.charge_micros for fact in facts if isinstance(fact, Queued)),
        resent_at=tuple(
            fact.at_ms / 1000 for fact in facts if isinstance(fact, Attempted) and fact.error.code == NO_ANSWER.code
        ),
    )


def charged_twice(sent: Sequence[Sent], known: Mapping[str, Fate]) -> list[Sent]:
    """Messages of bundles that paid more than their messages' prices, or otherwise than their facts say.

    The price is known here from the load itself: the ledger's own word is not taken for it.
    """
    bundles: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    for one in sent:
        bundles[one.account, one.bundle].append(one)
    return [
        one
        for (account, bundle), together in bundles.items()
        if _paid_micros(account, bundle) != sum(_due_micros(one, known) for one in together)
        for one in together
    ]


def _paid_micros(account: str, bundle: str) -> int:
    entry = ledger.entry(account, bundle)
    return -entry.amount_micros if entry else 0


def _due_micros(sent: Sent, known: Mapping[str, Fate]) -> int:
    """Its price, if it was charged at all."""
    fate = known.get(sent.id)
    return PRICE_MICROS * sent.parts if fate and fate.charge_micros else 0


def submitted_twice(
    sent: Iterable[Sent], known: Mapping[str, Fate], journal: Iterable[Taken], deeds: Sequence[Done]
) -> list[Twice]:
    """Every part that the SMSC took more than once, each explained where it can be.

    It is explained by a kill or a cut while its first submit was unanswered, where the gateway's setting is to send
    again. That it was unanswered is seen in the log: a submit whose answer was told has a pointer from the SMSC's id.
    A cut leaves an attempt without an answer in the timeline too; a kill leaves nothing.
    """
    by_number = {one.to.removeprefix("+"): one for one in sent}
    taken: dict[Name, list[Taken]] = defaultdict(list)
    for one in journal:
        if one.destination in by_number:
            taken[one.destination, one.part].append(one)
    pairs = [pair for several in taken.values() if len(several) > 1 for pair in pairwise(several)]
    answered = receipt_pointers.find((first.system_id, (first.message_id,)) for first, _ in pairs)
    found = []
    for first, second in pairs:
        message = by_number[first.destination]
        is_told = name_of(first.system_id, first.message_id) in answered
        by = None if is_told or not _resends(message) else _cause(first, second, known[message.id], deeds)
        found.append(Twice(message, first, second, by))
    return found


def _resends(sent: Sent) -> bool:
    setting = GATEWAYS[sent.gateway]
    return setting == "resend" or (setting == "by_priority" and sent.priority == "high")


def _cause(first: Taken, second: Taken, fate: Fate, deeds: Iterable[Done]) -> str | None:
    for done in deeds:
        if done.deed not in _BREAKING or not -READ_LATE_SECONDS <= done.since - first.at <= UNTOLD_SECONDS:
            continue
        if done.since > second.at:
            continue
        if done.deed is Deed.KILL or any(first.at - 1 <= at <= second.at + 1 for at in fate.resent_at):
            return done.deed.value
    return None


class Run(msgspec.Struct, frozen=True):
    """All there is to reckon with."""

    sent: Sequence[Sent]
    known: Mapping[str, Fate]  # by message
    journal: Sequence[Taken]
    deeds: Sequence[Done]


def reckon(run: Run, audit_differences: int) -> Reckoning:
    """The account of the run; what it counts is told on the way."""
    final = [one for one in run.sent if one.id in run.known and run.known[one.id].is_final]
    dear = charged_twice(run.sent, run.known)
    twice = submitted_twice(run.sent, run.known, run.journal, run.deeds)
    for setting, tally in ends(run.sent, run.known).items():
        told = ", ".join(f"{count} {status}" for status, count in tally.most_common())
        print(f"  gateway that would {setting}: {told}")
    for cause, count in Counter(one.by or "nothing that is known" for one in twice).most_common():
        print(f"  parts submitted twice: {count} by {cause}")
    for one in [one for one in twice if one.by is None][:MOST_TOLD]:
        print(f"    {one.sent.id} part {one.first.part} over {one.first.system_id}: {one.first} then {one.second}")
    for message in dear[:MOST_TOLD]:
        print(f"    {message.id} of bundle {message.bundle} paid otherwise than it costs")
    return Reckoning(
        accepted=len(run.sent),
        final=len(final),
        lost=len(run.sent) - len(final),
        charged_twice=len(dear),
        submitted_twice=len({one.sent.id for one in twice}),
        unexplained=len({one.sent.id for one in twice if one.by is None}),
        audit_differences=audit_differences,
    )


def ends(sent: Iterable[Sent], known: Mapping[str, Fate]) -> dict[str, Counter[str]]:
    """How many messages ended how, by the gateway's setting."""
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for one in sent:
        fate = known.get(one.id)
        tally[GATEWAYS[one.gateway]][fate.status.value if fate and fate.status else "nothing is known"] += 1
    return dict(tally)
