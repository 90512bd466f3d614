"""Check wallets against ledgers: each account's balance is the sum of its entries. A bounded part at a time.

A long ledger is added up over several calls: the sum so far travels in the cursor. As the books move while they are
read, what was posted about when the wallet was read may be in the balance or not (domain.audit.LedgerSum); and the
index that is read is moments behind the ledger. So a difference counts when a second look finds it again.
"""

from typing import Any, Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.audit import LedgerSum, of_wallet
from chalicelib.services.faults import Fault
from chalicelib.services.walk_messages import some_accounts
from chalicelib.store import accounts, ledger, wallets

MAX_ENTRIES: Final = 10_000  # of a call: some two megabytes of the index, about a second
_MAX_ACCOUNTS: Final = 100  # of a call
_PAGE: Final = 2_000


class WalletCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `ledger_micros` is the sum of its movements; `moving`: some were posted while they were read."""

    account: str
    name: str
    balance_micros: int
    credit_limit_micros: int
    ledger_micros: int
    entries: int
    difference_micros: int  # balance less ledger, as far as what is moving does not explain it
    moving: bool
    agrees: bool


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a check goes on: behind the account `done`; in the midst of the ledger of `account`, where there is one."""

    done: str = ""
    account: str = ""
    after: str | None = None  # place of the last entry that is in `so_far`
    so_far: LedgerSum | None = None
    wallet_ms: int = 0
    balance_micros: int = 0  # as it was before the ledger was read
    available_micros: int = 0


def check(only: str | None, position: Any, limit: int, now_ms: int) -> tuple[list[WalletCheck], Position | None]:
    """Up to `limit` accounts, and where to go on (None: that was all). `position`: None, or from before.

    Raises Fault `invalid_cursor`, `not_found` (the account that is asked for).
    """
    at = Position() if position is None else _position(position)
    found: list[WalletCheck] = []
    entries, waiting = 0, _accounts(only, at, limit)
    if not waiting:
        return [], None
    for place, account in enumerate(waiting):
        if at.account != account.id:
            at = _begun(account, at.done, now_ms)
        while at.account:
            at, told, taken = _go_on(account, at)
            entries += taken
            if told is not None:
                found.append(told)
            elif entries >= MAX_ENTRIES:
                return found, at
        if entries >= MAX_ENTRIES and place + 1 < len(waiting):
            return found, at
    return found, None if only is not None or len(waiting) < min(limit, _MAX_ACCOUNTS) else at


def _accounts(only: str | None, at: Position, limit: int) -> list[Account]:
    most = min(limit, _MAX_ACCOUNTS)
    if only is not None:
        return some_accounts(only, "", 1)
    if not at.account:
        return some_accounts(None, at.done, most)
    begun = accounts.get(at.account)
    return [*([begun] if begun else []), *(some_accounts(None, at.account, most - 1) if most > 1 else [])]


def _begun(account: Account, done: str, now_ms: int) -> Position:
    wallet = wallets.get(account.id, consistent=True)
    return Position(
        done=done,
        account=account.id,
        so_far=LedgerSum(),
        wallet_ms=now_ms,
        balance_micros=wallet.balance_micros if wallet else 0,
        available_micros=wallet.available_micros if wallet else 0,
    )


def _go_on(account: Account, at: Position) -> tuple[Position, WalletCheck | None, int]:
    """A page of the account's movements; with the last one, what came of it."""
    so_far = at.so_far or LedgerSum()
    page = ledger.posted(account.id, after=at.after, limit=_PAGE)
    for entry in page.items:
        so_far.add(entry, at.wallet_ms)
    if page.cursor is not None and page.items:
        return msgspec.structs.replace(at, after=page.items[-1].place, so_far=so_far), None, len(page.items)
    return Position(done=account.id), _told(account, at, so_far), len(page.items)


def _told(account: Account, at: Position, so_far: LedgerSum) -> WalletCheck:
    after = wallets.get(account.id, consistent=True)
    balance_micros = at.balance_micros
    before = (
        None
        if after is None
        else msgspec.structs.replace(after, balance_micros=balance_micros, available_micros=at.available_micros)
    )
    differences = of_wallet(account.id, before, after, so_far)
    return WalletCheck(
        account=account.id,
        name=account.name,
        balance_micros=balance_micros,
        credit_limit_micros=at.available_micros - balance_micros,
        ledger_micros=so_far.total_micros,
        entries=so_far.entries,
        difference_micros=sum(one.delta for one in differences),
        moving=before != after,
        agrees=not differences,
    )


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
