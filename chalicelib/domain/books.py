"""Ledger entries matched with the messages that they are for, as both stream by in the order of their names.

Only what has not met its counterpart yet is held, so a day of any size needs little memory; and all of it is data, so
that an audit may go on in another process.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.audit import Check, Difference, line_name
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import AnyFact, Queued, Refunded
from chalicelib.domain.message import Message, fold
from chalicelib.domain.money import format_amount
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine, added_up
from chalicelib.domain.waiting import ends_by_ms, was_submitted

# A bundle is named when its messages are: by so much at most their ids lie apart.
NEAR_MS: Final = 60_000
# By so much later than rounds would have ended it a message is said to wait: some of them may not have taken place.
LATE_MS: Final = 3_600_000
MAX_DIFFERENCES: Final = 100  # of an account that are told one by one; they must fit an SQS record twice
MAX_NAMED: Final = 5  # messages that a difference names
REFUND: Final = "/refund"  # how the name of a refund's entry ends


class Span(msgspec.Struct, frozen=True):
    """The instants [since_ms, until_ms) whose bundles and messages are audited: whole UTC days."""

    since_ms: int
    until_ms: int

    def has(self, at_ms: int) -> bool:
        return self.since_ms <= at_ms < self.until_ms


class Side(msgspec.Struct):
    """What one of the books says of a charge or refund."""

    messages: int = 0
    micros: int = 0
    decisions: dict[str, int] = {}  # where to, at what price → how many of the messages

    def add(self, messages: int, micros: int, decision: str = "") -> None:
        self.messages += messages
        self.micros += micros
        if decision:
            self.decisions[decision] = self.decisions.get(decision, 0) + messages

    def __str__(self) -> str:
        return f"{self.messages} message(s), {format_amount(self.micros)}"


class Pair(msgspec.Struct):
    """A charge or refund as the ledger has it, and as the messages have it."""

    ledger: Side | None = None
    log: Side | None = None
    messages: list[str] = []  # some of them

    @property
    def agrees(self) -> bool:
        return self.ledger == self.log


class Books(msgspec.Struct):
    """An account's audit as far as it has got. Feed it entries and messages in the order of their ULIDs."""

    account: str
    span: Span
    messages: int = 0
    charged_micros: int = 0  # by the ledger
    refunded_micros: int = 0  # by the ledger
    open: dict[str, Pair] = {}  # by the entry's name
    usage: dict[str, UsageLine] = {}  # of whole days, by line_name
    differences: list[Difference] = []
    untold: int = 0  # differences beyond MAX_DIFFERENCES

    def entry(self, entry: LedgerEntry) -> None:
        """An entry of the ledger, named in the span. Grants and adjustments are for no message."""
        if entry.kind == "refund":
            self.refunded_micros += entry.amount_micros
            self._note(entry.id, ledger=Side(1, entry.amount_micros))
        elif entry.verdicts is not None:
            self.charged_micros -= entry.amount_micros
            decisions = [verdict for verdict in entry.verdicts.each() if isinstance(verdict, Decision)]
            side = Side(0, -entry.amount_micros)
            for decision in decisions:
                side.add(1, 0, _said(decision))
            if decisions or entry.amount_micros:
                self._note(entry.id, ledger=side)

    def message(self, message_id: str, facts: Sequence[AnyFact], now_ms: int) -> None:
        """A message with its facts, made in the span or not too long before."""
        created_ms = ids.created_ms_of(message_id)
        inside = self.span.has(created_ms)
        self.messages += inside
        queued = next((fact for fact in facts if isinstance(fact, Queued)), None)
        refunded_micros = sum(fact.refund_micros for fact in facts if isinstance(fact, Refunded))
        message = fold(message_id, facts)
        if queued is not None:
            self._use(queued, refunded_micros, message.status if message and message.final else None)
            if self.span.has(_made_ms(queued.bundle, created_ms)):
                self._note(queued.bundle, log=Side(1, queued.charge_micros, {_said(queued): 1}), message=message_id)
        if not inside:
            return
        if refunded_micros:
            name = f"{ids.bundle_of_single(message_id)}{REFUND}"
            self._note(name, log=Side(1, refunded_micros), message=message_id)
        if queued is None and was_submitted(facts):
            self._tell(Check.UNPAID, message_id, "a charge", "none", messages=(message_id,))
        if message is not None:
            self._compare_refund(message)
            self._look_whether_it_waits(message, now_ms)

    def advance(self, name: str) -> None:
        """Both streams have got this far: what is NEAR_MS behind has met all that it will meet."""
        now_ms = _made_ms(name, self.span.since_ms)
        while self.open:
            oldest = next(iter(self.open))
            if _made_ms(oldest, now_ms) > now_ms - NEAR_MS:
                return
            self._close(oldest)

    def close(self) -> None:
        """Both streams have ended."""
        for name in list(self.open):
            self._close(name)

    def add(self, differences: Iterable[Difference]) -> None:
        """Differences that others found."""
        for difference in differences:
            if len(self.differences) < MAX_DIFFERENCES:
                self.differences.append(difference)
            else:
                self.untold += 1

    def _note(self, name: str, *, ledger: Side | None = None, log: Side | None = None, message: str = "") -> None:
        pair = self.open.setdefault(name, Pair())
        if ledger is not None:
            pair.ledger = ledger
        if log is not None:
            pair.log = pair.log or Side()
            pair.log.add(log.messages, log.micros, next(iter(log.decisions), ""))
            if len(pair.messages) < MAX_NAMED:
                pair.messages.append(message)
        if pair.agrees:
            del self.open[name]

    def _close(self, name: str) -> None:
        pair = self.open.pop(name)
        ledger, log = pair.ledger or Side(), pair.log or Side()
        check = Check.REFUND if name.endswith(REFUND) else Check.CHARGE
        expected = f"{ledger}, by the ledger" if pair.ledger else "no entry in the ledger"
        found = f"{log}, by the messages" if pair.log else "no such message"
        if (ledger.messages, ledger.micros) == (log.messages, log.micros) and pair.ledger and pair.log:
            check, expected, found = Check.VERDICTS, _listed(ledger), _listed(log)
        messages = tuple(pair.messages) or ((_message_of(name),) if check is Check.REFUND else ())
        self._tell(check, name, expected, found, delta=log.micros - ledger.micros, messages=messages)

    def _compare_refund(self, message: Message) -> None:
        """A refund is the whole charge. Of a canceled message it is due; elsewhere the policy of then decided."""
        charged_micros = message.queued.charge_micros if message.queued else 0
        due = message.refund_micros or message.status is Status.CANCELED
        if due and message.refund_micros != charged_micros:
            self._tell(
                Check.REFUND,
                message.id,
                f"{format_amount(charged_micros)}, its charge",
                format_amount(message.refund_micros),
                delta=message.refund_micros - charged_micros,
                messages=(message.id,),
            )

    def _look_whether_it_waits(self, message: Message, now_ms: int) -> None:
        if message.final or message.content is None:
            return
        valid_until_ms = message.content.valid_until_ms
        if now_ms > ends_by_ms(ids.created_ms_of(message.id), valid_until_ms) + LATE_MS:
            over = f"an end: its validity was over {(now_ms - valid_until_ms) // 60_000} minutes ago"
            self._tell(Check.WAITING, message.id, over, message.status, messages=(message.id,))

    def _use(self, queued: Queued, refunded_micros: int, end: Status | None) -> None:
        if not self.span.has(queued.at_ms):
            return
        line = UsageLine(
            slot=ids.day_at(queued.at_ms),
            country=queued.content.country,
            operator=queued.operator,
            gateway=queued.gateway,
            messages=1,
            parts=queued.content.parts,
            credits_micros=queued.charge_micros,
            refunded_micros=refunded_micros,
            ends={} if end is None else {end: 1},
        )
        held = self.usage.get(line_name(line))
        self.usage[line_name(line)] = line if held is None else added_up((held, line))

    def _tell(
        self,
        check: Check,
        subject: str,
        expected: str,
        found: str,
        *,
        delta: int = 0,
        messages: tuple[str, ...] = (),
    ) -> None:
        told = Difference(
            account=self.account,
            check=check,
            subject=subject,
            expected=expected,
            found=found,
            delta=delta,
            messages=messages,
        )
        self.add((told,))


def _said(of: Decision | Queued) -> str:
    """Where to and at what price, in a line."""
    return f"{of.gateway} by {of.route} to {of.operator} at {format_amount(of.price_micros)}, rules {of.rules}"


def _listed(side: Side) -> str:
    return "; ".join(f"{count} × {said}" for said, count in sorted(side.decisions.items()))


def _message_of(name: str) -> str:
    return f"{ids.MESSAGE_PREFIX}{name.removesuffix(REFUND)}"


def _made_ms(name: str, otherwise_ms: int) -> int:
    """When the ULID that the name begins with was made."""
    try:
        return ids.created_ms_of(name)
    except ValueError:  # nobody but us names entries; but an auditor must not stumble over what it is to find
        return otherwise_ms
