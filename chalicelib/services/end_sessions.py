"""End sessions: log out, or put out those that somebody left somewhere, or that are not his."""

import logging
from typing import Final

import msgspec

from chalicelib.domain.session import MAX_SESSIONS, Session, ends_ms, limits_of
from chalicelib.domain.user import User
from chalicelib.services.faults import not_found
from chalicelib.services.record_change import changed
from chalicelib.store import sessions, users

_ATTEMPTS: Final = 3
log: Final = logging.getLogger(__name__)


class Standing(msgspec.Struct, frozen=True):
    """A session that holds, and until when it does unless it is used."""

    session: Session
    ends_ms: int


def standing(user: User, now_ms: int) -> list[Standing]:
    """The user's sessions that hold, oldest first; those in which it impersonates too."""
    found = (Standing(held, ends_ms(held, limits_of(held, user))) for held in sessions.of_holder(user.id))
    return [one for one in found if one.session.generation == user.generation and now_ms < one.ends_ms]


def log_out(session: Session) -> None:
    """The session is over; if it was already, nothing changes."""
    if sessions.revoke(session.id):
        changed("session", session.id, session)
    log.info("logged out", extra={"session": session.id, "holder": session.holder})


def end(user: User, session_id: str) -> None:
    """One of the user's sessions is over. Raises Fault `not_found`, also for somebody else's."""
    held = sessions.get(session_id)
    if held is None or held.value.holder != user.id or not sessions.revoke(session_id):
        raise not_found("session")
    changed("session", session_id, held.value, account=user.account)
    log.info("a session was ended", extra={"session": session_id, "holder": user.id})


def end_oldest(user: User) -> None:
    """Where the user has more sessions than anybody needs, the oldest are over."""
    held = sessions.of_holder(user.id)
    if len(held) > MAX_SESSIONS:
        sessions.revoke_all(one.id for one in held[:-MAX_SESSIONS])


def end_others(user: User, kept: Session) -> int:
    """All of the user's sessions but that one are over, also those that nobody has been told of yet; how many were."""
    return len(_end_all_but(user, kept)) if _next_generation(user.id, kept) else 0


def end_all(user: User) -> int:
    """All of the user's sessions are over; how many were."""
    return len(_end_all_but(user, None)) if _next_generation(user.id, None) else 0


def tidy_up(user: User) -> None:
    """After `user` has come to a new generation, or is gone: none of its sessions holds any more; forget them."""
    _end_all_but(user, None)


def keep_alone(kept: Session, user: User) -> None:
    """After `user` has come to a new generation: only that session goes with it. The others hold no more already."""
    _bring_along(kept, user)
    _end_all_but(user, kept)


def _next_generation(user_id: str, kept: Session | None) -> bool:
    """From then on no session of before holds, whatever happens to its item."""
    row = users.update(user_id, lambda held: msgspec.structs.replace(held, generation=held.generation + 1))
    if row is None:
        return False
    now = row.value.generation
    changed("user", user_id, {"generation": now - 1}, {"generation": now}, account=row.value.account)
    if kept is not None:
        _bring_along(kept, row.value)
    return True


def _bring_along(kept: Session, user: User) -> None:
    """Where its use is noted at this moment, once more; where it was ended, it stays so."""
    for _ in range(_ATTEMPTS):
        held = sessions.get(kept.id)
        if held is None or sessions.change(
            held.version, msgspec.structs.replace(held.value, generation=user.generation)
        ):
            return


def _end_all_but(user: User, kept: Session | None) -> list[str]:
    """Tidy up: what is missed here ends by its generation, and goes with its time to live."""
    ended = [one.id for one in sessions.of_holder(user.id) if kept is None or one.id != kept.id]
    sessions.revoke_all(ended)
    log.info("sessions were ended", extra={"holder": user.id, "sessions": len(ended)})
    return ended
