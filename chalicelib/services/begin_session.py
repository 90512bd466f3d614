"""Begin sessions: a token is told once, and only its digest kept."""

import secrets

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.credentials import SECRET_BYTES, KeyText, digest
from chalicelib.domain.session import MAX_USER_AGENT, Session, limits_of
from chalicelib.domain.user import AccountRole, User
from chalicelib.store import sessions


class From(msgspec.Struct, frozen=True):
    """Where a request came from: what its session's holder can know it by."""

    address: str
    user_agent: str


class Begun(msgspec.Struct, frozen=True):
    """A new session, and the token that nobody can tell again."""

    session: Session
    token: str


def begin(user: User, origin: From, now_ms: int) -> Begun:
    """A session of the user, who has just shown who it is."""
    token = _token(now_ms)
    session = Session(
        id=token.id,
        holder=user.id,
        secret_sha256=digest(token.secret),
        created_ms=now_ms,
        used_ms=now_ms,
        generation=user.generation,
        address=origin.address,
        user_agent=origin.user_agent[:MAX_USER_AGENT],
    )
    return _keep(session, token, user)


class InPlace(msgspec.Struct, frozen=True, kw_only=True):
    """As which account an administrator acts, and in which role. `who` is the administrator: 'user:…' or 'key:…'."""

    account: str
    role: AccountRole
    who: str
    user: User | None  # None: a key


def begin_in_place(of: InPlace, origin: From, now_ms: int) -> Begun:
    """A session of an administrator in an account's place."""
    token = _token(now_ms)
    session = Session(
        id=token.id,
        holder=of.who.partition(":")[2],
        secret_sha256=digest(token.secret),
        created_ms=now_ms,
        used_ms=now_ms,
        generation=of.user.generation if of.user else 0,
        address=origin.address,
        user_agent=origin.user_agent[:MAX_USER_AGENT],
        account=of.account,
        role=of.role,
        impersonated_by=of.who,
    )
    return _keep(session, token, of.user)


def _token(now_ms: int) -> KeyText:
    return KeyText("session", ids.new_ulid(now_ms), secrets.token_hex(SECRET_BYTES))


def _keep(session: Session, token: KeyText, user: User | None) -> Begun:
    sessions.create(session, session.created_ms + limits_of(session, user).absolute_ms)
    return Begun(session, str(token))
