"""Who has logged in: the profile, the password, and the authenticator of administrators."""

from typing import Any, Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.endpoints import Call, Endpoints
from chalicelib.api.login_types import EnrolmentView, PasswordChange, Proof, RecoveryCodes
from chalicelib.api.user_types import ProfileSettings, ProfileView, profile_of, profile_view
from chalicelib.domain.session import Session
from chalicelib.domain.user import User
from chalicelib.services import two_factor
from chalicelib.services.authenticate import Caller
from chalicelib.services.change_password import NewPassword, change_password
from chalicelib.services.faults import Fault
from chalicelib.services.keep_user import change_profile

endpoints: Final = Endpoints(__name__, tag="Profile", role="person")
PersonCall = Call[Caller]
_CODES: Final = ("locked_out", "wrong_state", "impersonating")


@endpoints.get("/v1/profile", faults=("impersonating",))
def read_profile(call: PersonCall) -> ProfileView:
    """Read who you are."""
    return profile_view(person(call))


@endpoints.put("/v1/profile", faults=("impersonating",))
def change_own_profile(call: PersonCall, body: ProfileSettings) -> ProfileView:
    """Change your name, time zone and language. The e-mail address is changed by whoever keeps you."""
    return profile_view(change_profile(person(call).id, profile_of(body)))


@endpoints.put("/v1/profile/password", faults=("locked_out", "impersonating"))
def change_own_password(call: PersonCall, body: PasswordChange) -> ProfileView:
    """Change your password. Your other sessions are over; a mail tells of it."""
    user = person(call)
    change_password(user, session_of(call), NewPassword(body.current, body.new), call.address, call.now_ms)
    return profile_view(user)


@endpoints.post("/v1/profile/two-factor", faults=_CODES)
def enrol_authenticator(call: PersonCall) -> EnrolmentView:
    """Begin to use an authenticator app (administrators): its secret, told this once.

    It counts once a code of it has been confirmed.
    """
    enrolled = two_factor.enrol(person(call))
    return EnrolmentView(secret=enrolled.secret, uri=enrolled.uri)


@endpoints.post("/v1/profile/two-factor/confirm", faults=_CODES)
def confirm_authenticator(call: PersonCall, body: Proof) -> RecoveryCodes:
    """Confirm the authenticator with a code of it: from now on each login wants one.

    The answer is the only place where the recovery codes are told.
    """
    return RecoveryCodes(recovery_codes=two_factor.confirm(person(call), body.code, call.now_ms))


@endpoints.post("/v1/profile/two-factor/recovery-codes", faults=_CODES)
def renew_recovery_codes(call: PersonCall, body: Proof) -> RecoveryCodes:
    """Make ten new recovery codes; the old ones work no more."""
    return RecoveryCodes(recovery_codes=two_factor.renew_recovery_codes(person(call), body.code, call.now_ms))


@endpoints.post("/v1/profile/two-factor/remove", faults=_CODES)
def remove_authenticator(call: PersonCall, body: Proof) -> Deleted:
    """Remove the authenticator, to use another one."""
    user = person(call)
    two_factor.remove(user, body.code, call.now_ms)
    return Deleted(user.id)


def person(call: Call[Any]) -> User:
    """Who has logged in. Raises Fault `impersonating`: an administrator in an account's place is nobody there."""
    user: User | None = call.caller.user
    if user is None:
        raise Fault("impersonating", "whoever acts as an account has no profile there")
    return user


def session_of(call: Call[Any]) -> Session:
    """The session that asks. Raises Fault `wrong_role` for a key, which no operation for people lets come so far."""
    session: Session | None = call.caller.session
    if session is None:
        raise Fault("wrong_role", "this operation is for people who have logged in")
    return session
