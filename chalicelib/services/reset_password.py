"""Reset a password by mail: ask for a link, which the mails' function makes as it sends; set one with its token.

Whether anybody has the address shows nowhere: the answer is the same, and so is what is done until it is given.
"""

import logging
import secrets
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.credentials import SECRET_BYTES, digest
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.trail import Actor
from chalicelib.domain.user import User
from chalicelib.services import guard_login
from chalicelib.services.change_password import check_new, set_password
from chalicelib.services.end_sessions import tidy_up
from chalicelib.services.faults import Fault
from chalicelib.services.notify import notify
from chalicelib.services.record_change import acting
from chalicelib.store import password_resets, users

log: Final = logging.getLogger(__name__)
RESET_MS: Final = 30 * 60_000
INVITATION_MS: Final = 3 * 86_400_000  # for who has no password yet: the mail may come on a Friday evening
_SEPARATOR: Final = "."


def request(email: str, address: str, now_ms: int) -> None:
    """Have a link mailed to the address, if it is somebody's; where too many were lately, none.

    Raises Fault `locked_out` for a place that asks on and on.
    """
    given = email.strip()
    guard_login.ask_for_link(address, now_ms)
    held = users.by_email(given)
    user_id = held.value.id if held and held.value.state == "active" else users.NOBODY
    account = held.value.account if held else None
    if guard_login.may_mail(given, now_ms):
        _mail_link(user_id, account, address, now_ms)
    log.info("a reset was asked for", extra={"user": user_id, "address": address})


def mail_link(user: User, address: str, now_ms: int) -> None:
    """Mail the user a link to choose a password: to one who has none yet the invitation again.

    Raises Fault `rate_limited` where it has got several lately.
    """
    if not guard_login.may_mail(user.email, now_ms):
        raise Fault("rate_limited", "several were mailed to it lately: come again in some minutes")
    if user.password_hash is None:
        notify(Notice(kind=Kind.USER_CREATED, name=_event(user.id, now_ms), account=user.account, user=user.id), now_ms)
    else:
        _mail_link(user.id, user.account, address, now_ms)


def mint(user_id: str, now_ms: int) -> str | None:
    """A new token to set the user's password, whose digest is kept over the last one's; None: there is nobody.

    Called where the mail is sent, and nowhere before: the token lies in no queue and in no log.
    """
    user = users.get(user_id)
    if user is None or user.state != "active":
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    holds_ms = INVITATION_MS if user.password_hash is None else RESET_MS
    password_resets.put(user.id, digest(secret), now_ms + holds_ms)
    return f"{user.id}{_SEPARATOR}{secret}"


def confirm(token: str, password: str, address: str, now_ms: int) -> User:
    """The user with that password; all its sessions are over, and it may log in at once. A token works once.

    Raises Fault `invalid_reset`, `invalid_request`; then the token works on. An authenticator is wanted as before.
    """
    guard_login.knock_at_place(address, now_ms)
    user_id, _, secret = token.partition(_SEPARATOR)
    held = users.versioned(user_id) if user_id and secret else None
    if held is None or held.value.state != "active" or not password_resets.is_good(user_id, digest(secret), now_ms):
        guard_login.failed_at_place(address, now_ms)
        raise _bad_token()
    check_new("/password", password, held.value)
    acting(Actor(who=f"user:{user_id}", role=held.value.role), held.value.account)
    if not password_resets.use(user_id, digest(secret)):
        raise _bad_token()
    user = set_password(user_id, password, address, now_ms)
    tidy_up(user)
    guard_login.unlock(user.email)
    return user


def _mail_link(user_id: str, account: str | None, address: str, now_ms: int) -> None:
    notify(
        Notice(
            kind=Kind.PASSWORD_RESET,
            name=_event(user_id, now_ms),
            account=account,
            user=user_id,
            values={"from_address": address},
        ),
        now_ms,
    )


def _event(user_id: str, now_ms: int) -> str:
    """Each time it is asked for is an event of its own."""
    return f"{user_id}/{ids.new_ulid(now_ms)}"


def _bad_token() -> Fault:
    return Fault("invalid_reset", "the token is unknown, was used, or is over: ask for another link")
