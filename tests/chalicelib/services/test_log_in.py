"""Logging in: what lets somebody in, what does not and says nothing, and how long who fails must wait."""

import logging
from collections import Counter
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher

from chalicelib.domain import passwords
from chalicelib.domain.credentials import parse_key
from chalicelib.domain.lockout import FREE_OF_EMAIL, FREE_OF_PLACE
from chalicelib.services import guard_login
from chalicelib.services.authenticate import authenticate
from chalicelib.services.begin_session import From
from chalicelib.settings import Settings
from chalicelib.store import accounts, aws, users
from tests.chalicelib.services.people_world import (
    ACCOUNT,
    ANOTHER,
    ELSEWHERE,
    EMAIL,
    FREE,
    HERE,
    NOW_MS,
    PASSWORD,
    administrator,
    enter,
    hash_quickly,
    person,
    refusal,
)


@pytest.fixture(autouse=True)
def quick(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def test_who_knows_the_password_gets_a_session_that_says_who_it_is() -> None:
    user = person()
    found = enter(" ANA@One.example ")
    caller = authenticate(found.begun.token, NOW_MS)
    assert (caller.user, caller.role, caller.key.account) == (user, "owner", ACCOUNT)
    assert (caller.who, caller.by, caller.impersonated_by) == (f"user:{user.id}", user.id, None)
    assert (found.begun.session.address, found.begun.session.user_agent) == ("203.0.113.7", "a browser")
    root = administrator()
    assert authenticate(enter(root.email).begun.token, NOW_MS).who == f"user:{root.id}"


def _suspended() -> None:
    user = person()
    users.update(user.id, lambda held: msgspec.structs.replace(held, state="suspended"))


WRONG: list[tuple[str, Any, str, str]] = [
    ("another password", person, EMAIL, ANOTHER),
    ("an unknown address", person, "nobody@one.example", PASSWORD),
    ("no address at all", person, "\r\n=cmd()", PASSWORD),
    ("a suspended user", _suspended, EMAIL, PASSWORD),
    ("an invitation that waits", lambda: person(password=None), EMAIL, PASSWORD),
]


@pytest.mark.parametrize(("made", "email", "password"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_whatever_is_wrong_is_answered_alike_and_costs_the_same(
    made: Any, email: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made()
    checked: list[str | None] = []
    check = passwords.is_password

    def noting(text: str, kept: str | None) -> bool:
        checked.append(kept)
        return check(text, kept)

    monkeypatch.setattr(passwords, "is_password", noting)
    calls: Counter[str] = Counter()

    def note(params: Any, model: Any, **_: Any) -> None:
        calls[f"{model.name} {params['TableName'].rpartition('-')[2]}"] += 1

    events = aws_events()
    events.register("before-parameter-build.dynamodb.*", note)
    try:
        fault = refusal(enter, email, password)
    finally:
        events.unregister("before-parameter-build.dynamodb.*", note)
    assert (fault.code, fault.detail) == ("invalid_login", "the e-mail address, the password or the code is wrong")
    assert len(checked) == 1  # a slow hash, whoever it was
    assert calls == {
        "GetItem login_guards": 3,
        "UpdateItem login_guards": 2,
        "GetItem user_emails": 1,
        "GetItem users": 1,
    }


def aws_events() -> Any:
    return aws.client("dynamodb").meta.events


def test_neither_password_nor_what_was_typed_for_an_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    person()
    caplog.set_level(logging.DEBUG, logger="chalicelib")
    refusal(enter, "hunter2-in-the-wrong-field", ANOTHER)
    refusal(enter, EMAIL, ANOTHER)
    token = parse_key(enter().begun.token)
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert token is not None
    assert told
    assert "a login failed" in told
    assert not [secret for secret in ("hunter2", ANOTHER, PASSWORD, EMAIL, token.secret) if secret in told]


def _fail(times: int, *, email: str = EMAIL, origin: From = ELSEWHERE, now_ms: int = NOW_MS) -> list[str]:
    return [refusal(enter, email, ANOTHER, origin=origin, now_ms=now_ms).code for _ in range(times)]


@pytest.mark.parametrize("email", [EMAIL, "nobody@one.example"])
def test_after_some_failures_the_right_password_has_to_wait_too_and_longer_each_time(email: str) -> None:
    person()
    assert _fail(FREE, email=email) == ["invalid_login"] * FREE
    waits = []
    now_ms = NOW_MS
    for _ in range(2):
        fault = refusal(enter, email, PASSWORD, origin=ELSEWHERE, now_ms=now_ms)
        assert fault.code == "locked_out"
        waits.append(fault.retry_after_seconds)
        now_ms += (fault.retry_after_seconds or 0) * 1000
        _fail(1, email=email, now_ms=now_ms)
    assert waits == [5, 10]


def test_tries_at_the_same_moment_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    person()
    inner: list[str] = []

    def meanwhile(text: str, kept: str | None) -> bool:
        if not inner:
            inner.append("")
            inner.extend(_fail(FREE + 1))
        return False

    monkeypatch.setattr(passwords, "is_password", meanwhile)
    refusal(enter, EMAIL, ANOTHER, origin=ELSEWHERE)
    # The first was counted before its password was looked at: so four more, and no fifth.
    assert inner[1:] == ["invalid_login"] * (FREE - 1) + ["locked_out"] * 2


def test_a_stranger_who_fails_on_purpose_does_not_keep_out_who_has_logged_in_before() -> None:
    person()
    enter()
    _fail(FREE)
    assert refusal(enter, origin=ELSEWHERE).code == "locked_out"
    assert enter(now_ms=NOW_MS + 1).user.email == EMAIL
    assert refusal(enter, origin=ELSEWHERE, now_ms=NOW_MS + 1).code == "locked_out"  # no new tries for the stranger
    for _ in range(FREE):
        refusal(enter, EMAIL, ANOTHER, now_ms=NOW_MS + 2)
    assert refusal(enter, now_ms=NOW_MS + 2).code == "locked_out"  # at home, too, who fails waits
    guard_login.unlock(EMAIL)
    assert enter(now_ms=NOW_MS + 2)
    assert enter(now_ms=NOW_MS + 2, origin=ELSEWHERE)
    month_ms = 31 * 86_400_000
    _fail(FREE, now_ms=NOW_MS + month_ms, origin=From("192.0.2.1", ""))
    assert refusal(enter, now_ms=NOW_MS + month_ms).code == "locked_out"


def test_who_gets_in_has_nothing_held_against_it() -> None:
    person()
    for _ in range(2):
        _fail(FREE - 1, origin=HERE)
        enter()


def test_a_place_that_fails_with_many_addresses_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FREE_OF_PLACE > FREE_OF_EMAIL
    monkeypatch.setattr(guard_login, "FREE_OF_PLACE", 3)
    person()
    for number in range(3):
        _fail(1, email=f"user{number}@one.example")
    assert refusal(enter, origin=ELSEWHERE).code == "locked_out"
    assert enter().user.email == EMAIL  # from elsewhere


def test_a_password_kept_by_older_settings_is_kept_by_todays_at_the_next_login(monkeypatch: pytest.MonkeyPatch) -> None:
    user = person()
    monkeypatch.setattr(passwords, "_hasher", lambda: PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    enter()
    renewed = users.get(user.id)
    assert renewed is not None
    assert "t=2" in (renewed.password_hash or "")
    assert authenticate(enter().begun.token, NOW_MS)


def test_nobody_logs_in_to_a_closed_account() -> None:
    person()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, state="closed"))
    assert refusal(enter).code == "account_closed"
    assert refusal(enter, EMAIL, ANOTHER).code == "invalid_login"
