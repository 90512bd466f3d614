"""API keys: issue, list, revoke. A secret is told once."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, IpRules, KeyId, Name, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.account import ApiKey, Role
from chalicelib.domain.content import Mode
from chalicelib.services.admit import require
from chalicelib.services.faults import Fault, FieldFault, invalid, not_found
from chalicelib.services.issue_key import Access, Issued, change_key, issue_admin_key, issue_customer_key, revoke
from chalicelib.store import accounts, api_keys

endpoints: Final = Endpoints(__name__, tag="API keys", role="admin")
ADMINISTRATORS: Final = "admin.administrators:write"  # a key that may all is like an administrator


Scope = Annotated[
    str,
    Meta(
        pattern="^[a-z.-]{1,40}:[a-z]{1,10}$(?!\\n)", description="`x-scope` of operations.", examples=["messages:send"]
    ),
]


class KeyAccess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where, for what, and how often a key may be used."""

    ip_rules: IpRules = ()
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=100, description="None: all that its role may.")] = ()
    requests_per_second: Annotated[float, Meta(gt=0, le=100_000, description="Null: no limit.")] | None = None
    requests_burst: (
        Annotated[int, Meta(ge=1, le=100_000, description="At once, after a pause. Null: a second's worth.")] | None
    ) = None


class KeyChange(KeyAccess, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name and access anew; what is left out is set to its default."""

    name: Annotated[Name, Meta(description="Whose or what for it is.")]


class NewKey(KeyAccess, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to issue to an account."""

    name: Annotated[Name, Meta(description="Whose or what for it is.")]
    mode: Annotated[Mode, Meta(description="A `test` key reaches simulators only, free of charge.")] = "live"


class NewAdminKey(KeyAccess, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to issue to an administrator."""

    name: Annotated[Name, Meta(description="Whose it is.")]


class KeyView(KeyAccess, frozen=True, kw_only=True):
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
    return _issued(issue_customer_key(account, body.mode, body.name, call.now_ms, _access(body, "customer")))


@endpoints.get("/v1/admin/accounts/{account}/keys")
def list_keys_of_account(call: AdminCall, account: AccountId) -> Listing[KeyView]:
    """List an account's keys, oldest first, with those that were revoked."""
    if accounts.get(account) is None:
        raise not_found("account")
    return Listing(data=tuple(_view(key) for key in api_keys.of_account(account)))


@endpoints.post("/v1/admin/keys", status=201, right=ADMINISTRATORS)
def issue_administrators_key(call: AdminCall, body: NewAdminKey) -> IssuedKey:
    """Issue a key to an administrator. The answer is the only place where its secret is told."""
    _check_has(call, body)
    return _issued(issue_admin_key(body.name, call.now_ms, _access(body, "admin")))


@endpoints.get("/v1/admin/keys", faults=("invalid_cursor",))
def list_keys(call: AdminCall, query: PageQuery) -> Listing[KeyView]:
    """List all keys, customers' and administrators', in no particular order."""
    page = api_keys.listing(unseal(call, "keys", query.cursor), query.limit)
    return Listing(data=tuple(_view(key) for key in page.items), next_cursor=seal(call, "keys", page.cursor))


@endpoints.put("/v1/admin/keys/{key}")
def change_a_key(call: AdminCall, key: KeyId, body: KeyChange) -> KeyView:
    """Change a key's name, and from where, for what and how often it may be used.

    It takes effect within some seconds. Two changes at once: the later stands.
    """
    held = _check_may_change(call, key)
    if held.role == "admin":
        _check_has(call, body)
    return _view(change_key(key, body.name, _access(body, held.role)))


@endpoints.post("/v1/admin/keys/{key}/revoke")
def revoke_key(call: AdminCall, key: KeyId) -> KeyView:
    """Revoke a key, for good.

    It stops working within some seconds. Revoking it again changes nothing.
    """
    _check_may_change(call, key)
    return _view(revoke(key, call.now_ms))


def _check_may_change(call: AdminCall, key: str) -> ApiKey:
    """The key. Raises Fault `not_found`; `forbidden` where it is an administrator's, and those are not the caller's."""
    held = api_keys.get(key)
    if held is None:
        raise not_found("key")
    if held.role == "admin":
        require(call.caller, ADMINISTRATORS)
    return held


def _check_has(call: AdminCall, given: KeyAccess) -> None:
    """Raises Fault `scope_missing` where an administrator's key is to be good for more than the one that asks."""
    own = call.caller.key.scopes
    if own and (not given.scopes or not set(given.scopes) <= set(own)):
        raise Fault("scope_missing", "a key gives no scopes that it does not have: name some of its own")


def _access(given: KeyAccess, role: Role) -> Access:
    """Raises Fault `invalid_request` for scopes that no operation of the role asks for."""
    from chalicelib.api.catalogue import CATALOGUE  # noqa: PLC0415 - it lists this module too

    known = {operation.scope for endpoints in CATALOGUE for operation in endpoints.operations if operation.role == role}
    faults = [
        FieldFault(field=f"/scopes/{number}", code="not_allowed", detail=f"no operation for {role} keys has this scope")
        for number, scope in enumerate(given.scopes)
        if scope not in known
    ]
    if faults:
        raise invalid(*faults)
    return Access(
        ip_rules=given.ip_rules,
        scopes=given.scopes,
        requests_per_second=given.requests_per_second,
        requests_burst=given.requests_burst,
    )


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        ip_rules=key.ip_rules,
        scopes=key.scopes,
        requests_per_second=key.requests_per_second,
        requests_burst=key.requests_burst,
        id=key.id,
        role=key.role,
        account=key.account,
        mode=key.mode,
        name=key.name,
        created_at=instant(key.created_ms),
        revoked_at=instant(key.revoked_ms),
    )


def _issued(issued: Issued) -> IssuedKey:
    told = _view(issued.key)
    return IssuedKey(**{name: getattr(told, name) for name in told.__struct_fields__}, key=issued.text)
