"""Logins and sessions as they are written and read."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.endpoints import Call
from chalicelib.api.instants import instant
from chalicelib.api.user_types import NewSecret, ProfileView, profile_view
from chalicelib.domain.email_address import MAX_ADDRESS
from chalicelib.domain.passwords import MAX_LENGTH
from chalicelib.domain.session import Session, limits_of
from chalicelib.domain.user import AccountRole, User, UserRole
from chalicelib.services.begin_session import Begun, From
from chalicelib.services.end_sessions import Standing

_MAX_TOKEN: Final = 200  # a token of ours has some 75 characters
UserSessionId = Annotated[
    str, Meta(pattern="^[0-9A-HJKMNP-TV-Z]{26}$(?!\\n)", description="A session's id; no secret.")
]
Typed = Annotated[str, Meta(min_length=1, max_length=4 * MAX_LENGTH)]
Code = Annotated[
    str, Meta(min_length=6, max_length=40, description="Of the authenticator, or a recovery code.", examples=["123456"])
]


class Login(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who wants to come in. `code` where an authenticator is confirmed."""

    email: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS)]
    password: Typed
    code: Code | None = None


class ResetRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose password was forgotten."""

    email: Annotated[str, Meta(min_length=1, max_length=MAX_ADDRESS)]


class ResetAsked(msgspec.Struct, frozen=True):
    """The same answer whether somebody has the address or not."""

    told: str = "If somebody has this address, a mail with a link is on its way to it."


class Reset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token of the mail's link, and the new password."""

    token: Annotated[str, Meta(min_length=1, max_length=_MAX_TOKEN)]
    password: NewSecret


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The old password and the new."""

    current: Typed
    new: NewSecret


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That whoever asks has the authenticator, too."""

    code: Code


class EnrolmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What the authenticator is to be told, this once: typed, or as a QR code."""

    secret: str
    uri: str


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Each is good for one login without the authenticator. Told this once."""

    recovery_codes: tuple[str, ...]


class Impersonation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As what to act in the account."""

    role: AccountRole = "viewer"


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session, with its token, which is told this once: `Authorization: Bearer <token>`."""

    token: str
    session: str
    expires_at: Annotated[datetime, Meta(description="At the latest.")]
    idle_seconds: Annotated[int, Meta(description="It is over when it was not used for so long.")]
    must_enrol: Annotated[
        bool, Meta(description="An authenticator must be confirmed before the session is good for anything else.")
    ] = False


class LoggedInView(NewSession, frozen=True, kw_only=True):
    """The session of somebody who has logged in."""

    user: ProfileView


class ImpersonationView(NewSession, frozen=True, kw_only=True):
    """A session as an account."""

    account: str
    role: UserRole


class UserSessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A login that holds."""

    id: str
    current: Annotated[bool, Meta(description="The one that asks.")]
    began_at: datetime
    used_at: Annotated[datetime, Meta(description="To five minutes.")]
    expires_at: Annotated[datetime, Meta(description="Unless it is used before.")]
    address: str
    user_agent: str
    account: Annotated[str, Meta(description="As which account an administrator acts in it.")] | None
    role: UserRole | None


class Ended(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


def logged_in_view(user: User, begun: Begun, *, must_enrol: bool) -> LoggedInView:
    """To who has logged in."""
    limits = limits_of(begun.session, user)
    return LoggedInView(
        token=begun.token,
        session=begun.session.id,
        expires_at=instant(begun.session.created_ms + limits.absolute_ms),
        idle_seconds=limits.idle_ms // 1000,
        must_enrol=must_enrol,
        user=profile_view(user),
    )


def impersonation_view(begun: Begun, account: str, role: AccountRole) -> ImpersonationView:
    """To who acts as the account."""
    limits = limits_of(begun.session, None)
    return ImpersonationView(
        token=begun.token,
        session=begun.session.id,
        expires_at=instant(begun.session.created_ms + limits.absolute_ms),
        idle_seconds=limits.idle_ms // 1000,
        account=account,
        role=role,
    )


def session_view(one: Standing, current: Session | None) -> UserSessionView:
    """To its holder, or to an administrator."""
    session = one.session
    return UserSessionView(
        id=session.id,
        current=current is not None and session.id == current.id,
        began_at=instant(session.created_ms),
        used_at=instant(session.used_ms),
        expires_at=instant(one.ends_ms),
        address=session.address,
        user_agent=session.user_agent,
        account=session.account,
        role=session.role,
    )


def origin_of(call: Call[Any]) -> From:
    """Where the request came from."""
    return From(call.address, call.user_agent)
