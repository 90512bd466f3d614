"""Change a password: by who knows the old one. Every other session of the user is over."""

import logging
from typing import Final

import msgspec

from chalicelib.domain import passwords
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.passwords import BadPassword
from chalicelib.domain.session import Session
from chalicelib.domain.user import User
from chalicelib.services import guard_login
from chalicelib.services.end_sessions import keep_alone
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.services.notify import notify
from chalicelib.services.record_change import changed
from chalicelib.store import password_resets, users

log: Final = logging.getLogger(__name__)


class NewPassword(msgspec.Struct, frozen=True):
    """The old one and the new."""

    current: str
    new: str

    def __repr__(self) -> str:
        return "NewPassword(…)"  # in no log, whatever fails


def change_password(user: User, session: Session, given: NewPassword, address: str, now_ms: int) -> None:
    """The password is the new one from now on, and only this session goes on.

    Raises Fault `invalid_request` where the old one is wrong or the new one will not do, `locked_out` after several.
    """
    tries = f"password/{user.id}"
    guard_login.count_try(tries, now_ms)
    held = users.versioned(user.id)
    if held is None or not passwords.is_password(given.current, held.value.password_hash):
        raise invalid_field("/current", "wrong", "the current password is another one")
    guard_login.forget_tries(tries)
    check_new("/new", given.new, held.value)
    keep_alone(session, set_password(user.id, given.new, address, now_ms))


def check_new(field: str, password: str, user: User) -> None:
    """Raises Fault `invalid_request` for one that will not do."""
    try:
        passwords.check(password, (user.email, user.name))
    except BadPassword as error:
        raise invalid_field(field, error.code, str(error)) from None


def set_password(user_id: str, password: str, address: str, now_ms: int) -> User:
    """The user with that password, in a new generation: no session of before holds. It is told by mail.

    Raises Fault `not_found`.
    """
    password_hash = passwords.hash_password(password)
    row = users.update(
        user_id,
        lambda held: msgspec.structs.replace(held, password_hash=password_hash, generation=held.generation + 1),
    )
    if row is None:
        raise not_found("user")
    user = row.value
    changed("user", user.id, {"generation": user.generation - 1}, {"generation": user.generation}, account=user.account)
    password_resets.forget(user.id)
    log.info("a password was set", extra={"user": user.id, "address": address})
    told = {"changed_ms": str(now_ms), "from_address": address}
    notify(
        Notice(
            kind=Kind.PASSWORD_CHANGED,
            name=f"{user.id}/{user.generation}",
            account=user.account,
            user=user.id,
            values=told,
        ),
        now_ms,
    )
    return user
