"""Log in: with e-mail address, password and, where an authenticator is confirmed, a code; a session begins."""

import logging
from typing import Final

import msgspec

from chalicelib.domain import email_address, passwords
from chalicelib.domain.lockout import name_of
from chalicelib.domain.trail import Actor
from chalicelib.domain.user import User
from chalicelib.services import guard_login
from chalicelib.services.begin_session import Begun, From, begin
from chalicelib.services.end_sessions import end_oldest
from chalicelib.services.faults import Fault
from chalicelib.services.record_change import acting, changed
from chalicelib.services.two_factor import use_code
from chalicelib.store import accounts, users

log: Final = logging.getLogger(__name__)
# One sentence for all that can be wrong: which of them it is, is not for strangers.
_WRONG: Final = "the e-mail address, the password or the code is wrong"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody shows."""

    email: str
    password: str
    code: str | None = None  # of the authenticator, or a recovery code

    def __repr__(self) -> str:
        return "Credentials(…)"  # in no log, whatever fails


class LoggedIn(msgspec.Struct, frozen=True):
    """Who it is, and the session."""

    user: User
    begun: Begun


def log_in(given: Credentials, origin: From, now_ms: int) -> LoggedIn:
    """The session of whose credentials they are. Takes as long, and answers alike, whatever is wrong with them.

    Raises Fault `invalid_login`, `code_missing` (then the password was right), `locked_out`, `account_closed`.
    """
    email = given.email.strip()
    tried = guard_login.knock(email, origin.address, now_ms)
    held = users.by_email(email)
    user = held.value if held else None
    right = passwords.is_password(given.password, user.password_hash if user else None)
    if user is None or not right or user.state != "active":
        guard_login.failed(tried, now_ms)
        raise _wrong(email, user, origin)
    acting(Actor(who=f"user:{user.id}", role=user.role), user.account)
    if user.two_factor is not None:
        if given.code is None:
            raise Fault("code_missing", "give a code of the authenticator, or a recovery code")
        if not use_code(user.id, given.code, now_ms):
            guard_login.failed(tried, now_ms)
            raise _wrong(email, user, origin)
    _check_account(user)
    guard_login.opened(tried, now_ms)
    _renew_hash(user, given.password)
    begun = begin(user, origin, now_ms)
    end_oldest(user)
    changed("session", begun.session.id, None, begun.session, account=user.account)
    log.info("logged in", extra={"user": user.id, "session": begun.session.id, "address": origin.address})
    return LoggedIn(user, begun)


def _wrong(email: str, user: User | None, origin: From) -> Fault:
    tried = user.id if user else f"nobody ({name_of(email_address.key(email))})"
    log.warning("a login failed", extra={"user": tried, "address": origin.address})
    return Fault("invalid_login", _WRONG)


def _check_account(user: User) -> None:
    account = accounts.get(user.account) if user.account else None
    if user.account and (account is None or account.state == "closed"):
        raise Fault("account_closed", "the account is closed")


def _renew_hash(user: User, password: str) -> None:
    """Keep the password by today's settings, now that it is at hand; where the user changed meanwhile, next time."""
    if user.password_hash is None or not passwords.is_outdated(user.password_hash):
        return
    renewed, kept = passwords.hash_password(password), user.password_hash
    users.update(
        user.id,
        lambda held: msgspec.structs.replace(held, password_hash=renewed) if held.password_hash == kept else held,
    )
