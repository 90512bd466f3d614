"""Keep users: an account's, by its owner or by administrators, and administrators themselves."""

import logging
from typing import Final

import msgspec

from chalicelib.domain import email_address, ids, passwords
from chalicelib.domain.email_address import BadAddress
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.schedule import BadZone, zone
from chalicelib.domain.user import ACCOUNT_ROLES, ADMINISTRATOR_ROLES, MAX_USERS, Language, User, UserRole, UserState
from chalicelib.services import two_factor
from chalicelib.services.end_sessions import tidy_up
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.notify import notify
from chalicelib.services.record_change import changed as recorded
from chalicelib.store import accounts, password_resets, users
from chalicelib.store.rows import Row

log: Final = logging.getLogger(__name__)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a user says of itself."""

    name: str
    time_zone: str | None = None  # None: the account's
    language: Language = "en"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a user by whoever keeps it."""

    email: str
    role: UserRole
    profile: Profile
    state: UserState = "active"


def create(account: str | None, terms: Terms, who: str, now_ms: int, *, password: str | None = None) -> Row[User]:
    """A user of the account (None: an administrator), whom a mail invites to choose a password, unless it has one.

    Raises Fault `not_found` without such an account, `invalid_request`, `already_exists` for an address that somebody
    has, `too_many`.
    """
    if account is not None and accounts.get(account) is None:
        raise not_found("account")
    _check_role(account, terms.role)
    _check_profile(terms.profile)
    if len(users.of_account(account)) >= MAX_USERS:
        raise Fault("too_many", f"there are {MAX_USERS} users already")
    user = User(
        id=ids.new_id("usr", now_ms),
        account=account,
        role=terms.role,
        email=_parsed(terms.email),
        name=terms.profile.name,
        created_ms=now_ms,
        time_zone=terms.profile.time_zone,
        language=terms.profile.language,
        state=terms.state,
        password_hash=None if password is None else passwords.hash_password(password),
    )
    if not users.create(user):
        raise _taken()
    recorded("user", user.id, None, user, account=account)
    log.info("a user was created", extra={"user": user.id, "account": account, "role": user.role, "by": who})
    if password is None:
        values = {"created_by": who}
        notify(Notice(kind=Kind.USER_CREATED, name=user.id, account=account, user=user.id, values=values), now_ms)
    return Row(user, 1)


def check_new(terms: Terms) -> None:
    """Raises Fault as `create` would for a user of a new account, as far as that can be known before."""
    _check_role("", terms.role)
    _check_profile(terms.profile)
    if users.by_email(_parsed(terms.email)) is not None:
        raise _taken()


def of_account(account: str | None) -> list[Row[User]]:
    """The account's users, oldest first; None: the administrators. Raises Fault `not_found`."""
    if account is not None and accounts.get(account) is None:
        raise not_found("account")
    return users.of_account(account)


def read(account: str | None, user_id: str) -> Row[User]:
    """The account's user; None: the administrator. Raises Fault `not_found`, also for somebody else's."""
    held = users.versioned(user_id)
    if held is None or held.value.account != account:
        raise not_found("user")
    return held


def read_customer(user_id: str) -> Row[User]:
    """The user of whatever account. Raises Fault `not_found`, also for an administrator."""
    held = users.versioned(user_id)
    if held is None or held.value.account is None:
        raise not_found("user")
    return held


def change(held: Row[User], terms: Terms, expected_version: int, by: str, now_ms: int) -> Row[User]:
    """The user on other terms; one who is suspended is put out. `by` is the id of whoever changes it.

    Where it gets another address, the one before is told.

    Raises Fault `invalid_request`, `already_exists`, `version_conflict`, `wrong_state` for one's own role or state.
    """
    user = held.value
    _check_role(user.account, terms.role)
    _check_profile(terms.profile)
    if user.id == by and (terms.role, terms.state) != (user.role, user.state):
        raise Fault("wrong_state", "nobody changes the own role or state: so there is always one left who can")
    if held.version != expected_version:
        raise _conflict(held)
    suspended = terms.state == "suspended" and user.state != "suspended"
    changed = _with_profile(
        msgspec.structs.replace(
            user,
            email=_parsed(terms.email),
            role=terms.role,
            state=terms.state,
            generation=user.generation + suspended,  # whoever comes back logs in anew
        ),
        terms.profile,
    )
    _write(held, changed)
    recorded("user", user.id, user, changed, account=user.account)
    if suspended:
        tidy_up(changed)
    if not email_address.same(user.email, changed.email):
        _tell_former(user, held.version + 1, now_ms)
    log.info("a user was changed", extra={"user": user.id, "role": changed.role, "state": changed.state, "by": by})
    return Row(changed, held.version + 1)


def change_profile(user_id: str, profile: Profile) -> User:
    """The user as it says of itself. Raises Fault `invalid_request`, `not_found`."""
    _check_profile(profile)
    held = users.versioned(user_id)
    row = users.update(user_id, lambda user: _with_profile(user, profile))
    if held is None or row is None:
        raise not_found("user")
    recorded("user", user_id, held.value, row.value, account=row.value.account)
    return row.value


def delete(held: Row[User], by: str) -> None:
    """Forget the user; its messages and what it changed keep its id. `by` is the id of whoever deletes it.

    Raises Fault `wrong_state` for oneself, `version_conflict`.
    """
    user = held.value
    if user.id == by:
        raise Fault("wrong_state", "nobody deletes oneself: so there is always one left who can")
    if not users.delete(held):
        raise _conflict(held)
    recorded("user", user.id, user, None, account=user.account)
    tidy_up(user)
    password_resets.forget(user.id)
    if user.account is None:
        two_factor.forget_secret(user.id)
    log.info("a user was deleted", extra={"user": user.id, "account": user.account, "by": by})


def _write(held: Row[User], changed: User) -> None:
    user = held.value
    if email_address.same(user.email, changed.email):
        if not users.change(held.version, changed):
            raise _conflict(held)
        return
    if not users.change_with_email(held, changed):
        other = users.by_email(changed.email)
        raise _taken() if other is not None and other.value.id != user.id else _conflict(held)
    password_resets.forget(user.id)  # a link that went to the old address


def _tell_former(user: User, version: int, now_ms: int) -> None:
    """Whoever takes somebody's login over by its address is seen by the one who had it."""
    notify(
        Notice(
            kind=Kind.EMAIL_CHANGED,
            name=f"{user.id}/{version}",
            account=user.account,
            user=user.id,
            former=user.email,
            values={"changed_ms": str(now_ms)},
        ),
        now_ms,
    )


def _with_profile(user: User, profile: Profile) -> User:
    return msgspec.structs.replace(user, **msgspec.structs.asdict(profile))


def _check_role(account: str | None, role: UserRole) -> None:
    if role not in (ACCOUNT_ROLES if account is not None else ADMINISTRATOR_ROLES):
        raise invalid_field("/role", "not_allowed", "the role is of the other kind of users")


def _check_profile(profile: Profile) -> None:
    if profile.time_zone is not None:
        try:
            zone(profile.time_zone)
        except BadZone as error:
            raise invalid_field("/time_zone", error.code, str(error)) from None
    if not profile.name.strip() or not profile.name.isprintable():
        raise invalid_field("/name", "invalid_format", "a name is one line that can be read")


def _parsed(email: str) -> str:
    try:
        return email_address.parse(email)
    except BadAddress as error:
        raise invalid_field("/email", "invalid_address", str(error)) from None


def _taken() -> Fault:
    return Fault("already_exists", "somebody has this e-mail address already")


def _conflict(held: Row[User]) -> Fault:
    return Fault("version_conflict", f"the user is at version {held.version}, or was changed at this moment")
