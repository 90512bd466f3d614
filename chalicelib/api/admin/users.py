"""Users of accounts, as administrators keep them; and sessions as an account."""

from typing import Annotated, Final

from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Deleted, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.login_types import (
    Ended,
    Impersonation,
    ImpersonationView,
    UserSessionId,
    UserSessionView,
    impersonation_view,
    origin_of,
    session_view,
)
from chalicelib.api.user_types import Mailed, NewUser, UserChange, UserId, UserView, terms_of, user_view
from chalicelib.services import end_sessions, guard_login, keep_user, reset_password
from chalicelib.services.impersonate import impersonate
from chalicelib.store import users

endpoints: Final = Endpoints(__name__, tag="Users", role="admin")


class UserOfAccount(NewUser, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user to invite, and to which account."""

    account: AccountId


class UserQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which users."""

    account: Annotated[AccountId, Meta(description="Only this account's, oldest first, on one page.")] | None = None
    email: Annotated[str, Meta(min_length=3, max_length=254, description="Only whose address it is.")] | None = None


@endpoints.get("/v1/admin/users", faults=("invalid_cursor", "not_found"))
def list_users(call: AdminCall, query: UserQuery) -> Listing[UserView]:
    """List accounts' users: an account's, the one with an address, or all in no particular order.

    A page may be short, or empty, before the last: go on while there is a `next_cursor`.
    """
    if query.email is not None:
        held = users.by_email(query.email)
        found = [held] if held is not None and query.account in (None, held.value.account) else []
        return Listing(data=tuple(user_view(row) for row in found if row.value.account is not None))
    if query.account is not None:
        return Listing(data=tuple(user_view(row) for row in keep_user.of_account(query.account)))
    page = users.listing(unseal(call, "users", query.cursor), query.limit)
    customers = tuple(user_view(row) for row in page.items if row.value.account is not None)
    return Listing(data=customers, next_cursor=seal(call, "users", page.cursor))


@endpoints.post("/v1/admin/users", status=201, faults=("already_exists", "not_found", "too_many"))
def invite_user_to_account(call: AdminCall, body: UserOfAccount) -> UserView:
    """Invite a user to an account. A mail asks it to choose a password."""
    return user_view(keep_user.create(body.account, terms_of(body), call.caller.who, call.now_ms))


@endpoints.get("/v1/admin/users/{user}")
def read_user(call: AdminCall, user: UserId) -> UserView:
    """Read a user of an account."""
    return user_view(keep_user.read_customer(user))


@endpoints.put("/v1/admin/users/{user}", faults=("already_exists", "version_conflict"))
def change_user(call: AdminCall, user: UserId, body: UserChange) -> UserView:
    """Change a user of an account: its address, role, state, and what it says of itself."""
    return user_view(
        keep_user.change(keep_user.read_customer(user), terms_of(body), body.version, call.caller.by, call.now_ms)
    )


@endpoints.delete("/v1/admin/users/{user}", faults=("version_conflict",))
def delete_user(call: AdminCall, user: UserId) -> Deleted:
    """Delete a user of an account. What it sent stays, with its id."""
    keep_user.delete(keep_user.read_customer(user), call.caller.by)
    return Deleted(user)


@endpoints.post("/v1/admin/users/{user}/mail-link", status=202)
def mail_link_to_user(call: AdminCall, user: UserId) -> Mailed:
    """Mail a user a link to choose a password; one who has none yet the invitation again."""
    reset_password.mail_link(keep_user.read_customer(user).value, call.address, call.now_ms)
    return Mailed(user)


@endpoints.post("/v1/admin/users/{user}/unlock")
def unlock_user(call: AdminCall, user: UserId) -> UserView:
    """Forget a user's failed logins: it need not wait any longer."""
    held = keep_user.read_customer(user)
    guard_login.unlock(held.value.email)
    return user_view(held)


@endpoints.get("/v1/admin/users/{user}/sessions")
def list_sessions_of_user(call: AdminCall, user: UserId) -> Listing[UserSessionView]:
    """List a user's logins that hold, oldest first."""
    own = end_sessions.standing(keep_user.read_customer(user).value, call.now_ms)
    return Listing(data=tuple(session_view(one, None) for one in own))


@endpoints.delete("/v1/admin/users/{user}/sessions/{session}")
def end_session_of_user(call: AdminCall, user: UserId, session: UserSessionId) -> Deleted:
    """End a session of a user, within some seconds."""
    end_sessions.end(keep_user.read_customer(user).value, session)
    return Deleted(session)


@endpoints.post("/v1/admin/users/{user}/end-sessions")
def end_sessions_of_user(call: AdminCall, user: UserId) -> Ended:
    """End all sessions of a user, within some seconds."""
    return Ended(end_sessions.end_all(keep_user.read_customer(user).value))


@endpoints.post("/v1/admin/accounts/{account}/impersonate", status=201, faults=("account_closed",))
def impersonate_account(call: AdminCall, account: AccountId, body: Impersonation) -> ImpersonationView:
    """Act as an account, for an hour at most: the answer's token is good for what its people may do in that role.

    Everything that is done with it names you in the audit log. It keeps no users and has no profile.
    """
    begun = impersonate(call.caller, account, body.role, origin_of(call), call.now_ms)
    return impersonation_view(begun, account, body.role)
