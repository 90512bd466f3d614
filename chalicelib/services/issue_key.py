"""Issue and change API keys: a secret is told once, and only its digest kept."""

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import ApiKey
from chalicelib.domain.content import Mode
from chalicelib.domain.credentials import SECRET_BYTES, KeyText, digest
from chalicelib.services import record_change
from chalicelib.services.faults import not_found
from chalicelib.services.keep_account import check_ip_rules
from chalicelib.store import accounts, api_keys


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """From where, for what and how often a key may be used; as its own fields."""

    ip_rules: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    requests_per_second: float | None = None
    requests_burst: int | None = None


EVERYWHERE: Final = Access()


class Issued(msgspec.Struct, frozen=True):
    """A new key, and the text that its holder must keep: nobody can tell it again."""

    key: ApiKey
    text: str


def issue_customer_key(account: str, mode: Mode, name: str, now_ms: int, access: Access = EVERYWHERE) -> Issued:
    """A key of an account. Raises Fault `not_found` where there is no such account, `invalid_request`."""
    if accounts.get(account) is None:
        raise not_found("account")
    return _issue(account, mode, name, now_ms, access)


def issue_admin_key(name: str, now_ms: int, access: Access = EVERYWHERE) -> Issued:
    """A key of an administrator. Raises Fault `invalid_request`."""
    return _issue(None, "live", name, now_ms, access)


def change_key(id_: str, name: str, access: Access) -> ApiKey:
    """The key with another name and access. Raises Fault `not_found`, `invalid_request`."""
    check_ip_rules(access.ip_rules)
    return _changed(id_, lambda key: msgspec.structs.replace(key, name=name, **msgspec.structs.asdict(access)))


def revoke(id_: str, now_ms: int) -> ApiKey:
    """The key, revoked, at the first time it was asked. Raises Fault `not_found`."""
    return _changed(id_, lambda key: msgspec.structs.replace(key, revoked_ms=key.revoked_ms or now_ms))


def _changed(id_: str, change: Callable[[ApiKey], ApiKey]) -> ApiKey:
    before: list[ApiKey] = []

    def noted(key: ApiKey) -> ApiKey:
        before.append(key)  # the last of them is what was changed in the end
        return change(key)

    changed = api_keys.change(id_, noted)
    if changed is None:
        raise not_found("key")
    record_change.changed("key", id_, before[-1], changed, account=changed.account)
    return changed


def _issue(account: str | None, mode: Mode, name: str, now_ms: int, access: Access) -> Issued:
    check_ip_rules(access.ip_rules)
    text = KeyText(mode if account else "admin", ids.new_ulid(now_ms), secrets.token_hex(SECRET_BYTES))
    key = ApiKey(
        id=text.id,
        role="customer" if account else "admin",
        account=account,
        mode=mode,
        name=name,
        secret_sha256=digest(text.secret),
        created_ms=now_ms,
        **msgspec.structs.asdict(access),
    )
    api_keys.create(key)
    record_change.changed("key", key.id, None, key, account=account)
    return Issued(key, str(text))
