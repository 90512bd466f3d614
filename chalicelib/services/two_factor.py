"""The second factor of administrators: an authenticator is enrolled, confirmed, used, and removed.

Its secret lies in Secrets Manager, and is told once, to whoever enrols. The user's row says which step was used last,
and changes by version: a code works once, also when two try it at the same time.
"""

import base64
import logging
from typing import Final

import msgspec

from chalicelib.domain import totp
from chalicelib.domain.user import TwoFactor, User
from chalicelib.services import guard_login
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.record_change import changed
from chalicelib.store import secrets, users

log: Final = logging.getLogger(__name__)


class Enrolment(msgspec.Struct, frozen=True):
    """What an authenticator is to be told, this once."""

    secret: str  # base32, as people type it
    uri: str  # as a QR code has it

    def __repr__(self) -> str:
        return "Enrolment(…)"


def enrol(user: User) -> Enrolment:
    """A new secret, which counts once a code of it has been confirmed; one that was not confirmed is forgotten.

    Raises Fault `wrong_role` for customers, `wrong_state` where one is confirmed: it is to be removed first.
    """
    _check(user, has=False)
    secret = totp.new_secret()
    text = base64.b32encode(secret).decode()
    secrets.put(_name(user.id), text)
    return Enrolment(text, totp.uri(secret, user.email))


def confirm(user: User, code: str, now_ms: int) -> tuple[str, ...]:
    """The recovery codes, told this once; from now on each login wants a code.

    Raises Fault `wrong_state` where nothing was enrolled or one is confirmed, `invalid_request` for a wrong code,
    `locked_out`.
    """
    _check(user, has=False)
    secret = _secret(user.id)
    if secret is None:
        raise Fault("wrong_state", "no authenticator was enrolled")
    guard_login.count_try(_tries(user.id), now_ms)
    step = totp.step_of(secret, code, now_ms, after_step=0)
    if step is None:
        raise _wrong_code()
    codes = totp.new_recovery_codes()
    confirmed = TwoFactor(confirmed_ms=now_ms, last_step=step, recovery_sha256=_digests(codes))
    users.update(user.id, lambda held: msgspec.structs.replace(_without(held), two_factor=confirmed))
    changed("user", user.id, {"two_factor": None}, {"two_factor": confirmed})
    guard_login.forget_tries(_tries(user.id))
    log.info("an authenticator was confirmed", extra={"user": user.id})
    return codes


def use_code(user_id: str, code: str, now_ms: int) -> bool:
    """Whether the code is the user's, of the authenticator or for recovery; then it works no more."""
    text = code.strip()
    is_of_authenticator = len(text) == totp.DIGITS and text.isdigit()
    secret = _secret(user_id) if is_of_authenticator else None

    def used(user: User) -> User:
        held = user.two_factor
        if held is None:
            raise _Refused
        if secret is not None:
            step = totp.step_of(secret, text, now_ms, held.last_step)
            if step is None:
                raise _Refused
            return msgspec.structs.replace(user, two_factor=msgspec.structs.replace(held, last_step=step))
        left = totp.without(held.recovery_sha256, text)
        if left is None:
            raise _Refused
        log.warning("a recovery code was used", extra={"user": user.id, "left": len(left)})
        return msgspec.structs.replace(user, two_factor=msgspec.structs.replace(held, recovery_sha256=left))

    try:
        return users.update(user_id, used) is not None
    except _Refused:
        return False


def renew_recovery_codes(user: User, code: str, now_ms: int) -> tuple[str, ...]:
    """Ten new ones, told this once; the old ones work no more.

    Raises Fault `wrong_state`, `invalid_request` for a wrong code, `locked_out`.
    """
    _check(user, has=True)
    _prove(user.id, code, now_ms)
    codes = totp.new_recovery_codes()

    def renewed(held: User) -> User:
        if held.two_factor is None:
            raise Fault("wrong_state", "no authenticator is confirmed")
        kept = msgspec.structs.replace(held.two_factor, recovery_sha256=_digests(codes))
        return msgspec.structs.replace(held, two_factor=kept)

    users.update(user.id, renewed)
    changed("user", user.id, {"recovery_codes": user.two_factor}, {"recovery_codes": _digests(codes)})
    return codes


def remove(user: User, code: str, now_ms: int) -> None:
    """The authenticator counts no more. Raises Fault as `renew_recovery_codes` does."""
    _check(user, has=True)
    _prove(user.id, code, now_ms)
    forget(user.id)


def forget(user_id: str) -> User:
    """The same without a code: for an administrator whose colleague has lost all. Raises Fault `not_found`."""
    row = users.update(user_id, lambda held: msgspec.structs.replace(held, two_factor=None))
    if row is None:
        raise not_found("user")
    changed("user", user_id, {"two_factor": True}, {"two_factor": None})
    secrets.delete(_name(user_id))
    log.info("an authenticator was removed", extra={"user": user_id})
    return row.value


def forget_secret(user_id: str) -> None:
    """Forget what lies in Secrets Manager for a user who is gone."""
    secrets.delete(_name(user_id))


class _Refused(Exception):
    """The code is none, or was used."""


def _prove(user_id: str, code: str, now_ms: int) -> None:
    guard_login.count_try(_tries(user_id), now_ms)
    if not use_code(user_id, code, now_ms):
        raise _wrong_code()
    guard_login.forget_tries(_tries(user_id))


def _check(user: User, *, has: bool) -> None:
    if user.account is not None:
        raise Fault("wrong_role", "authenticators are for administrators")
    if (user.two_factor is not None) is not has:
        raise Fault("wrong_state", "an authenticator is confirmed" if not has else "no authenticator is confirmed")


def _without(user: User) -> User:
    """Raises Fault where somebody else has confirmed one in the meantime."""
    if user.two_factor is not None:
        raise Fault("wrong_state", "an authenticator is confirmed")
    return user


def _wrong_code() -> Fault:
    return invalid_field("/code", "wrong", "the code is wrong, or was used")


def _digests(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(totp.recovery_digest(code) for code in codes)


def _secret(user_id: str) -> bytes | None:
    text = secrets.get(_name(user_id))
    return base64.b32decode(text) if text else None


def _name(user_id: str) -> str:
    return f"totp/{user_id}"


def _tries(user_id: str) -> str:
    return f"code/{user_id}"
