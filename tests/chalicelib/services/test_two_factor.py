"""The second factor: confirmed with a code, wanted at each login, and no code works twice."""

import base64
import logging

import pytest

from chalicelib.domain import totp
from chalicelib.domain.user import User
from chalicelib.services import two_factor
from chalicelib.services.authenticate import Administrator, authenticate
from chalicelib.settings import Settings, settings
from chalicelib.store import secrets, users
from tests.chalicelib.services.people_world import (
    FREE,
    LATER_MS,
    NOW_MS,
    PASSWORD,
    Authenticator,
    administrator,
    enter,
    hash_quickly,
    person,
    refusal,
)


@pytest.fixture(autouse=True)
def quick(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def fresh(user: User) -> User:
    held = users.get(user.id)
    assert held is not None
    return held


def test_a_login_wants_a_code_once_an_authenticator_is_confirmed_and_takes_each_once() -> None:
    root = administrator()
    assert enter(root.email)
    held = Authenticator(root)
    assert refusal(enter, root.email, now_ms=LATER_MS).code == "code_missing"
    assert enter(root.email, code=held.code(LATER_MS), now_ms=LATER_MS).user.id == root.id
    again = refusal(enter, root.email, code=held.code(LATER_MS), now_ms=LATER_MS)
    assert again.code == "invalid_login"
    assert enter(root.email, code=held.code(LATER_MS + 30_000), now_ms=LATER_MS + 30_000)


def test_the_code_that_confirmed_is_used_up() -> None:
    root = administrator()
    held = Authenticator(root)
    assert refusal(enter, root.email, code=held.code(NOW_MS), now_ms=NOW_MS).code == "invalid_login"


def test_a_code_tells_nobody_that_the_password_was_right_but_its_lack_does() -> None:
    root = administrator()
    held = Authenticator(root)
    wrong = [
        refusal(enter, root.email, PASSWORD, "000000", now_ms=LATER_MS),
        refusal(enter, root.email, "another password", held.code(LATER_MS), now_ms=LATER_MS),
        refusal(enter, root.email, "another password", now_ms=LATER_MS),
    ]
    assert {(fault.code, fault.detail) for fault in wrong} == {(wrong[0].code, wrong[0].detail)}


def test_codes_cannot_be_guessed_on_and_on_by_who_has_the_password() -> None:
    root = administrator()
    Authenticator(root)
    codes = [refusal(enter, root.email, code=f"00000{number}", now_ms=LATER_MS).code for number in range(FREE + 1)]
    assert codes == ["invalid_login"] * FREE + ["locked_out"]


def test_a_recovery_code_lets_in_once_and_new_ones_replace_them_all() -> None:
    root = administrator()
    held = Authenticator(root)
    assert len(held.recovery) == totp.RECOVERY_CODES
    assert enter(root.email, code=held.recovery[0].lower(), now_ms=LATER_MS)
    assert refusal(enter, root.email, code=held.recovery[0], now_ms=LATER_MS).code == "invalid_login"
    renewed = two_factor.renew_recovery_codes(fresh(root), held.code(LATER_MS), LATER_MS)
    assert refusal(enter, root.email, code=held.recovery[1], now_ms=LATER_MS).code == "invalid_login"
    assert enter(root.email, code=renewed[0], now_ms=LATER_MS)


def test_of_two_at_the_same_moment_with_one_code_one_gets_in(monkeypatch: pytest.MonkeyPatch) -> None:
    root = administrator()
    held = Authenticator(root)
    code = held.code(LATER_MS)
    change = users.change
    others: list[str] = []

    def meanwhile(version: int, user: User) -> bool:
        if not others:
            others.append("")
            others.append(str(two_factor.use_code(root.id, code, LATER_MS)))
        return change(version, user)

    monkeypatch.setattr(users, "change", meanwhile)
    assert not two_factor.use_code(root.id, code, LATER_MS)
    assert others == ["", "True"]


def test_nothing_of_it_can_be_read_again_or_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="chalicelib")
    root = administrator()
    held = Authenticator(root)
    enter(root.email, code=held.recovery[0], now_ms=LATER_MS)
    row = str(fresh(root))
    told = row + " ".join(str(vars(record)) for record in caplog.records)
    assert not [code for code in held.recovery if code in told]
    assert base64.b32encode(held.secret).decode() not in told
    assert refusal(two_factor.enrol, fresh(root)).code == "wrong_state"
    assert repr(two_factor.Enrolment("secret", "uri")) == "Enrolment(…)"


def test_it_is_confirmed_with_a_code_of_its_own_and_removed_with_one() -> None:
    root = administrator()
    assert refusal(two_factor.confirm, root, "123456", NOW_MS).code == "wrong_state"
    held = Authenticator(root)
    assert refusal(two_factor.remove, fresh(root), "000000", LATER_MS).fields[0].field == "/code"
    two_factor.remove(fresh(root), held.code(LATER_MS), LATER_MS)
    assert fresh(root).two_factor is None
    assert secrets.get(f"totp/{root.id}") is None
    assert enter(root.email, now_ms=LATER_MS)
    assert refusal(two_factor.remove, fresh(root), "000000", LATER_MS).code == "wrong_state"


def test_a_secret_that_was_not_confirmed_locks_nobody_out() -> None:
    root = administrator()
    first = two_factor.enrol(root)
    second = two_factor.enrol(root)
    assert first.secret != second.secret
    assert enter(root.email)
    stale = totp.code_at(base64.b32decode(first.secret), NOW_MS // 30_000)
    assert refusal(two_factor.confirm, root, stale, NOW_MS).code == "invalid_request"


def test_it_is_for_administrators() -> None:
    assert refusal(two_factor.enrol, person()).code == "wrong_role"


@pytest.mark.parametrize(("wanted", "must"), [("1", True), ("0", False)])
def test_where_the_stage_wants_it_an_administrator_without_one_must_enrol(
    wanted: str, monkeypatch: pytest.MonkeyPatch, *, must: bool
) -> None:
    monkeypatch.setenv("CHASQUI_SECOND_FACTOR", wanted)
    settings.cache_clear()
    root = administrator()
    token = enter(root.email).begun.token
    caller = authenticate(token, NOW_MS)
    assert isinstance(caller, Administrator)
    assert caller.must_enrol is must
    Authenticator(root)
    users._cached.forget(root.id)
    caller = authenticate(token, NOW_MS)
    assert isinstance(caller, Administrator)
    assert not caller.must_enrol
