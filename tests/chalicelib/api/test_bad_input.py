"""Every way to ask wrongly: a problem with its code, and nothing written."""

import base64
from typing import Any

import msgspec
import pytest

from chalicelib.api import cursors
from chalicelib.api.operation import MAX_BODY_BYTES
from chalicelib.api.problems import KINDS
from chalicelib.settings import settings
from chalicelib.store import dynamo, wallets
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World

TO = {"to": NUMBER}
PLAIN = {"to": NUMBER, "text": "hola"}

# What is sent → problem code, and of each field at fault its pointer and code.
BODIES: list[tuple[str, Any, str, list[tuple[str, str]]]] = [
    ("not JSON", b"to=34600000001", "malformed_json", []),
    ("no body", b"", "malformed_json", []),
    ("half a body", b'{"to": "+346', "malformed_json", []),
    ("two documents", b"{}{}", "malformed_json", []),
    ("not UTF-8", b'{"to": "\xff", "text": "x"}', "malformed_json", []),
    ("UTF-16", '{"to": "x"}'.encode("utf-16"), "malformed_json", []),
    ("a high surrogate alone", b'{"to": "+34600000001", "text": "ab \\ud83d cd"}', "malformed_json", []),
    ("a low surrogate alone", b'{"to": "+34600000001", "text": "\\ude00 abcdef"}', "malformed_json", []),
    ("nesting without end", b'{"to": ' + b"[" * 50_000, "malformed_json", []),
    ("a fault, then no JSON", b'{"to": 5, "text', "malformed_json", []),
    ("null", b"null", "invalid_request", [("", "wrong_type")]),
    ("an array", [PLAIN], "invalid_request", [("", "wrong_type")]),
    ("a number for a number", {"to": 34600000001, "text": "x"}, "invalid_request", [("/to", "wrong_type")]),
    ("a text that is a list", {**TO, "text": ["x"]}, "invalid_request", [("/text", "wrong_type")]),
    ("no number", {"text": "x"}, "invalid_request", [("/to", "missing")]),
    ("an unknown field", {**PLAIN, "flash": True}, "invalid_request", [("/flash", "unknown_field")]),
    ("an unknown field with a slash", {**PLAIN, "a/b~c": 1}, "invalid_request", [("/a~1b~0c", "unknown_field")]),
    ("letters for a number", {**PLAIN, "to": "call me"}, "invalid_request", [("/to", "invalid_number")]),
    ("a number of no country", {**PLAIN, "to": "+999123456789"}, "invalid_request", [("/to", "invalid_number")]),
    ("a national number", {**PLAIN, "to": "600000001"}, "invalid_request", [("/to", "invalid_number")]),
    ("an endless number", {**PLAIN, "to": "1" * 41}, "invalid_request", [("/to", "too_long")]),
    ("an empty number", {**PLAIN, "to": ""}, "invalid_request", [("/to", "too_short")]),
    (
        "a sender of too many letters",
        {**PLAIN, "from": "abcdefghijkl"},
        "invalid_request",
        [("/from", "invalid_sender")],
    ),
    ("an empty text", {**TO, "text": ""}, "invalid_request", [("/text", "too_short")]),
    ("neither text nor data", TO, "invalid_request", [("/text", "missing")]),
    ("text and data", {**PLAIN, "data": "AAAA"}, "invalid_request", [("/text", "not_allowed")]),
    ("data that is no base64", {**TO, "data": "***"}, "invalid_request", [("/data", "invalid_format")]),
    ("a text over the account's parts", {**TO, "text": "x" * 460}, "text_too_long", [("/text", "too_long")]),
    ("a text over any account's parts", {**TO, "text": "x" * 40_000}, "invalid_request", [("/text", "too_long")]),
    (
        "data over the account's parts",
        {**TO, "data": base64.b64encode(bytes(403)).decode()},
        "text_too_long",
        [("/data", "too_long")],
    ),
    ("an unknown priority", {**PLAIN, "priority": "now"}, "invalid_request", [("/priority", "not_allowed")]),
    ("no validity", {**PLAIN, "validity_seconds": 0}, "invalid_request", [("/validity_seconds", "out_of_range")]),
    (
        "a validity in text",
        {**PLAIN, "validity_seconds": "60"},
        "invalid_request",
        [("/validity_seconds", "wrong_type")],
    ),
    (
        "a validity beyond the account's",
        {**PLAIN, "validity_seconds": 200_000},
        "invalid_request",
        [("/validity_seconds", "out_of_range")],
    ),
    (
        "an endless validity",
        {**PLAIN, "validity_seconds": 10**30},
        "invalid_request",
        [("/validity_seconds", "out_of_range")],
    ),
    ("an endless reference", {**PLAIN, "client_ref": "x" * 65}, "invalid_request", [("/client_ref", "too_long")]),
    ("a dry run in text", {**PLAIN, "dry_run": "yes"}, "invalid_request", [("/dry_run", "wrong_type")]),
    (
        "three faults at once",
        {"to": "x", "from": "abcdefghijkl", "text": "x", "validity_seconds": 200_000},
        "invalid_request",
        [("/to", "invalid_number"), ("/from", "invalid_sender"), ("/validity_seconds", "out_of_range")],
    ),
    ("a number that no route leads to", {**PLAIN, "to": "+5215512345678"}, "no_route", []),
    ("a body over the limit", b'{"text": "' + b"x" * MAX_BODY_BYTES + b'"}', "body_too_large", []),
]


class TestBodies:
    """All against one world: none of them changes it."""

    def test_each_is_a_problem_with_its_code_and_nothing_is_written(self, world: World) -> None:
        before = world.written()
        for label, body, code, fields in BODIES:
            answer = world.call("POST", "/v1/messages", body, headers={"Idempotency-Key": "k"})
            told = answer.json_body
            assert told["code"] == code, (label, told)
            assert answer.status_code == told["status"] == KINDS[code].status, label
            assert answer.headers["Content-Type"] == "application/problem+json", label
            assert [(error["pointer"], error["code"]) for error in told["errors"]] == fields, (label, told)
            assert told["request_id"] == answer.headers["X-Request-Id"], label
            assert told["retryable"] is False, label
        assert world.written() == before

    def test_another_media_type_is_refused(self, world: World) -> None:
        headers = {"Content-Type": "application/xml"}
        answer = world.call("POST", "/v1/messages", b"<to/>", headers=headers)
        assert (answer.status_code, answer.json_body["code"]) == (415, "unsupported_media_type")

    def test_a_message_that_the_credit_does_not_cover_is_refused(self, world: World) -> None:
        poor = world.customer(msgspec.structs.replace(ACCOUNT, id="acc_poor"), 49_999)
        before = world.written()
        answer = world.send(key=poor, headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.json_body["code"]) == (402, "no_credit")
        assert world.written() == before


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "missing_api_key"),
        ("Bearer", "missing_api_key"),
        ("Bearer ", "missing_api_key"),
        ("Basic dXNlcjpwYXNz", "missing_api_key"),
        ("Bearer nonsense", "invalid_api_key"),
        ("Bearer chq_live_nobody_0000", "invalid_api_key"),
        ("Bearer chq_live_" + "x" * 5_000, "invalid_api_key"),
        ("Bearer chq_live_ñ_ñ", "invalid_api_key"),
    ],
)
def test_a_wrong_key_is_refused_and_nothing_is_written(world: World, authorization: str, code: str) -> None:
    before = world.written()
    headers = {"Authorization": authorization} if authorization else {}
    answer = world.send(key="", headers=headers)
    assert (answer.status_code, answer.json_body["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert world.written() == before


def test_a_key_with_another_secret_or_another_kind_is_refused(world: World) -> None:
    _, kind, identifier, secret = world.live.split("_")
    assert kind == "live"
    for forged in (f"chq_live_{identifier}_{'0' * len(secret)}", f"chq_test_{identifier}_{secret}"):
        assert world.send(key=forged).json_body["code"] == "invalid_api_key"


def test_each_kind_of_key_has_its_own_operations(world: World) -> None:
    assert world.as_admin("GET", "/v1/account").json_body["code"] == "wrong_role"
    assert world.call("GET", "/v1/admin/accounts").json_body["code"] == "wrong_role"
    assert world.call("GET", "/v1/admin/accounts", key=world.test).status_code == 403


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("date_from=yesterday", "date_from", "invalid_format"),
        ("date_from=2026-02-30", "date_from", "invalid_format"),
        ("date_from=2026-01-02&date_to=2026-01-01", "date_from", "reversed_range"),
        ("date_from=2020-01-01&date_to=2026-01-01", "date_from", "out_of_range"),
        ("status=lost", "status", "not_allowed"),
        ("limit=0", "limit", "out_of_range"),
        ("limit=101", "limit", "out_of_range"),
        ("limit=ten", "limit", "wrong_type"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("colour=red", "colour", "unknown_field"),
    ],
)
def test_a_bad_parameter_is_named(world: World, query: str, parameter: str, code: str) -> None:
    answer = world.call("GET", f"/v1/messages?{query}")
    assert answer.status_code == 422
    assert [(error["parameter"], error["code"]) for error in answer.json_body["errors"]] == [(parameter, code)]


class TestCursors:
    def test_a_cursor_works_only_in_its_own_listing(self, world: World) -> None:
        for _ in range(3):
            world.send()
        cursor = world.call("GET", "/v1/messages?limit=1").json_body["next_cursor"]
        assert world.call("GET", f"/v1/messages?cursor={cursor}").status_code == 200
        stranger = world.customer(msgspec.structs.replace(ACCOUNT, id="acc_two"), 0)
        for path, key in (
            (f"/v1/messages?cursor={cursor}", stranger),
            (f"/v1/messages?cursor={cursor}&status=queued", world.live),
            (f"/v1/messages?cursor={cursor[:-2]}AA", world.live),
            (f"/v1/messages?cursor={cursor[:-3]}", world.live),
            ("/v1/messages?cursor=%00", world.live),
            ("/v1/messages?cursor=AAAA", world.live),
            ("/v1/messages?cursor=ñ", world.live),
            (f"/v1/admin/accounts?cursor={cursor}", world.admin),
        ):
            answer = world.call("GET", path, key=key)
            assert (answer.status_code, answer.json_body["code"]) == (400, "invalid_cursor"), path

    def test_without_a_secret_of_the_deployment_cursors_are_signed_for_each_key(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        without = msgspec.structs.replace(settings(), cursor_secret="")
        monkeypatch.setattr(cursors, "settings", lambda: without)
        for _ in range(2):
            world.send()
        cursor = world.call("GET", "/v1/messages?limit=1").json_body["next_cursor"]
        assert world.call("GET", f"/v1/messages?cursor={cursor}").status_code == 200
        assert world.call("GET", f"/v1/messages?cursor={cursor}", key=world.test).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/msg_x",
        "/v1/messages/%00",
        "/v1/messages/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "/v1/messages/msg_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ],
)
def test_an_id_that_is_none_is_not_found(world: World, path: str) -> None:
    for method, tail in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        answer = world.call(method, path + tail)
        assert (answer.status_code, answer.json_body["code"]) == (404, "not_found")


def test_another_method_is_refused_with_those_there_are(world: World) -> None:
    answer = world.call("PATCH", "/v1/messages")
    assert (answer.status_code, answer.json_body["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ñ", "a b"])
def test_an_idempotency_key_is_visible_ascii(world: World, key: str) -> None:
    before = world.written()
    answer = world.send(headers={"Idempotency-Key": key})
    assert answer.json_body["errors"][0]["parameter"] == "Idempotency-Key"
    assert world.written() == before


class TestErrorsOfOurs:
    def test_an_unexpected_one_tells_nothing_of_the_inside(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("secret thing")

        monkeypatch.setattr(wallets, "get", fail)
        answer = world.call("GET", "/v1/account")
        assert (answer.status_code, answer.json_body["code"]) == (500, "internal_error")
        assert b"secret thing" not in answer.body

    def test_one_of_aws_is_worth_another_try(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise dynamo.Overloaded("arn:aws:secret")

        monkeypatch.setattr(wallets, "get", fail)
        answer = world.call("GET", "/v1/account")
        assert (answer.status_code, answer.json_body["code"]) == (503, "unavailable")
        assert answer.json_body["retryable"] is True
        assert answer.headers["Retry-After"]
        assert b"arn:aws" not in answer.body
