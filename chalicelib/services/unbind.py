"""Unbind customers' sessions: asked for here, done by the bridge that has the session at its next beat."""

import msgspec

from chalicelib.services.faults import not_found
from chalicelib.store import esme_sessions
from chalicelib.store.esme_sessions import Held


def unbind(system_id: str, session: str, now_ms: int) -> Held:
    """Ask for one session's end; asking again changes nothing. Raises Fault `not_found` where it is not bound."""
    held = next((one for one in esme_sessions.of_login(system_id, now_ms) if one.session.id == session), None)
    if held is None or not esme_sessions.ask_unbind(held):
        raise not_found("bound session")
    return msgspec.structs.replace(held, unbind_asked=True)


def unbind_all(system_id: str, now_ms: int) -> None:
    """Ask for the end of all sessions of a login."""
    for held in esme_sessions.of_login(system_id, now_ms):
        esme_sessions.ask_unbind(held)
