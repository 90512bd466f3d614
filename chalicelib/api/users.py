"""The users of one's own account: invite, list, change, suspend, delete; by its owners."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.login_types import Ended, UserSessionId, UserSessionView, session_view
from chalicelib.api.profile import person
from chalicelib.api.user_types import Mailed, NewUser, UserChange, UserId, UserView, terms_of, user_view
from chalicelib.services import end_sessions, keep_user, reset_password

endpoints: Final = Endpoints(__name__, tag="Users", role="customer")
# Who acts in an account's place leaves nobody behind in it.
_OWNERS: Final = ("impersonating",)


@endpoints.get("/v1/users")
def list_own_users(call: CustomerCall) -> Listing[UserView]:
    """List your account's users, oldest first. One made a moment ago may be missing yet."""
    return Listing(data=tuple(user_view(row) for row in keep_user.of_account(call.caller.account.id)))


@endpoints.post("/v1/users", status=201, faults=("already_exists", "too_many", *_OWNERS))
def invite_user(call: CustomerCall, body: NewUser) -> UserView:
    """Invite a user to your account.

    A mail asks it to choose a password. An owner does everything; a sender sends and reads; a viewer reads.
    """
    person(call)
    return user_view(keep_user.create(call.caller.account.id, terms_of(body), call.caller.who, call.now_ms))


@endpoints.get("/v1/users/{user}")
def read_own_user(call: CustomerCall, user: UserId) -> UserView:
    """Read a user of your account."""
    return user_view(keep_user.read(call.caller.account.id, user))


@endpoints.put("/v1/users/{user}", faults=("already_exists", "version_conflict", "wrong_state", *_OWNERS))
def change_own_user(call: CustomerCall, user: UserId, body: UserChange) -> UserView:
    """Change a user of your account: its address, role, state, and what it says of itself."""
    by = person(call).id
    return user_view(
        keep_user.change(keep_user.read(call.caller.account.id, user), terms_of(body), body.version, by, call.now_ms)
    )


@endpoints.delete("/v1/users/{user}", faults=("version_conflict", "wrong_state", *_OWNERS))
def delete_own_user(call: CustomerCall, user: UserId) -> Deleted:
    """Delete a user of your account. What it sent stays, with its id."""
    keep_user.delete(keep_user.read(call.caller.account.id, user), person(call).id)
    return Deleted(user)


@endpoints.post("/v1/users/{user}/mail-link", status=202, faults=_OWNERS)
def mail_link_to_own_user(call: CustomerCall, user: UserId) -> Mailed:
    """Mail a user of your account a link to choose a password; one who has none yet the invitation again."""
    person(call)
    held = keep_user.read(call.caller.account.id, user)
    reset_password.mail_link(held.value, call.address, call.now_ms)
    return Mailed(user)


@endpoints.get("/v1/users/{user}/sessions")
def list_sessions_of_own_user(call: CustomerCall, user: UserId) -> Listing[UserSessionView]:
    """List the logins of a user of your account, oldest first."""
    held = keep_user.read(call.caller.account.id, user)
    own = end_sessions.standing(held.value, call.now_ms)
    return Listing(data=tuple(session_view(one, call.caller.session) for one in own))


@endpoints.delete("/v1/users/{user}/sessions/{session}", faults=_OWNERS)
def end_session_of_own_user(call: CustomerCall, user: UserId, session: UserSessionId) -> Deleted:
    """End a session of a user of your account, within some seconds."""
    person(call)
    end_sessions.end(keep_user.read(call.caller.account.id, user).value, session)
    return Deleted(session)


@endpoints.post("/v1/users/{user}/end-sessions", faults=_OWNERS)
def end_sessions_of_own_user(call: CustomerCall, user: UserId) -> Ended:
    """End all sessions of a user of your account, within some seconds."""
    person(call)
    return Ended(end_sessions.end_all(keep_user.read(call.caller.account.id, user).value))
