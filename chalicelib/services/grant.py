"""Grant credit to an account, or take some back; once for each name that the administrator gives it."""

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.money import format_amount
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.notify import notify
from chalicelib.services.once import Once
from chalicelib.store import idempotency, ledger, wallets
from chalicelib.store.wallets import NoWallet


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What moves, and why. A negative amount is taken back."""

    account: str
    amount_micros: int
    why: str
    forced: bool = False  # taken back though the account has less, its credit limit included


def grant(what: Grant, who: str, now_ms: int, once: Once | None = None) -> LedgerEntry:
    """The ledger entry, made now or by the first such request.

    Raises Fault `not_found`, `invalid_request`, `idempotency_key_reused`, `no_credit`.
    """
    if what.amount_micros == 0:
        raise invalid_field("/amount", "out_of_range", "nothing would move")
    entry_id = _entry_id(what.account, now_ms, once)
    try:
        moved = ledger.grant(
            what.account,
            entry_id,
            what.amount_micros,
            who=who,
            why=what.why,
            now_ms=now_ms,
            covered=not what.forced,
        )
    except NoWallet:
        raise not_found("account") from None
    except ledger.NotCovered:
        raise Fault("no_credit", "the account has less than that: force it, or take back less") from None
    entry = ledger.entry(what.account, entry_id)
    if entry is None:
        raise AssertionError(f"the ledger lost {entry_id}")
    if entry.amount_micros > 0:
        _tell(entry, now_ms)
    told = {"amount_micros": entry.amount_micros, "why": what.why, "forced": what.forced, "repeated": not moved}
    record_change.changed("ledger", entry_id, None, told)
    return entry


def _tell(entry: LedgerEntry, now_ms: int) -> None:
    """By mail, once for each entry."""
    wallet = wallets.get(entry.account, consistent=True)
    values = {
        "amount": format_amount(entry.amount_micros),
        "balance": format_amount(wallet.balance_micros) if wallet else "",
        "why": entry.why or "",
        "granted_ms": str(entry.at_ms),
    }
    told = {name: value for name, value in values.items() if value}
    notify(Notice(Kind.CREDIT_GRANTED, entry.id, account=entry.account, values=told), now_ms)


def _entry_id(account: str, now_ms: int, once: Once | None) -> str:
    """A new entry's id; for a request that came before, the id that it drew then: the ledger has it at most once."""
    drawn = ids.new_ulid(now_ms)
    if once is None:
        return drawn
    held = idempotency.remember(f"{account}/credits", once.key, once.request_sha256, drawn, now_ms)
    if held is None:
        return drawn
    if held.body_sha256 != once.request_sha256:
        raise Fault("idempotency_key_reused", "this Idempotency-Key came with another request before")
    return held.answer
