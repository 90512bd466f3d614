"""Sessions: who has logged in, for how long that holds, and as whom an administrator acts."""

from typing import Final, NamedTuple

import msgspec

from chalicelib.domain.user import User, UserRole

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
MAX_SESSIONS: Final = 50  # of one holder: a machine and a browser more than anybody has
MAX_USER_AGENT: Final = 200  # characters kept of what the client calls itself
# A session's last use is noted so often: a write each five minutes instead of one a request.
NOTED_EVERY_MS: Final = 5 * _MINUTE_MS


class Limits(NamedTuple):
    """For how long a session holds without being used, and at most."""

    idle_ms: int
    absolute_ms: int


OF_CUSTOMERS: Final = Limits(24 * _HOUR_MS, 7 * 24 * _HOUR_MS)
OF_ADMINISTRATORS: Final = Limits(_HOUR_MS, 12 * _HOUR_MS)
OF_IMPERSONATION: Final = Limits(15 * _MINUTE_MS, _HOUR_MS)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login, without its secret, of which only the SHA-256 is kept (the secret has 256 random bits)."""

    id: str
    holder: str  # the user's id; where an administrator's key impersonates, the key's
    secret_sha256: str
    created_ms: int
    used_ms: int  # to NOTED_EVERY_MS
    generation: int  # the user's when it logged in
    address: str  # where the login came from
    user_agent: str = ""
    account: str | None = None  # of an impersonation: as whom it acts
    role: UserRole | None = None  # of an impersonation: what it may do there
    impersonated_by: str | None = None  # 'user:usr_…' or 'key:…': the administrator who acts as the account


def limits_of(session: Session, user: User | None) -> Limits:
    """For how long the session holds. `user` is its holder."""
    if session.impersonated_by is not None:
        return OF_IMPERSONATION
    return OF_ADMINISTRATORS if user is None or user.account is None else OF_CUSTOMERS


def ends_ms(session: Session, limits: Limits) -> int:
    """When the session is over, unless it is used before."""
    return min(session.created_ms + limits.absolute_ms, session.used_ms + limits.idle_ms)
