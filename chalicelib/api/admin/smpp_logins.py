"""SMPP logins: open, read, change, list, close; rotate a password, which is told once; sessions, and their end."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Deleted, Name, PageQuery, SessionId, SystemId, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.session_types import BoundSessionOfAccount, of_account
from chalicelib.domain.content import Mode
from chalicelib.domain.ip_rules import MAX_RULE_LENGTH, MAX_RULES
from chalicelib.domain.smpp_login import Alphabet, SmppLogin
from chalicelib.services.faults import not_found
from chalicelib.services.keep_smpp_login import (
    Opened,
    change_login,
    close_login,
    open_login,
    read_login,
    rotate_password,
)
from chalicelib.services.unbind import unbind
from chalicelib.store import accounts, esme_sessions, smpp_logins
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="SMPP logins", role="admin")


class LoginSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an administrator sets of an SMPP login."""

    name: Annotated[Name, Meta(description="Whose or what for it is.")]
    mode: Annotated[Mode, Meta(description="A `test` login reaches simulators only, free of charge.")] = "live"
    max_sessions: Annotated[int, Meta(ge=1, le=100, description="Bound at the same time, of any kind.")] = 2
    window: Annotated[int, Meta(ge=1, le=1_000, description="Unanswered requests a session, each way.")] = 10
    per_second: Annotated[float, Meta(ge=0.1, le=10_000, description="Messages; more is answered 0x58.")] = 50.0
    ip_rules: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=MAX_RULE_LENGTH)], ...],
        Meta(max_length=MAX_RULES, description="Networks that it may connect from (CIDR); none: from anywhere."),
    ] = ()
    data_coding_1: Annotated[
        Alphabet, Meta(description="How its texts with data_coding 1 are to be read: node-smpp's are `gsm`.")
    ] = "ascii"


class NewLogin(LoginSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An SMPP login to open."""

    system_id: SystemId


class LoginChange(LoginSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default."""

    state: Annotated[Literal["active", "suspended"], Meta(description="A suspended one is unbound.")] = "active"
    version: Version


class PasswordRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of those who bound with the old password."""

    unbind_sessions: bool = False


class LoginView(LoginSettings, frozen=True, kw_only=True):
    """A login without its password."""

    system_id: str
    account: str
    state: Literal["active", "suspended", "closed"]
    created_at: datetime
    version: int


class OpenedLogin(LoginView, frozen=True, kw_only=True):
    """A login with its password, which is told this once."""

    password: str


@endpoints.post("/v1/admin/accounts/{account}/smpp-logins", status=201, faults=("already_exists",))
def open_smpp_login(call: AdminCall, account: AccountId, body: NewLogin) -> OpenedLogin:
    """Open an SMPP login for an account. The answer is the only place where its password is told.

    The account's first login can bind some seconds later.
    """
    return _opened(open_login(_login(account, body.system_id, body), call.now_ms))


@endpoints.get("/v1/admin/accounts/{account}/smpp-logins")
def list_smpp_logins_of_account(call: AdminCall, account: AccountId) -> Listing[LoginView]:
    """List an account's SMPP logins by system id, with those that were closed."""
    if accounts.get(account) is None:
        raise not_found("account")
    return Listing(data=tuple(_view(row) for row in smpp_logins.of_account(account)))


@endpoints.get("/v1/admin/smpp-logins", faults=("invalid_cursor",))
def list_smpp_logins(call: AdminCall, query: PageQuery) -> Listing[LoginView]:
    """List all SMPP logins, in no particular order, with those that were closed."""
    page = smpp_logins.listing(unseal(call, "smpp logins", query.cursor), query.limit)
    return Listing(data=tuple(_view(row) for row in page.items), next_cursor=seal(call, "smpp logins", page.cursor))


@endpoints.get("/v1/admin/smpp-logins/{system_id}")
def read_smpp_login(call: AdminCall, system_id: SystemId) -> LoginView:
    """Read an SMPP login, also a closed one."""
    held = smpp_logins.versioned(system_id)
    if held is None:
        raise not_found("SMPP login")
    return _view(held)


@endpoints.put("/v1/admin/smpp-logins/{system_id}", faults=("version_conflict",))
def change_smpp_login(call: AdminCall, system_id: SystemId, body: LoginChange) -> LoginView:
    """Change an SMPP login.

    It takes effect within some seconds, for sessions that are bound too; a suspended login is unbound.
    """
    login = msgspec.structs.replace(_login("", system_id, body), state=body.state)
    return _view(change_login(login, body.version, call.now_ms))


@endpoints.delete("/v1/admin/smpp-logins/{system_id}")
def close_smpp_login(call: AdminCall, system_id: SystemId) -> Deleted:
    """Close an SMPP login for good: its sessions are unbound, and what waits for it is told to nobody.

    Its system id goes to no other account; for its own it can be opened anew.
    """
    close_login(system_id, call.now_ms)
    return Deleted(system_id)


@endpoints.post("/v1/admin/smpp-logins/{system_id}/rotate-password")
def rotate_smpp_password(call: AdminCall, system_id: SystemId, body: PasswordRotation) -> OpenedLogin:
    """Give an SMPP login a new password. The answer is the only place where it is told.

    The old one binds no more, within some seconds; sessions that are bound go on unless `unbind_sessions` is true.
    """
    return _opened(rotate_password(system_id, call.now_ms, unbind=body.unbind_sessions))


@endpoints.get("/v1/admin/smpp-logins/{system_id}/sessions")
def list_smpp_sessions_of_login(call: AdminCall, system_id: SystemId) -> Listing[BoundSessionOfAccount]:
    """List a login's bound sessions."""
    read_login(system_id)
    return Listing(data=tuple(of_account(held) for held in esme_sessions.of_login(system_id, call.now_ms)))


@endpoints.post("/v1/admin/smpp-logins/{system_id}/sessions/{session}/unbind")
def unbind_smpp_session(call: AdminCall, system_id: SystemId, session: SessionId) -> BoundSessionOfAccount:
    """Unbind a session, within ten seconds.

    Its customer may bind again: suspend the login to keep it out.
    """
    return of_account(unbind(system_id, session, call.now_ms))


@endpoints.get("/v1/admin/smpp-sessions", faults=("invalid_cursor",))
def list_smpp_sessions(call: AdminCall, query: PageQuery) -> Listing[BoundSessionOfAccount]:
    """List all customers' bound sessions, in no particular order."""
    page = esme_sessions.listing(call.now_ms, unseal(call, "smpp sessions", query.cursor), query.limit)
    return Listing(
        data=tuple(of_account(held) for held in page.items), next_cursor=seal(call, "smpp sessions", page.cursor)
    )


def _login(account: str, system_id: str, given: LoginSettings) -> SmppLogin:
    return SmppLogin(
        system_id=system_id,
        account=account,
        password_hash="",  # the service knows
        created_ms=0,  # the same
        **{name: getattr(given, name) for name in LoginSettings.__struct_fields__},
    )


def _view(row: Row[SmppLogin]) -> LoginView:
    return LoginView(**_fields(row))


def _opened(opened: Opened) -> OpenedLogin:
    return OpenedLogin(**_fields(opened.row), password=opened.password)


def _fields(row: Row[SmppLogin]) -> dict[str, Any]:
    login = row.value
    return {name: getattr(login, name) for name in LoginSettings.__struct_fields__} | {
        "system_id": login.system_id,
        "account": login.account,
        "state": login.state,
        "created_at": instant(login.created_ms),
        "version": row.version,
    }
