"""Accounts: an account and its wallet come into being together; changes name the version they were made from."""

from collections.abc import Iterator
from typing import Final

import msgspec
from pynamodb.transactions import TransactWrite

from chalicelib.domain.account import DEFAULT_RETENTION_DAYS, Account
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import Row, Rows, RowTable
from chalicelib.store.wallets import WalletTable


class AccountTable(RowTable):
    class Meta:
        suffix = "accounts"


_rows: Final = Rows(AccountTable, Account, lambda account: account.id)


def create(account: Account) -> bool:
    """Write the account with an empty wallet, both or neither. False where the id is taken."""
    body = msgspec.json.encode(account).decode()

    def both(transaction: TransactWrite) -> None:
        item = AccountTable(account.id, body=body, version=1)
        transaction.save(item, condition=AccountTable.id.does_not_exist())
        wallet = WalletTable(account.id, balance_micros=0, available_micros=0)
        transaction.save(wallet, condition=WalletTable.account.does_not_exist())

    return not dynamo.transact(both)


def get(id_: str) -> Account | None:
    """The account, or None."""
    row = _rows.get(id_)
    return row.value if row else None


def versioned(id_: str) -> Row[Account] | None:
    """The account as it is this moment, with the version that `change` wants."""
    return _rows.get(id_, consistent=True)


_cached: Final[Cached[str, Account]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(id_: str, now_ms: int) -> Account | None:
    """The account, at most `account_cache_seconds` old."""
    return _cached.get(id_, now_ms)


def change(id_: str, expected_version: int, account: Account) -> bool:
    """Write the account over that version. False where somebody else changed it since."""
    if id_ != account.id:
        raise ValueError("an account keeps its id")
    changed = _rows.put(account, expected=expected_version)
    _cached.forget(id_)
    return changed


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[Row[Account]]:
    """Up to `limit` accounts, in no particular order."""
    return _rows.listing(cursor, limit)


def pages() -> Iterator[list[Account]]:
    """All accounts, a hundred at a time, in no particular order."""
    page = listing()
    while page.items or page.cursor:
        yield [row.value for row in page.items]
        if page.cursor is None:
            return
        page = listing(page.cursor)


def after(id_: str, limit: int) -> list[Account]:
    """Up to `limit` accounts in the order of `listing`, behind the one named ('': from the first)."""
    page = _rows.listing({"id": {"S": id_}} if id_ else None, limit)
    return [row.value for row in page.items]


def retention_days(id_: str, now_ms: int) -> int:
    """For how long the account's messages are kept; the default where there is no such account (any more)."""
    account = cached(id_, now_ms)
    return account.retention_days if account else DEFAULT_RETENTION_DAYS
