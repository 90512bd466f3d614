"""The ledger: money moves in one transaction under a name; doing it again finds the name there and moves nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.transactions import TransactWrite

from chalicelib.domain.charging import (
    WHO_CHARGES,
    Charge,
    EntryKind,
    LedgerEntry,
    Verdicts,
    entry_at,
)
from chalicelib.domain.usage import UsageLine, merged, slot_at
from chalicelib.store import dynamo, usage
from chalicelib.store.page import Cursor, Page
from chalicelib.store.wallets import NoWallet, WalletTable

_ALL_OLD: Final = "ALL_OLD"  # a refused put hands back the entry that stands in its place: no read needed
# An entry and at worst a usage line each, the line of now, and the wallet: its 100 items.
_REFUNDS_A_TRANSACTION: Final = 49
_FIRST: Final = "0"  # places begin with a digit
_verdicts: Final = msgspec.json.Decoder(Verdicts)


class ByTime(GlobalSecondaryIndex["LedgerTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_time"
        projection = IncludeProjection(["kind", "amount_micros", "at_ms", "who", "why", "message"])

    account = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class LedgerTable(dynamo.Table):
    class Meta:
        suffix = "ledger"

    account = UnicodeAttribute(hash_key=True)
    entry = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    amount_micros = NumberAttribute()
    at_ms = NumberAttribute()
    who = UnicodeAttribute()
    why = UnicodeAttribute()
    message = UnicodeAttribute(null=True)
    decisions = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)  # the entry's place in the statement; none for what moves nothing
    by_time = ByTime()


class Charged(msgspec.Struct, frozen=True):
    """All of them are paid (or refused, at nothing), once."""

    entries: dict[str, LedgerEntry]  # by bundle


class NoCredit(msgspec.Struct, frozen=True):
    """Together they cost more than the account has. Nothing was written."""


class NotCovered(Exception):
    """The account has less than that, its credit limit included; or there is no such account."""


class Known(msgspec.Struct, frozen=True):
    """These bundles have their entries already. Nothing was written, not for the others either."""

    entries: dict[str, LedgerEntry]  # by bundle


def charge(charges: Sequence[Charge]) -> Charged | NoCredit | Known:
    """Charge bundles of one account in one transaction: wallet down, an entry each, usage up; all or nothing.

    The charges must fit dynamo.TRANSACTION_ITEMS (charging.grouped). Raises dynamo.Overloaded.
    """
    account = charges[0].account
    entries = {charge.bundle: _entry_of(charge) for charge in charges}
    total_micros = sum(charge.amount_micros for charge in charges)

    def build(transaction: TransactWrite) -> None:
        for entry in entries.values():
            _put_new(transaction, entry)
        if total_micros:
            _move(transaction, account, -total_micros, at_least=total_micros)
        usage.add_to(transaction, account, merged(line for charge in charges for line in charge.usage))

    reasons = dynamo.transact(build)
    if not reasons:
        return Charged(entries)
    known = {
        bundle: _stored(account, bundle, reason.raw_item)
        for bundle, reason in zip(entries, reasons[: len(entries)], strict=True)  # puts come first in the reasons
        if reason is not None
    }
    return Known(known) if known else NoCredit()


def grant(
    account: str, entry_id: str, amount_micros: int, *, who: str, why: str, now_ms: int, covered: bool = False
) -> bool:
    """Credit the account (or take away: a negative amount is an adjustment). False: that entry is there already.

    `entry_id` is a ULID, or what names the payment; it makes the grant happen once. Where what is taken away must be
    `covered` by what is available, and is not, nothing is written. Raises NoWallet, NotCovered.
    """
    kind: EntryKind = "grant" if amount_micros > 0 else "adjustment"
    entry = LedgerEntry(
        account=account, id=entry_id, kind=kind, amount_micros=amount_micros, at_ms=now_ms, who=who, why=why
    )
    slot = slot_at(now_ms)
    line = (
        UsageLine(slot=slot, granted_micros=amount_micros)
        if kind == "grant"
        else UsageLine(slot=slot, adjusted_micros=amount_micros)
    )
    return not _credit([entry], (line,), at_least=-amount_micros if covered and amount_micros < 0 else None)


class Refund(msgspec.Struct, frozen=True):
    """What is to be given back: `line.refunded_micros`, under the name `id`."""

    id: str
    line: UsageLine
    why: str
    message: str | None = None


def refund(account: str, refunds: Sequence[Refund], now_ms: int) -> dict[str, LedgerEntry]:
    """Give each back, once: their entries by id, whether made now or before. Raises NoWallet, dynamo.Overloaded.

    Many go in one transaction: the wallet is one item, and those of a stopped job would wait for it one by one.
    """
    asked = list({one.id: one for one in refunds}.values())
    entries: dict[str, LedgerEntry] = {}
    for at in range(0, len(asked), _REFUNDS_A_TRANSACTION):
        left = asked[at : at + _REFUNDS_A_TRANSACTION]
        while left:
            made = {one.id: _entry_of_refund(account, one, now_ms) for one in left}
            known = _credit(list(made.values()), _given_back(left, slot_at(now_ms)))
            entries |= known or made
            left = [one for one in left if known and one.id not in known]
    return entries


def entry(account: str, entry_id: str) -> LedgerEntry | None:
    """The entry as it is this moment, or None."""
    try:
        return _read(LedgerTable.get(account, entry_id, consistent_read=True))
    except LedgerTable.DoesNotExist:
        return None


def entries(account: str, cursor: Cursor | None = None, limit: int = 100) -> Page[LedgerEntry]:
    """Every entry of the account, read consistently, by id, the highest first: ids are names, and tell no time."""
    found = LedgerTable.query(
        account, scan_index_forward=False, limit=limit, last_evaluated_key=cursor, consistent_read=True
    )
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def named(account: str, first: str, last: str) -> Iterator[LedgerEntry]:
    """Every entry whose id lies in [first, last], read consistently, by id, the lowest first."""
    within = LedgerTable.entry.between(first, last)
    return map(_read, LedgerTable.query(account, within, consistent_read=True))


def posted(account: str, *, since: str = _FIRST, after: str | None = None, limit: int = 100) -> Page[LedgerEntry]:
    """The account's movements of money back to place `since`, newest first, those older than place `after` of one.

    Out of an index, which is moments behind the table, and knows no verdicts. The page's cursor only says that there
    is more.
    """
    start = None
    if after is not None:
        start = {"account": {"S": account}, "entry": {"S": entry_at(after)}, "at": {"S": after}}
    found = LedgerTable.by_time.query(
        account, LedgerTable.at >= since, scan_index_forward=False, limit=limit, last_evaluated_key=start
    )
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _credit(
    entries: Sequence[LedgerEntry], lines: Sequence[UsageLine], at_least: int | None = None
) -> dict[str, LedgerEntry]:
    """Write an account's entries and move its wallet by them. Where some were there already: these, and no more."""
    account = entries[0].account

    def build(transaction: TransactWrite) -> None:
        for entry in entries:
            _put_new(transaction, entry)
        _move(transaction, account, sum(entry.amount_micros for entry in entries), at_least)
        usage.add_to(transaction, account, lines)

    reasons = dynamo.transact(build)
    if not reasons:
        return {}
    known = {
        entry.id: _stored(account, entry.id, reason.raw_item)
        for entry, reason in zip(entries, reasons[: len(entries)], strict=True)  # puts come first in the reasons
        if reason is not None
    }
    if not known:
        raise NoWallet(account) if at_least is None else NotCovered(account)
    return known


def _given_back(refunds: Sequence[Refund], slot: str) -> tuple[UsageLine, ...]:
    """What is taken off the messages' slots, and paid back in this one: of the same slot, in one line."""
    here = [one.line for one in refunds if one.line.slot == slot]
    elsewhere = [one.line for one in refunds if one.line.slot != slot]
    back = [msgspec.structs.replace(line, paid_back_micros=line.refunded_micros) for line in here]
    if elsewhere:
        back.append(UsageLine(slot=slot, paid_back_micros=sum(line.refunded_micros for line in elsewhere)))
    return merged((*back, *elsewhere))


def _put_new(transaction: TransactWrite, entry: LedgerEntry) -> None:
    item = LedgerTable(
        entry.account,
        entry.id,
        kind=entry.kind,
        amount_micros=entry.amount_micros,
        at_ms=entry.at_ms,
        who=entry.who,
        why=entry.why,
        message=entry.message,
        at=entry.place if entry.amount_micros else None,
        decisions=msgspec.json.encode(entry.verdicts).decode() if entry.verdicts else None,
    )
    transaction.save(item, condition=LedgerTable.entry.does_not_exist(), return_values=_ALL_OLD)


def _move(transaction: TransactWrite, account: str, amount_micros: int, at_least: int | None = None) -> None:
    table = WalletTable
    condition = table.account.exists() if at_least is None else table.available_micros >= at_least
    moves: list[Action] = [table.balance_micros.add(amount_micros), table.available_micros.add(amount_micros)]
    transaction.update(table(account), moves, condition=condition)


def _entry_of(charge: Charge) -> LedgerEntry:
    return LedgerEntry(
        account=charge.account,
        id=charge.bundle,
        kind=charge.kind,
        amount_micros=-charge.amount_micros,
        at_ms=charge.at_ms,
        who=WHO_CHARGES,
        why=f"{len(charge.verdicts.of)} message(s)",
        message=charge.message,
        verdicts=charge.verdicts,
    )


def _entry_of_refund(account: str, refund: Refund, now_ms: int) -> LedgerEntry:
    return LedgerEntry(
        account=account,
        id=refund.id,
        kind="refund",
        amount_micros=refund.line.refunded_micros,
        at_ms=now_ms,
        who=WHO_CHARGES,
        why=refund.why,
        message=refund.message,
    )


def _stored(account: str, entry_id: str, raw: dict[str, dict[str, object]] | None) -> LedgerEntry:
    """The entry that stands in the way: as the transaction handed it back, or read where the backend did not."""
    if raw:
        return _read(LedgerTable.from_raw_data(raw))
    stored = entry(account, entry_id)
    if stored is None:
        raise dynamo.Overloaded(f"ledger entry {entry_id} came and went")
    return stored


def _read(item: LedgerTable) -> LedgerEntry:
    return LedgerEntry(
        account=str(item.account),
        id=str(item.entry),
        kind=msgspec.convert(item.kind, EntryKind),
        amount_micros=int(item.amount_micros),
        at_ms=int(item.at_ms),
        who=str(item.who),
        why=str(item.why),
        message=str(item.message) if item.message else None,
        verdicts=_verdicts.decode(item.decisions) if item.decisions else None,
    )
