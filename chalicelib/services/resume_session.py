"""Resume a session: from the token that a login gave out to its user, while it holds; each use lets it hold on."""

from typing import Final

import msgspec

from chalicelib.domain.credentials import KeyText, matches
from chalicelib.domain.session import NOTED_EVERY_MS, Session, ends_ms, limits_of
from chalicelib.domain.user import User
from chalicelib.store import api_keys, sessions, users
from chalicelib.store.rows import Row

_KEY: Final = "key:"  # how `impersonated_by` begins where an administrator's key does it


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A session that holds. `user` is who logged in; None where an administrator's API key impersonates."""

    session: Session
    user: User | None


def resume(token: KeyText, now_ms: int) -> Resumed | None:
    """The session that the token is of; None where there is none, or it is over: which, is not for strangers."""
    held = sessions.cached(token.id, now_ms)
    if held is None or not matches(token.secret, held.value.secret_sha256):
        return None
    session = held.value
    user = users.cached(session.holder, now_ms)
    if not _holds(session, user, now_ms):
        return None
    _note_use(held, now_ms)
    return Resumed(session=session, user=user)


def _holds(session: Session, user: User | None, now_ms: int) -> bool:
    if now_ms >= ends_ms(session, limits_of(session, user)):
        return False
    if user is not None:
        return user.state == "active" and user.generation == session.generation
    if session.impersonated_by is None or not session.impersonated_by.startswith(_KEY):
        return False  # its user was deleted
    key = api_keys.cached(session.holder, now_ms)
    return key is not None and key.revoked_ms is None


def _note_use(held: Row[Session], now_ms: int) -> None:
    """Where somebody else changed the session at the same time, it was used or revoked: nothing is to be noted."""
    if now_ms - held.value.used_ms >= NOTED_EVERY_MS:
        sessions.change(held.version, msgspec.structs.replace(held.value, used_ms=now_ms))
