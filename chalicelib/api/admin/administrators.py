"""Administrators themselves: invite, list, change, suspend, delete; their sessions and authenticators."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.login_types import Ended, UserSessionId, UserSessionView, session_view
from chalicelib.api.user_types import (
    AdministratorChange,
    Mailed,
    NewAdministrator,
    UserId,
    UserView,
    terms_of,
    user_view,
)
from chalicelib.domain.user import User
from chalicelib.services import end_sessions, guard_login, keep_user, reset_password, two_factor
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Administrators", role="admin")


@endpoints.get("/v1/admin/administrators")
def list_administrators(call: AdminCall) -> Listing[UserView]:
    """List the administrators who log in, oldest first. Keys are listed elsewhere."""
    return Listing(data=tuple(user_view(row) for row in keep_user.of_account(None)))


@endpoints.post("/v1/admin/administrators", status=201, faults=("already_exists", "too_many"))
def invite_administrator(call: AdminCall, body: NewAdministrator) -> UserView:
    """Invite an administrator. A mail asks it to choose a password; then it confirms an authenticator."""
    return user_view(keep_user.create(None, terms_of(body), call.caller.who, call.now_ms))


@endpoints.get("/v1/admin/administrators/{user}")
def read_administrator(call: AdminCall, user: UserId) -> UserView:
    """Read an administrator."""
    return user_view(_held(user))


@endpoints.put("/v1/admin/administrators/{user}", faults=("already_exists", "version_conflict", "wrong_state"))
def change_administrator(call: AdminCall, user: UserId, body: AdministratorChange) -> UserView:
    """Change an administrator: its address, role, state, and what it says of itself."""
    return user_view(keep_user.change(_held(user), terms_of(body), body.version, call.caller.by, call.now_ms))


@endpoints.delete("/v1/admin/administrators/{user}", faults=("version_conflict", "wrong_state"))
def delete_administrator(call: AdminCall, user: UserId) -> Deleted:
    """Delete an administrator. What it did stays in the audit log, with its id."""
    keep_user.delete(_held(user), call.caller.by)
    return Deleted(user)


@endpoints.post("/v1/admin/administrators/{user}/mail-link", status=202)
def mail_link_to_administrator(call: AdminCall, user: UserId) -> Mailed:
    """Mail an administrator a link to choose a password; one who has none yet the invitation again."""
    reset_password.mail_link(_held(user).value, call.address, call.now_ms)
    return Mailed(user)


@endpoints.post("/v1/admin/administrators/{user}/unlock")
def unlock_administrator(call: AdminCall, user: UserId) -> UserView:
    """Forget an administrator's failed logins: it need not wait any longer."""
    held = _held(user)
    guard_login.unlock(held.value.email)
    return user_view(held)


@endpoints.post("/v1/admin/administrators/{user}/remove-two-factor")
def remove_authenticator_of_administrator(call: AdminCall, user: UserId) -> UserView:
    """Remove the authenticator of an administrator who has lost it and the recovery codes. Make sure who asks."""
    two_factor.forget(_held(user).value.id)
    return user_view(_held(user))


@endpoints.get("/v1/admin/administrators/{user}/sessions")
def list_sessions_of_administrator(call: AdminCall, user: UserId) -> Listing[UserSessionView]:
    """List an administrator's logins that hold, oldest first; those in which it acts as an account too."""
    own = end_sessions.standing(_held(user).value, call.now_ms)
    return Listing(data=tuple(session_view(one, call.caller.session) for one in own))


@endpoints.delete("/v1/admin/administrators/{user}/sessions/{session}")
def end_session_of_administrator(call: AdminCall, user: UserId, session: UserSessionId) -> Deleted:
    """End a session of an administrator, within some seconds."""
    end_sessions.end(_held(user).value, session)
    return Deleted(session)


@endpoints.post("/v1/admin/administrators/{user}/end-sessions")
def end_sessions_of_administrator(call: AdminCall, user: UserId) -> Ended:
    """End all sessions of an administrator, within some seconds."""
    return Ended(end_sessions.end_all(_held(user).value))


def _held(user_id: str) -> Row[User]:
    return keep_user.read(None, user_id)
