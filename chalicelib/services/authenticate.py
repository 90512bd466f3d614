"""Who holds an API key: its account, or an administrator."""

from typing import Final

import msgspec

from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.credentials import KeyText, matches, parse_key
from chalicelib.services.faults import Fault
from chalicelib.store import accounts, api_keys


class Customer(msgspec.Struct, frozen=True):
    """An account's key, and the account as it was a few seconds ago at most."""

    key: ApiKey
    account: Account


class Administrator(msgspec.Struct, frozen=True):
    """An administrator's key."""

    key: ApiKey


Caller = Customer | Administrator
# One sentence for every way in which a key can be wrong: which of them it is, is not for strangers.
_UNKNOWN: Final = Fault("invalid_api_key", "the API key is unknown or was revoked")


def authenticate(text: str, now_ms: int) -> Caller:
    """The holder of the key. Raises Fault `invalid_api_key` or `account_closed`."""
    given = parse_key(text)
    key = api_keys.cached(given.id, now_ms) if given else None
    if given is None or key is None or not _is_of(given, key):
        raise Fault(_UNKNOWN.code, _UNKNOWN.detail)
    if key.account is None:
        return Administrator(key)
    account = accounts.cached(key.account, now_ms)
    if account is None:
        raise Fault(_UNKNOWN.code, _UNKNOWN.detail)
    if account.state == "closed":
        raise Fault("account_closed", "the account is closed")
    return Customer(key, account)


def _is_of(given: KeyText, key: ApiKey) -> bool:
    kind = "admin" if key.role == "admin" else key.mode
    return matches(given.secret, key.secret_sha256) and given.kind == kind and key.revoked_ms is None
