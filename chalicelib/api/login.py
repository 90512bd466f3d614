"""Log in and out; forgotten passwords."""

from typing import Final

from chalicelib.api.endpoints import Call, Endpoints
from chalicelib.api.login_types import LoggedInView, Login, Reset, ResetAsked, ResetRequest, logged_in_view, origin_of
from chalicelib.services import reset_password
from chalicelib.services.log_in import Credentials, log_in
from chalicelib.settings import settings

endpoints: Final = Endpoints(__name__, tag="Log in", role=None)


@endpoints.post("/v1/login", faults=("invalid_login", "locked_out", "code_missing", "account_closed"))
def log_in_a_user(call: Call[None], body: Login) -> LoggedInView:
    """Log in, with e-mail address and password.

    Where an authenticator is confirmed, a code is wanted too: without one the answer is `code_missing`. After some
    failures each further one has to be waited for longer. The token is told this once; it goes where a key would.
    """
    given = Credentials(email=body.email, password=body.password, code=body.code)
    found = log_in(given, origin_of(call), call.now_ms)
    must_enrol = found.user.account is None and found.user.two_factor is None and settings().second_factor
    return logged_in_view(found.user, found.begun, must_enrol=must_enrol)


@endpoints.post("/v1/password-reset", status=202, faults=("locked_out",))
def ask_for_a_reset(call: Call[None], body: ResetRequest) -> ResetAsked:
    """Have a link to set a new password mailed; after a few, only every some minutes.

    The answer is the same whether somebody has the address or not, and whether one was mailed or not.
    """
    reset_password.request(body.email, call.address, call.now_ms)
    return ResetAsked()


@endpoints.post("/v1/password-reset/confirm", faults=("invalid_reset", "locked_out"))
def reset_a_password(call: Call[None], body: Reset) -> ResetAsked:
    """Set a password with the token of a mail, which works once, for 30 minutes (an invitation's for three days).

    All sessions of the user are over. It may log in at once.
    """
    reset_password.confirm(body.token, body.password, call.address, call.now_ms)
    return ResetAsked("The password is set: log in with it.")
