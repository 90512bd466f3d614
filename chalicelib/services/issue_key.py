"""Issue an API key: its secret is told once, and only its digest kept."""

import secrets

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import ApiKey
from chalicelib.domain.credentials import SECRET_BYTES, KeyText, digest
from chalicelib.domain.message import Mode
from chalicelib.services.faults import not_found
from chalicelib.store import accounts, api_keys


class Issued(msgspec.Struct, frozen=True):
    """A new key, and the text that its holder must keep: nobody can tell it again."""

    key: ApiKey
    text: str


def issue_customer_key(account: str, mode: Mode, name: str, now_ms: int) -> Issued:
    """A key of an account. Raises Fault `not_found` where there is no such account."""
    if accounts.get(account) is None:
        raise not_found("account")
    return _issue(account, mode, name, now_ms)


def issue_admin_key(name: str, now_ms: int) -> Issued:
    """A key of an administrator."""
    return _issue(None, "live", name, now_ms)


def _issue(account: str | None, mode: Mode, name: str, now_ms: int) -> Issued:
    text = KeyText(mode if account else "admin", ids.new_ulid(now_ms), secrets.token_hex(SECRET_BYTES))
    key = ApiKey(
        id=text.id,
        role="customer" if account else "admin",
        account=account,
        mode=mode,
        name=name,
        secret_sha256=digest(text.secret),
        created_ms=now_ms,
    )
    api_keys.create(key)
    return Issued(key, str(text))
