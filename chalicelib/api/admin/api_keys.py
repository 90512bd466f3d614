"""API keys: issue, list, revoke. A secret is told once."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, KeyId, Name, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.message_types import instant
from chalicelib.domain.account import ApiKey, Role
from chalicelib.domain.message import Mode
from chalicelib.services.faults import not_found
from chalicelib.services.issue_key import Issued, issue_admin_key, issue_customer_key
from chalicelib.store import accounts, api_keys

endpoints: Final = Endpoints(__name__, tag="API keys", role="admin")


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to issue to an account."""

    name: Annotated[Name, Meta(description="Whose or what for it is.")]
    mode: Annotated[Mode, Meta(description="A `test` key reaches simulators only, free of charge.")] = "live"


class NewAdminKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to issue to an administrator."""

    name: Annotated[Name, Meta(description="Whose it is.")]


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret."""

    id: str
    role: Role
    account: str | None
    mode: Mode
    name: str
    created_at: datetime
    revoked_at: datetime | None


class IssuedKey(KeyView, frozen=True, kw_only=True):
    """A new key, with its secret, which is told this once."""

    key: str


@endpoints.post("/v1/admin/accounts/{account}/keys", status=201)
def issue_key(call: AdminCall, account: AccountId, body: NewKey) -> IssuedKey:
    """Issue a key to an account. The answer is the only place where its secret is told."""
    return _issued(issue_customer_key(account, body.mode, body.name, call.now_ms))


@endpoints.get("/v1/admin/accounts/{account}/keys")
def list_keys_of_account(call: AdminCall, account: AccountId) -> Listing[KeyView]:
    """List an account's keys, oldest first, with those that were revoked."""
    if accounts.get(account) is None:
        raise not_found("account")
    return Listing(data=tuple(_view(key) for key in api_keys.of_account(account)))


@endpoints.post("/v1/admin/keys", status=201)
def issue_administrators_key(call: AdminCall, body: NewAdminKey) -> IssuedKey:
    """Issue a key to an administrator. The answer is the only place where its secret is told."""
    return _issued(issue_admin_key(body.name, call.now_ms))


@endpoints.get("/v1/admin/keys", faults=("invalid_cursor",))
def list_keys(call: AdminCall, query: PageQuery) -> Listing[KeyView]:
    """List all keys, customers' and administrators', in no particular order."""
    page = api_keys.listing(unseal(call, "keys", query.cursor), query.limit)
    return Listing(data=tuple(_view(key) for key in page.items), next_cursor=seal(call, "keys", page.cursor))


@endpoints.post("/v1/admin/keys/{key}/revoke")
def revoke_key(call: AdminCall, key: KeyId) -> KeyView:
    """Revoke a key, for good.

    It stops working within some seconds. Revoking it again changes nothing.
    """
    revoked = api_keys.revoke(key, call.now_ms)
    if revoked is None:
        raise not_found("key")
    return _view(revoked)


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        role=key.role,
        account=key.account,
        mode=key.mode,
        name=key.name,
        created_at=instant(key.created_ms),
        revoked_at=None if key.revoked_ms is None else instant(key.revoked_ms),
    )


def _issued(issued: Issued) -> IssuedKey:
    told = _view(issued.key)
    return IssuedKey(**{name: getattr(told, name) for name in told.__struct_fields__}, key=issued.text)
