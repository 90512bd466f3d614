"""Wallets: what each account has. The one hot item; only ledger entries' transactions move it."""

from collections.abc import Iterable
from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError

from chalicelib.domain.account import Wallet
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached

CACHE_SECONDS: Final = 1.0  # accept's check may be this old where it says yes; charge's transaction decides


class NoWallet(LookupError):
    """There is no account of that id."""


class WalletTable(dynamo.Table):
    class Meta:
        suffix = "wallets"

    account = UnicodeAttribute(hash_key=True)
    balance_micros = NumberAttribute()
    available_micros = NumberAttribute()


def get(account: str, *, consistent: bool = False) -> Wallet | None:
    """The wallet, or None where there is no such account."""
    try:
        item = WalletTable.get(account, consistent_read=consistent)
    except WalletTable.DoesNotExist:
        return None
    return Wallet(account=account, balance_micros=int(item.balance_micros), available_micros=int(item.available_micros))


_cached: Final[Cached[str, Wallet]] = Cached(get, lambda: CACHE_SECONDS)


def cached(account: str, now_ms: int) -> Wallet | None:
    """The wallet, at most CACHE_SECONDS old."""
    return _cached.get(account, now_ms)


def get_all(accounts: Iterable[str], *, consistent: bool = False) -> dict[str, Wallet]:
    """The wallets of those accounts that exist, 100 a request. Raises dynamo.Overloaded."""
    return {
        str(item.account): Wallet(
            account=str(item.account),
            balance_micros=int(item.balance_micros),
            available_micros=int(item.available_micros),
        )
        for item in dynamo.get_all(WalletTable, accounts, consistent=consistent)
    }


def set_credit_limit(account: str, limit_micros: int) -> None:
    """Let the account go below zero by that much. Raises NoWallet."""
    table = WalletTable
    available = table.available_micros.set(table.balance_micros + limit_micros)
    try:
        table(account).update([available], condition=table.account.exists())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            raise NoWallet(account) from error
        raise
    _cached.forget(account)
