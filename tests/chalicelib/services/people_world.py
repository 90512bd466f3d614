"""People for the tests of the services: users with a password that is hashed in no time, and where they come from."""

import base64
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher

from chalicelib import wire
from chalicelib.domain import passwords, totp
from chalicelib.domain.account import Account
from chalicelib.domain.user import User, UserRole
from chalicelib.services import guard_login, keep_user, two_factor
from chalicelib.services.begin_session import From
from chalicelib.services.faults import Fault
from chalicelib.services.keep_user import Profile, Terms
from chalicelib.services.log_in import Credentials, LoggedIn, log_in
from chalicelib.store import accounts, queues

NOW_MS = 1_760_000_000_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
LATER_MS = NOW_MS + 5 * MINUTE_MS  # an authenticator shows other codes than at NOW_MS
ACCOUNT = "acc_one"
EMAIL = "ana@one.example"
PASSWORD = "correct horse battery"
ANOTHER = "staple of the other horse"
FREE = 3  # failures, fewer than elsewhere: each is a login
HERE = From("203.0.113.7", "a browser")
ELSEWHERE = From("198.51.100.9", "")
_quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time: what the tests log in with is no secret. And FREE failures, so that few are enough."""
    monkeypatch.setattr(guard_login, "FREE_OF_EMAIL", FREE)
    monkeypatch.setattr(passwords, "_hasher", lambda: _quick)
    monkeypatch.setattr(passwords, "_NOBODYS", _quick.hash("nobody's"))


def person(
    role: UserRole = "owner", email: str = EMAIL, account: str | None = ACCOUNT, password: str | None = PASSWORD
) -> User:
    """A user; with its account, where there is none yet."""
    if account is not None:
        accounts.create(Account(id=account, name="One", created_ms=NOW_MS))
    terms = Terms(email=email, role=role, profile=Profile(name="Ana"))
    return keep_user.create(account, terms, "a test", NOW_MS, password=password).value


def administrator(role: UserRole = "super", email: str = "root@house.example") -> User:
    return person(role, email, None)


class Authenticator:
    """What an administrator holds in his hand."""

    def __init__(self, user: User) -> None:
        enrolled = two_factor.enrol(user)
        self.secret = base64.b32decode(enrolled.secret)
        self.recovery = two_factor.confirm(user, self.code(NOW_MS), NOW_MS)

    def code(self, now_ms: int) -> str:
        return totp.code_at(self.secret, now_ms // 30_000)


def enter(
    email: str = EMAIL,
    password: str = PASSWORD,
    code: str | None = None,
    *,
    origin: From = HERE,
    now_ms: int = NOW_MS,
) -> LoggedIn:
    """Log in. Raises Fault."""
    return log_in(Credentials(email=email, password=password, code=code), origin, now_ms)


def refusal(call: Any, *given: Any, **more: Any) -> Fault:
    """The fault that the call raises."""
    with pytest.raises(Fault) as raised:
        call(*given, **more)
    return raised.value


def mails() -> list[Any]:
    """The notices on ⟨mails⟩, taken from it."""
    found: list[Any] = []
    while records := queues.receive(queues.MAILS, wait_seconds=0):
        found += [msgspec.to_builtins(getattr(wire.decode(record.body), "notice", None)) for record in records]
        queues.delete_many(queues.MAILS, [record.handle for record in records])
    return found
