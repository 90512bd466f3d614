"""Users: the people who log in, of an account or of the house (administrators), and what is kept of them."""

from typing import Final, Literal, get_args

import msgspec

AccountRole = Literal["owner", "sender", "viewer"]
AdministratorRole = Literal["super", "support", "billing", "routing"]
UserRole = Literal["owner", "sender", "viewer", "super", "support", "billing", "routing"]
Language = Literal["en", "es"]
UserState = Literal["active", "suspended"]
ACCOUNT_ROLES: Final[tuple[AccountRole, ...]] = get_args(AccountRole)
ADMINISTRATOR_ROLES: Final[tuple[AdministratorRole, ...]] = get_args(AdministratorRole)
MAX_USERS: Final = 100  # of an account, and of the house: one listing shows them all


class TwoFactor(msgspec.Struct, frozen=True, kw_only=True):
    """That a user has confirmed an authenticator. Its secret is in Secrets Manager, and never told again."""

    confirmed_ms: int
    last_step: int  # of the newest code that was used (RFC 6238, 5.2): it and older ones work no more
    recovery_sha256: tuple[str, ...] = ()  # digests of the recovery codes that are left


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One person with an e-mail address that nobody else has. `account` is None for an administrator."""

    id: str
    account: str | None
    role: UserRole
    email: str
    name: str
    created_ms: int
    time_zone: str | None = None  # IANA; None: the account's
    language: Language = "en"
    state: UserState = "active"
    password_hash: str | None = None  # argon2id, as PHC string; None: invited, and has not chosen one yet
    generation: int = 0  # sessions of an earlier one are over: it counts changes of the password and revocations
    two_factor: TwoFactor | None = None
    mails_off: tuple[str, ...] = ()  # kinds of mails that it does not want
