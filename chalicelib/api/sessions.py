"""One's own sessions: list them, end those that were left somewhere, log out."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import Endpoints
from chalicelib.api.login_types import Ended, UserSessionId, UserSessionView, session_view
from chalicelib.api.profile import PersonCall, person, session_of
from chalicelib.services import end_sessions

endpoints: Final = Endpoints(__name__, tag="Log in", role="person")


@endpoints.post("/v1/logout")
def log_out(call: PersonCall) -> Deleted:
    """Log out: the session that asks is over."""
    session = session_of(call)
    end_sessions.log_out(session)
    return Deleted(session.id)


@endpoints.get("/v1/sessions", faults=("impersonating",))
def list_own_sessions(call: PersonCall) -> Listing[UserSessionView]:
    """List your logins that hold, oldest first."""
    own = end_sessions.standing(person(call), call.now_ms)
    return Listing(data=tuple(session_view(one, call.caller.session) for one in own))


@endpoints.delete("/v1/sessions/{session}", faults=("impersonating",))
def end_own_session(call: PersonCall, session: UserSessionId) -> Deleted:
    """End one of your sessions, within some seconds."""
    end_sessions.end(person(call), session)
    return Deleted(session)


@endpoints.post("/v1/sessions/end-others", faults=("impersonating",))
def end_other_sessions(call: PersonCall) -> Ended:
    """End all of your sessions but the one that asks, within some seconds."""
    return Ended(end_sessions.end_others(person(call), session_of(call)))
