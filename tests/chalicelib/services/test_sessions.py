"""Sessions: for how long they hold, what ends them, and what they are good for."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain import session as domain
from chalicelib.domain.user import User
from chalicelib.services import end_sessions, keep_user
from chalicelib.services.authenticate import Administrator, Caller, authenticate
from chalicelib.services.begin_session import Begun, begin
from chalicelib.services.change_password import NewPassword, change_password
from chalicelib.services.end_sessions import end, end_all, end_others, log_out, standing
from chalicelib.services.faults import Fault
from chalicelib.services.impersonate import impersonate
from chalicelib.services.issue_key import Access, issue_admin_key
from chalicelib.settings import Settings
from chalicelib.store import accounts, api_keys, cached, sessions, users
from tests.chalicelib.services.people_world import (
    ACCOUNT,
    ANOTHER,
    FREE,
    HERE,
    HOUR_MS,
    MINUTE_MS,
    NOW_MS,
    PASSWORD,
    administrator,
    enter,
    hash_quickly,
    mails,
    person,
    refusal,
)

DAY_MS = 24 * HOUR_MS


@pytest.fixture(autouse=True)
def quick(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def _of(user: User, now_ms: int = NOW_MS) -> Begun:
    return begin(user, HERE, now_ms)


def _as_account(by: User) -> Begun:
    caller = authenticate(_of(by).token, NOW_MS)
    assert isinstance(caller, Administrator)
    return impersonate(caller, ACCOUNT, "viewer", HERE, NOW_MS)


def _code(token: str, now_ms: int) -> str | None:
    """How the token is refused by a process that remembers nothing; None where it is good."""
    cached.forget_all()
    try:
        authenticate(token, now_ms)
    except Fault as fault:
        return fault.code
    return None


SPANS = [
    ("customer", 24 * HOUR_MS, 7 * DAY_MS),
    ("administrator", HOUR_MS, 12 * HOUR_MS),
    ("impersonation", 15 * MINUTE_MS, HOUR_MS),
]


@pytest.mark.parametrize(("kind", "idle_ms", "most_ms"), SPANS, ids=[row[0] for row in SPANS])
def test_a_session_holds_while_it_is_used_and_no_longer_than_it_may(kind: str, idle_ms: int, most_ms: int) -> None:
    made: dict[str, Any] = {
        "customer": lambda: _of(person()),
        "administrator": lambda: _of(administrator()),
        "impersonation": lambda: (person(), _as_account(administrator()))[1],
    }
    unused = made[kind]().token
    assert _code(unused, NOW_MS + idle_ms - 1) is None  # which is a use
    assert _code(unused, NOW_MS + 2 * idle_ms - 1) == "invalid_session"
    users_of_it = sessions.of_holder(sessions.cached(unused.split("_")[2], NOW_MS).value.holder)  # type: ignore[union-attr]
    used = next(one for one in users_of_it if unused.split("_")[2] == one.id)
    assert used.used_ms == NOW_MS + idle_ms - 1
    held = sessions.get(used.id)
    assert held is not None
    busy = msgspec.structs.replace(held.value, used_ms=NOW_MS + most_ms - 1)
    sessions.change(held.version, busy)
    assert _code(unused, NOW_MS + most_ms - 1) is None
    assert _code(unused, NOW_MS + most_ms) == "invalid_session"


def test_its_use_is_written_down_each_five_minutes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    token = _of(person()).token
    written: list[int] = []
    change = sessions.change

    def noting(version: int, one: domain.Session) -> bool:
        written.append(one.used_ms)
        return change(version, one)

    monkeypatch.setattr(sessions, "change", noting)
    for minute in range(12):
        authenticate(token, NOW_MS + minute * MINUTE_MS)
    assert written == [NOW_MS + 5 * MINUTE_MS, NOW_MS + 10 * MINUTE_MS]


def test_a_use_does_not_bring_back_what_was_ended() -> None:
    begun = _of(person())
    held = sessions.get(begun.session.id)
    assert held is not None
    sessions.revoke(begun.session.id)
    assert not sessions.change(held.version, msgspec.structs.replace(held.value, used_ms=NOW_MS))
    assert _code(begun.token, NOW_MS) == "invalid_session"


def test_a_token_with_another_secret_or_a_made_up_one_is_none() -> None:
    token = _of(person()).token
    for text in (token[:-1] + ("0" if token[-1] != "0" else "1"), "chq_session_01ABC_secret", token + "0"):
        assert _code(text, NOW_MS) == "invalid_session"
    assert _code(token.replace("chq_session", "chq_live"), NOW_MS) == "invalid_api_key"


def _suspend(user: User) -> None:
    held = keep_user.read(user.account, user.id)
    terms = keep_user.Terms(
        email=user.email, role=user.role, profile=keep_user.Profile(name=user.name), state="suspended"
    )
    keep_user.change(held, terms, held.version, "usr_other", NOW_MS)


def _change_password(user: User) -> None:
    begun = _of(user)
    change_password(user, begun.session, NewPassword(PASSWORD, ANOTHER), "", NOW_MS)
    assert _code(begun.token, NOW_MS) is None  # who changes it goes on


ENDS = [
    ("logging out", lambda user, begun: log_out(begun.session)),
    ("ending it", lambda user, begun: end(user, begun.session.id)),
    ("ending all", lambda user, begun: end_all(user)),
    ("ending all but another", lambda user, begun: end_others(user, _of(user).session)),
    ("another password", lambda user, begun: _change_password(user)),
    ("suspending its user", lambda user, begun: _suspend(user)),
    ("deleting its user", lambda user, begun: keep_user.delete(keep_user.read(user.account, user.id), "usr_other")),
]


@pytest.mark.parametrize("ending", [row[1] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_ends_a_session(ending: Any) -> None:
    user = person()
    begun = _of(user)
    other = _of(person(email="eva@one.example"))
    ending(user, begun)
    assert _code(begun.token, NOW_MS) == "invalid_session"
    assert _code(other.token, NOW_MS) is None


def test_who_dies_after_the_new_password_and_before_the_sessions_are_forgotten_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = person()
    stolen, own = _of(user), _of(user)

    def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("chalicelib.services.change_password.password_resets.forget", dies)
    with pytest.raises(RuntimeError):
        change_password(user, own.session, NewPassword(PASSWORD, ANOTHER), "", NOW_MS)
    assert _code(stolen.token, NOW_MS) == "invalid_session"
    assert enter(password=ANOTHER)


def test_own_sessions_are_listed_while_they_hold_and_nobody_elses_is_ended() -> None:
    user, other = person(), person(email="eva@one.example")
    first, second, theirs = _of(user, NOW_MS - 1), _of(user), _of(other)
    assert [one.session.id for one in standing(user, NOW_MS)] == [first.session.id, second.session.id]
    assert standing(user, NOW_MS + DAY_MS) == []
    assert refusal(end, user, theirs.session.id).code == "not_found"
    assert refusal(end, user, "01ABC").code == "not_found"
    assert end_others(user, first.session) == 1
    now = users.get(user.id)
    assert now is not None
    assert [one.session.id for one in standing(now, NOW_MS)] == [first.session.id]


def test_nobody_has_more_sessions_than_anybody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(end_sessions, "MAX_SESSIONS", 2)
    user = person()
    tokens = [enter(now_ms=NOW_MS + number).begun.token for number in range(3)]
    assert [_code(token, NOW_MS + 3) for token in tokens] == ["invalid_session", None, None]
    assert len(sessions.of_holder(user.id)) == 2


def test_another_password_wants_the_old_one_is_told_by_mail_and_guessed_at_slowly() -> None:
    user = person()
    begun = _of(user)
    wrong = [
        refusal(change_password, user, begun.session, NewPassword(f"guess {n}", ANOTHER), "", NOW_MS)
        for n in range(FREE + 1)
    ]
    assert [fault.code for fault in wrong] == ["invalid_request"] * FREE + ["locked_out"]
    assert wrong[0].fields[0].field == "/current"
    later_ms = NOW_MS + MINUTE_MS
    weak = refusal(change_password, user, begun.session, NewPassword(PASSWORD, "password1234"), "", later_ms)
    assert (weak.fields[0].field, weak.fields[0].code) == ("/new", "too_common")
    assert mails() == []
    change_password(user, begun.session, NewPassword(PASSWORD, ANOTHER), "203.0.113.7", later_ms)
    (told,) = mails()
    assert (told["kind"], told["user"]) == ("password_changed", user.id)
    assert told["values"] == {"changed_ms": str(later_ms), "from_address": "203.0.113.7"}


def _caller(token: str) -> Caller:
    cached.forget_all()
    return authenticate(token, NOW_MS)


def test_who_acts_as_an_account_is_named_with_everything() -> None:
    person()
    helper = administrator("support")
    caller = _caller(_as_account(helper).token)
    assert (caller.key.account, caller.role, caller.user) == (ACCOUNT, "viewer", None)
    assert (caller.impersonated_by, caller.who, caller.by) == (
        f"user:{helper.id}",
        f"user:{helper.id} as {ACCOUNT}",
        helper.id,
    )


def test_an_administrators_key_acts_as_an_account_until_it_is_revoked() -> None:
    person()
    key = issue_admin_key("ops", NOW_MS, Access(ip_rules=("203.0.113.0/24",))).key
    begun = impersonate(Administrator(key=key), ACCOUNT, "owner", HERE, NOW_MS)
    caller = _caller(begun.token)
    assert (caller.who, caller.by) == (f"key:{key.id} as {ACCOUNT}", key.id)
    assert caller.key.ip_rules == key.ip_rules  # from nowhere else, as the key itself
    api_keys.revoke(key.id, NOW_MS)
    assert _code(begun.token, NOW_MS) == "invalid_session"


def test_only_who_helps_may_act_as_an_account_and_only_as_long_as_it_does() -> None:
    person()
    for role in ("billing", "routing"):
        caller = _caller(_of(administrator(role, f"{role}@house.example")).token)
        assert isinstance(caller, Administrator)
        assert refusal(impersonate, caller, ACCOUNT, "viewer", HERE, NOW_MS).code == "wrong_role"
    helper = administrator("support")
    token = _as_account(helper).token
    held = keep_user.read(None, helper.id)
    terms = keep_user.Terms(email=helper.email, role="billing", profile=keep_user.Profile(name="Ana"))
    keep_user.change(held, terms, held.version, "usr_other", NOW_MS)
    assert _code(token, NOW_MS) == "invalid_session"


def test_there_is_nothing_to_act_as_in_a_closed_account_or_none() -> None:
    person()
    caller = _caller(_of(administrator()).token)
    assert isinstance(caller, Administrator)
    assert refusal(impersonate, caller, "acc_none", "viewer", HERE, NOW_MS).code == "not_found"
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, state="closed"))
    assert refusal(impersonate, caller, ACCOUNT, "viewer", HERE, NOW_MS).code == "account_closed"


def test_limits_are_those_of_the_page() -> None:
    assert [
        (limits.idle_ms, limits.absolute_ms)
        for limits in (domain.OF_CUSTOMERS, domain.OF_ADMINISTRATORS, domain.OF_IMPERSONATION)
    ] == [(idle, most) for _, idle, most in SPANS]
