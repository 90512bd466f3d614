"""Guard the login: each try is counted before it is looked at, so that many at once are as slow as one by one.

An address that nobody has is counted like any other: being locked out tells nothing. Where somebody has logged in from
before, it is counted apart, so that a stranger who fails on purpose does not keep the owner out.
"""

import math
from typing import Final

import msgspec

from chalicelib.domain import email_address
from chalicelib.domain.lockout import (
    FREE_OF_EMAIL,
    FREE_OF_MAILBOX,
    FREE_OF_PLACE,
    Failures,
    name_of,
    place_of,
    remembered,
    wait_ms,
)
from chalicelib.services.faults import Fault
from chalicelib.store import login_guards

_BUSY_SECONDS: Final = 1  # others try the same at this moment


class Knock(msgspec.Struct, frozen=True):
    """A try that was counted. It is a failure unless `opened` is told."""

    name: str
    address: str
    at_known_place: bool


def knock(email: str, address: str, now_ms: int) -> Knock:
    """Count a try to log in with that address, from there. Raises Fault `locked_out`."""
    name, place = _login(email), place_of(address)
    knock_at_place(address, now_ms)
    seen = login_guards.failures_at(name, place, now_ms)
    if seen is None:
        count_try(name, now_ms)
    else:
        _count(name, seen, now_ms, place)
    return Knock(name, address, at_known_place=seen is not None)


def knock_at_place(address: str, now_ms: int) -> None:
    """Raises Fault `locked_out` where too much has failed from there."""
    _wait(wait_ms(login_guards.failures(_place(address)), FREE_OF_PLACE, now_ms))


def failed_at_place(address: str, now_ms: int) -> None:
    """Something was wrong that came from there."""
    login_guards.add_failure(_place(address), now_ms)


def count_try(name: str, now_ms: int) -> None:
    """Count a try of what only its owner knows. Raises Fault `locked_out`."""
    _count(name, login_guards.failures(name), now_ms)


def _count(name: str, seen: Failures, now_ms: int, place: str = login_guards.ANYWHERE) -> None:
    _wait(wait_ms(seen, FREE_OF_EMAIL, now_ms))
    counted = Failures(remembered(seen, now_ms).count + 1, now_ms)
    if not login_guards.count(name, seen, counted, place):
        _wait(_BUSY_SECONDS * 1000)


def failed(tried: Knock, now_ms: int) -> None:
    """It was wrong: the place is counted too."""
    failed_at_place(tried.address, now_ms)


def opened(tried: Knock, now_ms: int) -> None:
    """It was right: the place is known, and its failures are forgotten. What strangers try elsewhere still counts."""
    if not tried.at_known_place:
        login_guards.clear(tried.name)
    login_guards.know(tried.name, place_of(tried.address), now_ms)


def ask_for_link(address: str, now_ms: int) -> None:
    """Count that somebody there asks for a link to be mailed to whomever. Raises Fault `locked_out`."""
    name = f"asked/{place_of(address)}"
    _wait(wait_ms(login_guards.failures(name), FREE_OF_PLACE, now_ms))
    login_guards.add_failure(name, now_ms)


def may_mail(email: str, now_ms: int) -> bool:
    """Whether a link may be mailed to the address now, which then counts: some at once, then ever more slowly."""
    name = f"mailed/{name_of(email_address.key(email))}"
    seen = login_guards.failures(name)
    if wait_ms(seen, FREE_OF_MAILBOX, now_ms):
        return False
    return login_guards.count(name, seen, Failures(remembered(seen, now_ms).count + 1, now_ms))


def forget_tries(name: str) -> None:
    """It was right: what `count_try` counted is forgotten."""
    login_guards.clear(name)


def unlock(email: str) -> None:
    """Whoever has the mailbox, or an administrator, says that the owner may try again at once."""
    login_guards.forgive(_login(email))


def _login(email: str) -> str:
    return f"login/{name_of(email_address.key(email))}"


def _place(address: str) -> str:
    return f"place/{place_of(address)}"


def _wait(left_ms: int) -> None:
    if left_ms > 0:
        seconds = math.ceil(left_ms / 1000)
        raise Fault("locked_out", f"too many failed logins: come again in {seconds} s", retry_after_seconds=seconds)
