"""Resume a session: from the token that a login gave out to its user, while it holds; each use lets it hold on."""

from typing import Final

import msgspec

from chalicelib.domain.account import ApiKey
from chalicelib.domain.credentials import KeyText, matches
from chalicelib.domain.session import NOTED_EVERY_MS, Session, ends_ms, limits_of
from chalicelib.domain.user import User
from chalicelib.store import api_keys, sessions, users
from chalicelib.store.rows import Row

_KEY: Final = "key:"  # how `impersonated_by` begins where an administrator's key does it


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A session that holds. `user` is who logged in; None where an administrator's API key, `key`, impersonates."""

    session: Session
    user: User | None = None
    key: ApiKey | None = None


def resume(token: KeyText, now_ms: int) -> Resumed | None:
    """The session that the token is of; None where there is none, or it is over: which, is not for strangers."""
    held = sessions.cached(token.id, now_ms)
    if held is None or not matches(token.secret, held.value.secret_sha256):
        return None
    session = held.value
    user = users.cached(session.holder, now_ms)
    key = _impersonating_key(session, now_ms) if user is None else None
    if (user is None and key is None) or now_ms >= ends_ms(session, limits_of(session, user)):
        return None
    if user is not None and (user.state != "active" or user.generation != session.generation):
        return None
    _note_use(held, now_ms)
    return Resumed(session=session, user=user, key=key)


def _impersonating_key(session: Session, now_ms: int) -> ApiKey | None:
    """The key that acts as the account; None where it was revoked, or where it was a user, who was deleted since."""
    if session.impersonated_by is None or not session.impersonated_by.startswith(_KEY):
        return None
    key = api_keys.cached(session.holder, now_ms)
    return key if key is not None and key.revoked_ms is None else None


def _note_use(held: Row[Session], now_ms: int) -> None:
    """Where somebody else changed the session at the same time, it was used or revoked: nothing is to be noted."""
    if now_ms - held.value.used_ms >= NOTED_EVERY_MS:
        sessions.change(held.version, msgspec.structs.replace(held.value, used_ms=now_ms))
