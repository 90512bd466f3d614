"""Users as they are written and read: by themselves, by their account's owner, by administrators."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Name, Version
from chalicelib.api.instants import instant
from chalicelib.domain.email_address import MAX_ADDRESS
from chalicelib.domain.passwords import MAX_LENGTH, MIN_LENGTH
from chalicelib.domain.user import AccountRole, AdministratorRole, Language, User, UserRole, UserState
from chalicelib.services.keep_user import Profile, Terms
from chalicelib.store.rows import Row

MAX_ZONE: Final = 64  # characters: the longest of IANA's has 32
UserId = Annotated[str, Meta(pattern="^usr_[0-9A-HJKMNP-TV-Z]{26}$(?!\\n)", description="A user's id.")]
Email = Annotated[str, Meta(min_length=3, max_length=MAX_ADDRESS, examples=["ana@example.com"])]
TimeZone = Annotated[str, Meta(min_length=1, max_length=MAX_ZONE, examples=["Europe/Madrid"])]
NewSecret = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=4 * MAX_LENGTH,
        description=f"{MIN_LENGTH} to {MAX_LENGTH} characters; none that strangers try first.",
    ),
]


class ProfileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user says of itself."""

    name: Name
    time_zone: Annotated[TimeZone, Meta(description="IANA. Null: the account's.")] | None = None
    language: Annotated[Language, Meta(description="Of mails.")] = "en"


class NewUser(ProfileSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user to invite to an account."""

    email: Email
    role: AccountRole


class UserChange(NewUser, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All anew; what is left out is set to its default."""

    state: Annotated[UserState, Meta(description="A suspended one is put out, and cannot log in.")] = "active"
    version: Version


class NewAdministrator(ProfileSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An administrator to invite."""

    email: Email
    role: AdministratorRole


class AdministratorChange(NewAdministrator, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All anew; what is left out is set to its default."""

    state: Annotated[UserState, Meta(description="A suspended one is put out, and cannot log in.")] = "active"
    version: Version


class ProfileView(ProfileSettings, frozen=True, kw_only=True):
    """A user as it sees itself."""

    id: str
    email: str
    role: UserRole
    account: Annotated[str, Meta(description="Null: an administrator.")] | None
    two_factor: Annotated[bool, Meta(description="An authenticator is confirmed; each login wants its code.")]
    recovery_codes_left: int
    created_at: datetime


class UserView(ProfileView, frozen=True, kw_only=True):
    """A user as whoever keeps it sees it."""

    state: UserState
    invited: Annotated[bool, Meta(description="It has not chosen a password yet.")]
    version: int


class Mailed(msgspec.Struct, frozen=True):
    """A mail with a link is on its way to the user."""

    id: str


def profile_of(given: ProfileSettings) -> Profile:
    """As the service knows it."""
    return Profile(name=given.name, time_zone=given.time_zone, language=given.language)


def terms_of(given: NewUser | NewAdministrator) -> Terms:
    """As the service knows them; a new one is active."""
    state: UserState = given.state if isinstance(given, UserChange | AdministratorChange) else "active"
    return Terms(email=given.email, role=given.role, profile=profile_of(given), state=state)


def profile_view(user: User) -> ProfileView:
    """The user, to itself."""
    return ProfileView(**_fields(user))


def user_view(row: Row[User]) -> UserView:
    """The user, to whoever keeps it."""
    user = row.value
    return UserView(**_fields(user), state=user.state, invited=user.password_hash is None, version=row.version)


def _fields(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "account": user.account,
        "time_zone": user.time_zone,
        "language": user.language,
        "two_factor": user.two_factor is not None,
        "recovery_codes_left": len(user.two_factor.recovery_sha256) if user.two_factor else 0,
        "created_at": instant(user.created_ms),
    }
