"""People over HTTPS: they log in, see to their own things, keep those who belong to them, and act for an account."""

import base64
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.domain import totp
from chalicelib.domain.job import Recipient
from chalicelib.services import reset_password
from chalicelib.services.survey_recipients import content_for
from chalicelib.settings import settings
from chalicelib.store import cached, jobs, messages, sessions
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World
from tests.chalicelib.services.people_world import (
    ANOTHER,
    EMAIL,
    FREE,
    PASSWORD,
    administrator,
    hash_quickly,
    mails,
    person,
)

STRANGER = ""  # no key


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def log_in(world: World, email: str = EMAIL, password: str = PASSWORD, **more: Any) -> HTTPResponse:
    body = {"email": email, "password": password, **more}
    return world.call("POST", "/v1/login", body, key=STRANGER, headers={"User-Agent": "a browser"})


def token(world: World, email: str = EMAIL, password: str = PASSWORD) -> str:
    answer = log_in(world, email, password)
    assert answer.status_code == 200, answer.json_body
    return str(answer.json_body["token"])


def code(answer: HTTPResponse) -> tuple[int, str | None]:
    return answer.status_code, answer.json_body.get("code")


def test_an_owner_logs_in_works_and_logs_out(world: World) -> None:
    user = person()
    answer = log_in(world)
    told = answer.json_body
    assert (answer.status_code, told["user"]["id"], told["user"]["role"]) == (200, user.id, "owner")
    assert (told["must_enrol"], told["idle_seconds"]) == (False, 86_400)
    assert answer.headers["Cache-Control"] == "no-store"
    key = told["token"]
    assert world.call("GET", "/v1/account", key=key).json_body["id"] == ACCOUNT.id
    sent = world.send(key=key).json_body["id"]
    profile = {"name": "Ana B.", "time_zone": "America/Lima", "language": "es"}
    changed = world.call("PUT", "/v1/profile", profile, key=key).json_body
    assert {name: changed[name] for name in profile} == profile
    assert code(world.call("GET", f"/v1/messages/{sent}", key=key)) == (200, None)
    assert code(world.call("POST", "/v1/logout", key=key)) == (200, None)
    assert code(world.call("GET", "/v1/profile", key=key)) == (401, "invalid_session")


def test_what_a_user_sent_is_noted_with_the_user_and_what_a_key_sent_with_the_key(world: World) -> None:
    user = person()
    for key, by in ((token(world), user.id), (world.live, world.live.split("_")[2])):
        sent = world.send(key=key).json_body["id"]
        (fact,) = messages.facts_of(ACCOUNT.id, sent)
        assert fact.content.by == by  # type: ignore[union-attr]
        assert world.call("GET", f"/v1/messages/{sent}", key=key).json_body["by"] == by
        body = {"text": "Hola", "recipients": [{"number": NUMBER}], "dry_run": True}
        made = world.call("POST", "/v1/jobs", body, key=key).json_body
        copied = world.call("POST", f"/v1/jobs/{made['id']}/copy", key=key).json_body
        for job_id in (made["id"], copied["id"]):
            row = jobs.get(ACCOUNT.id, job_id)
            assert row is not None
            recipient = Recipient(line=1, to=NUMBER, country="ES", text="Hola", parts=1)
            assert content_for(row.job, "ACME", recipient, ACCOUNT, world.now_ms()).by == by


def test_a_repeated_request_may_come_with_another_of_the_accounts_keys(world: World) -> None:
    person()
    once = {"Idempotency-Key": "one"}
    first = world.send(headers=once)
    again = world.send(key=token(world), headers=once)
    assert (again.status_code, again.json_body["id"]) == (202, first.json_body["id"])


def test_who_fails_is_told_when_to_come_again_and_nothing_else(world: World) -> None:
    person()
    for _ in range(FREE):
        assert code(log_in(world, password=ANOTHER)) == (401, "invalid_login")
    answer = log_in(world)
    assert code(answer) == (429, "locked_out")
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    for body in ({}, {"email": EMAIL}, {"email": EMAIL, "password": PASSWORD, "role": "super"}, {"email": 1}):
        assert code(world.call("POST", "/v1/login", body, key=STRANGER)) == (422, "invalid_request")


def test_a_forgotten_password_is_set_anew_by_the_mails_link(world: World) -> None:
    user = person()
    old = token(world)
    answers = [
        world.call("POST", "/v1/password-reset", {"email": email}, key=STRANGER) for email in (EMAIL, "no@one.example")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json_body == answers[1].json_body
    assert [notice["kind"] for notice in mails()] == ["password_reset"] * 2  # the second one is nobody's
    link = reset_password.mint(user.id, world.now_ms())
    done = {"token": link, "password": ANOTHER}
    weak = world.call("POST", "/v1/password-reset/confirm", {"token": link, "password": "short"}, key=STRANGER)
    assert weak.json_body["errors"][0]["pointer"] == "/password"
    assert world.call("POST", "/v1/password-reset/confirm", done, key=STRANGER).status_code == 200
    assert code(world.call("POST", "/v1/password-reset/confirm", done, key=STRANGER)) == (422, "invalid_reset")
    assert code(world.call("GET", "/v1/profile", key=old)) == (401, "invalid_session")
    assert token(world, password=ANOTHER)


def test_own_sessions_are_listed_and_ended(world: World) -> None:
    person()
    first, second, third = token(world), token(world), token(world)
    listed = world.call("GET", "/v1/sessions", key=second).json_body["data"]
    assert [one["current"] for one in listed] == [False, True, False]  # oldest first: some milliseconds lie between
    assert (listed[0]["address"], listed[0]["user_agent"]) == ("127.0.0.1", "a browser")
    assert not [one for one in listed if "secret" in str(one)]
    assert world.call("DELETE", f"/v1/sessions/{listed[0]['id']}", key=second).status_code == 200
    assert code(world.call("DELETE", f"/v1/sessions/{listed[0]['id']}", key=second)) == (404, "not_found")
    assert code(world.call("GET", "/v1/profile", key=first)) == (401, "invalid_session")
    assert world.call("POST", "/v1/sessions/end-others", key=second).json_body == {"ended": 1}
    assert code(world.call("GET", "/v1/profile", key=third)) == (401, "invalid_session")
    changed = world.call("PUT", "/v1/profile/password", {"current": PASSWORD, "new": ANOTHER}, key=second)
    assert changed.status_code == 200
    assert world.call("GET", "/v1/profile", key=second).status_code == 200


def test_an_owner_keeps_the_users_of_its_account(world: World) -> None:
    owner = person()
    key = token(world)
    invited = world.call("POST", "/v1/users", {"email": "eva@one.example", "name": "Eva", "role": "viewer"}, key=key)
    eva = invited.json_body
    assert (invited.status_code, eva["invited"], eva["state"], eva["account"]) == (201, True, "active", ACCOUNT.id)
    assert [notice["user"] for notice in mails()] == [eva["id"]]
    link = reset_password.mint(eva["id"], world.now_ms())
    world.call("POST", "/v1/password-reset/confirm", {"token": link, "password": ANOTHER}, key=STRANGER)
    hers = token(world, "eva@one.example", ANOTHER)
    assert code(world.send(key=hers)) == (403, "forbidden")
    path = f"/v1/users/{eva['id']}"
    listed = world.call("GET", "/v1/users", key=key).json_body["data"]
    assert [one["id"] for one in listed] == [owner.id, eva["id"]]
    assert not [one for one in listed if "argon2" in str(one)]
    assert len(world.call("GET", f"{path}/sessions", key=key).json_body["data"]) == 1
    version = world.call("GET", path, key=key).json_body["version"]
    change = {"email": "eva@one.example", "name": "Eva", "role": "sender", "version": version}
    assert world.call("PUT", path, change, key=key).json_body["role"] == "sender"
    assert code(world.call("PUT", path, change, key=key)) == (409, "version_conflict")
    assert world.call("POST", f"{path}/end-sessions", key=key).json_body == {"ended": 1}
    assert code(world.call("GET", "/v1/profile", key=hers)) == (401, "invalid_session")
    assert world.call("POST", f"{path}/mail-link", key=key).status_code == 202
    assert world.call("DELETE", path, key=key).status_code == 200
    assert code(log_in(world, "eva@one.example", ANOTHER)) == (401, "invalid_login")
    assert code(world.call("DELETE", f"/v1/users/{owner.id}", key=key)) == (409, "wrong_state")
    assert code(world.call("GET", "/v1/users", key=world.live)) == (403, "forbidden")  # a program keeps nobody


def test_administrators_keep_users_of_any_account_and_super_keeps_administrators(world: World) -> None:
    user, root = person(), administrator()
    key = token(world, root.email)
    body = {"account": ACCOUNT.id, "email": "eva@one.example", "name": "Eva", "role": "sender"}
    eva = world.call("POST", "/v1/admin/users", body, key=key).json_body
    for query in ("", f"?account={ACCOUNT.id}"):
        listed = world.call("GET", f"/v1/admin/users{query}", key=key).json_body["data"]
        assert {one["id"] for one in listed} == {user.id, eva["id"]}
    found = world.call("GET", "/v1/admin/users?email=ANA%40one.example", key=key).json_body["data"]
    assert [one["id"] for one in found] == [user.id]
    assert world.call("GET", f"/v1/admin/users?email={root.email}", key=key).json_body["data"] == []
    assert code(world.call("GET", f"/v1/admin/users/{root.id}", key=key)) == (404, "not_found")
    assert code(world.call("GET", f"/v1/admin/administrators/{user.id}", key=key)) == (404, "not_found")
    for _ in range(FREE):
        log_in(world, password=ANOTHER)
    assert code(log_in(world)) == (429, "locked_out")
    assert world.call("POST", f"/v1/admin/users/{user.id}/unlock", key=key).status_code == 200
    assert log_in(world).status_code == 200
    listed = world.call("GET", f"/v1/admin/users/{user.id}/sessions", key=key).json_body["data"]
    assert world.call("DELETE", f"/v1/admin/users/{user.id}/sessions/{listed[0]['id']}", key=key).status_code == 200
    helper = {"email": "help@house.example", "name": "Help", "role": "support"}
    invited = world.call("POST", "/v1/admin/administrators", helper, key=key)
    assert (invited.status_code, invited.json_body["account"]) == (201, None)
    assert code(world.call("POST", "/v1/admin/administrators", {**helper, "role": "owner"}, key=key)) == (
        422,
        "invalid_request",
    )
    support = token(world, administrator("support", "s@house.example").email)
    assert code(world.call("POST", "/v1/admin/administrators", helper, key=support)) == (403, "forbidden")


def test_support_acts_as_an_account_which_shows_and_leaves_nobody_behind_in_it(world: World) -> None:
    user, helper = person(), administrator("support", "help@house.example")
    key = token(world, helper.email)
    answer = world.call("POST", f"/v1/admin/accounts/{ACCOUNT.id}/impersonate", {"role": "owner"}, key=key)
    assert (answer.status_code, answer.json_body["role"], answer.json_body["idle_seconds"]) == (201, "owner", 900)
    acting = answer.json_body["token"]
    assert world.send(key=acting).status_code == 202
    body = {"email": "back@door.example", "name": "Back", "role": "owner"}
    for method, path, given in (
        ("POST", "/v1/users", body),
        ("PUT", f"/v1/users/{user.id}", {**body, "version": 1}),
        ("DELETE", f"/v1/users/{user.id}", None),
        ("POST", f"/v1/users/{user.id}/mail-link", None),
        ("POST", f"/v1/users/{user.id}/end-sessions", None),
        ("GET", "/v1/profile", None),
        ("GET", "/v1/sessions", None),
        ("PUT", "/v1/profile/password", {"current": PASSWORD, "new": ANOTHER}),
    ):
        assert code(world.call(method, path, given, key=acting)) == (403, "impersonating"), path
    assert code(world.call("GET", "/v1/admin/accounts", key=acting)) == (403, "wrong_role")
    listed = world.call("GET", "/v1/sessions", key=key).json_body["data"]
    assert [(one["account"], one["role"]) for one in listed] == [(None, None), (ACCOUNT.id, "owner")]
    assert world.call("POST", "/v1/logout", key=acting).status_code == 200
    assert code(world.send(key=acting)) == (401, "invalid_session")
    assert len(sessions.of_holder(helper.id)) == 1


def test_an_administrator_without_an_authenticator_may_only_confirm_one_where_the_stage_wants_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHASQUI_SECOND_FACTOR", "1")
    settings.cache_clear()
    root = administrator()
    answer = log_in(world, root.email)
    key = answer.json_body["token"]
    assert answer.json_body["must_enrol"] is True
    assert code(world.call("GET", "/v1/admin/accounts", key=key)) == (403, "second_factor_missing")
    enrolled = world.call("POST", "/v1/profile/two-factor", key=key).json_body
    now = totp.code_at(base64.b32decode(enrolled["secret"]), world.now_ms() // 30_000)
    confirmed = world.call("POST", "/v1/profile/two-factor/confirm", {"code": now}, key=key).json_body
    assert len(confirmed["recovery_codes"]) == 10
    cached.forget_all()
    assert world.call("GET", "/v1/admin/accounts", key=key).status_code == 200
    profile = world.call("GET", "/v1/profile", key=key).json_body
    assert (profile["two_factor"], profile["recovery_codes_left"]) == (True, 10)
    assert code(log_in(world, root.email)) == (401, "code_missing")
    assert code(log_in(world, root.email, code=now)) == (401, "invalid_login")
    assert log_in(world, root.email, code=confirmed["recovery_codes"][0]).status_code == 200
    removed = world.as_admin("POST", f"/v1/admin/administrators/{root.id}/remove-two-factor")
    assert removed.json_body["two_factor"] is False
    assert log_in(world, root.email).json_body["must_enrol"] is True


def test_a_session_is_no_key_and_a_key_no_session(world: World) -> None:
    person()
    key = token(world)
    assert code(world.call("GET", "/v1/admin/accounts", key=key)) == (403, "wrong_role")
    assert code(world.call("GET", "/v1/profile", key=world.live)) == (403, "wrong_role")
    assert code(world.call("GET", "/v1/profile", key=world.admin)) == (403, "wrong_role")
    assert code(world.call("GET", "/v1/account", key=administrator_token(world))) == (403, "wrong_role")
    assert code(world.call("GET", "/v1/account", key=f"{key}0")) == (401, "invalid_session")


def administrator_token(world: World) -> str:
    return token(world, administrator().email)


def test_the_audit_log_has_who_logged_in_who_failed_the_code_and_who_acted_for_whom_and_no_secret(world: World) -> None:
    person()
    helper = administrator("support", "help@house.example")
    key = token(world, helper.email)
    acting = world.call("POST", f"/v1/admin/accounts/{ACCOUNT.id}/impersonate", {}, key=key).json_body["token"]
    world.call("PUT", "/v1/profile", {"name": "Help"}, key=key)
    world.call("POST", "/v1/logout", key=acting)
    told = world.as_admin("GET", "/v1/admin/audit")
    text = told.body.decode()
    assert told.status_code == 200
    assert {"log_in_a_user", "impersonate_account", "change_own_profile", "log_out"} <= {
        one["operation"] for one in told.json_body["data"]
    }, text
    assert not [secret for secret in (PASSWORD, key.split("_")[3], acting.split("_")[3]) if secret in text]
