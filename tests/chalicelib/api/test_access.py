"""Who may call from where, for what and how often; on top of having a key."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from chalice.local import LambdaEventConverter, RouteMatcher

from app import app
from chalicelib.services import limit_rate
from chalicelib.services.issue_key import Access, issue_admin_key, issue_customer_key
from chalicelib.store import accounts
from tests.chalicelib.api.world import ACCOUNT, World


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    limit_rate.forget_all()
    yield
    limit_rate.forget_all()


def key(world: World, **access: Any) -> str:
    return issue_customer_key(ACCOUNT.id, "live", "k", world.now_ms(), Access(**access)).text


def set_account(world: World, **changes: Any) -> None:
    row = accounts.versioned(ACCOUNT.id)
    assert row is not None
    assert accounts.change(ACCOUNT.id, row.version, msgspec.structs.replace(row.value, **changes))


def code(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json_body.get("code")


IP = [
    ((), (), 200),
    (("127.0.0.0/8",), (), 200),
    ((), ("127.0.0.1",), 200),
    (("10.0.0.0/8", "127.0.0.1"), ("127.0.0.0/8",), 200),
    (("10.0.0.0/8",), (), 403),
    ((), ("2001:db8::/32",), 403),
    (("127.0.0.1",), ("10.0.0.1",), 403),
    (("10.0.0.1",), ("127.0.0.1",), 403),
]


def test_a_call_comes_from_where_both_account_and_key_allow(world: World) -> None:
    for account_rules, key_rules, status in IP:
        set_account(world, ip_rules=account_rules)
        answer = world.call("GET", "/v1/account", key=key(world, ip_rules=key_rules))
        assert code(answer) == (status, "ip_not_allowed" if status == 403 else None), (account_rules, key_rules)


def test_an_administrators_key_has_ip_rules_too(world: World) -> None:
    near = issue_admin_key("near", world.now_ms(), Access(ip_rules=("127.0.0.1",))).text
    far = issue_admin_key("far", world.now_ms(), Access(ip_rules=("10.0.0.0/8",))).text
    assert world.call("GET", "/v1/admin/accounts", key=near).status_code == 200
    assert code(world.call("GET", "/v1/admin/accounts", key=far)) == (403, "ip_not_allowed")


def test_a_header_that_the_caller_writes_says_nothing_of_where_it_comes_from(world: World) -> None:
    headers = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X-Real-IP": "10.0.0.1"}
    answer = world.call("GET", "/v1/account", key=key(world, ip_rules=("10.0.0.1",)), headers=headers)
    assert code(answer) == (403, "ip_not_allowed")


def test_the_address_is_what_api_gateway_says(world: World) -> None:
    given = key(world, ip_rules=("203.0.113.0/24",))
    converter = LambdaEventConverter(RouteMatcher(list(app.routes)), app.api.binary_types)
    event = converter.create_lambda_event("GET", "/v1/account", {"authorization": f"Bearer {given}"})
    for address, status in (("203.0.113.9", 200), ("203.0.114.9", 403), ("2001:db8::1", 403), ("", 403)):
        event["requestContext"]["identity"] = {"sourceIp": address}
        assert app(event, _Context())["statusCode"] == status, address


class _Context:
    aws_request_id = "r"


SCOPES = [
    ((), "GET", "/v1/account", None),
    (("account:read",), "GET", "/v1/account", None),
    (("account:read",), "GET", "/v1/account/ledger", None),
    (("messages:read",), "GET", "/v1/account", "scope_missing"),
    (("messages:read",), "POST", "/v1/messages", "scope_missing"),
    (("messages:send",), "GET", "/v1/messages", "scope_missing"),
    (("opt-outs:read",), "POST", "/v1/opt-outs", "scope_missing"),
]


def test_a_key_may_be_used_for_what_its_scopes_name(world: World) -> None:
    for scopes, method, path, expected in SCOPES:
        body = {"to": "+34600000001", "text": "x"} if method == "POST" else None
        answer = world.call(method, path, body, key=key(world, scopes=scopes))
        assert code(answer)[1] == expected, (scopes, method, path)


def test_a_key_to_send_sends_and_cancels(world: World) -> None:
    sender = key(world, scopes=("messages:send",))
    sent = world.send(key=sender)
    assert sent.status_code == 202
    assert world.call("POST", f"/v1/messages/{sent.json_body['id']}/cancel", key=sender).status_code == 200


def test_a_key_over_its_rate_is_told_when_to_come_again(world: World) -> None:
    slow = key(world, requests_per_second=0.1, requests_burst=2)
    assert [world.call("GET", "/v1/account", key=slow).status_code for _ in range(2)] == [200, 200]
    answer = world.call("GET", "/v1/account", key=slow)
    assert code(answer) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert world.call("GET", "/v1/account").status_code == 200  # another key of the account


def test_an_account_over_its_rate_sends_no_more_but_reads(world: World) -> None:
    set_account(world, messages_per_second=0.1, messages_burst=2)
    kept = {"Idempotency-Key": "first"}
    first = world.send(headers=kept)
    assert [first.status_code, world.send().status_code] == [202, 202]
    before = world.written()
    answer = world.send()
    assert code(answer) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1
    assert world.written() == before
    assert world.send(headers=kept).json_body["id"] == first.json_body["id"]  # what was answered stays so
    assert world.send({"to": "x"}).status_code == 422
    assert world.call("GET", "/v1/account").status_code == 200


def test_an_administrator_changes_a_keys_access_and_it_keeps_its_secret(world: World) -> None:
    text = key(world)
    name = text.split("_")[2]
    change = {"name": "new", "ip_rules": ["10.0.0.0/8"], "scopes": ["messages:send"], "requests_per_second": 5}
    told = world.as_admin("PUT", f"/v1/admin/keys/{name}", change)
    assert told.status_code == 200, told.json_body
    assert {field: told.json_body[field] for field in change} == change
    assert code(world.call("GET", "/v1/account", key=text)) == (403, "ip_not_allowed")
    assert world.as_admin("PUT", f"/v1/admin/keys/{name}", {"name": "open"}).status_code == 200
    assert world.call("GET", "/v1/account", key=text).status_code == 200


BAD_ACCESS: list[tuple[str, Any, str, str]] = [
    ("a rule that is none", {"ip_rules": ["nonsense"]}, "/ip_rules/0", "invalid_ip_rule"),
    ("bits beyond the mask", {"ip_rules": ["10.0.0.0/8", "10.1.2.3/8"]}, "/ip_rules/1", "invalid_ip_rule"),
    ("an empty rule", {"ip_rules": [""]}, "/ip_rules/0", "too_short"),
    ("an endless rule", {"ip_rules": ["1" * 60]}, "/ip_rules/0", "too_long"),
    ("too many rules", {"ip_rules": ["10.0.0.1"] * 101}, "/ip_rules", "too_long"),
    ("rules that are no list", {"ip_rules": "10.0.0.1"}, "/ip_rules", "wrong_type"),
    ("a scope of nothing", {"scopes": ["nothing:read"]}, "/scopes/0", "not_allowed"),
    ("an administrator's scope", {"scopes": ["admin.accounts:read"]}, "/scopes/0", "not_allowed"),
    ("a scope of no form", {"scopes": ["MESSAGES"]}, "/scopes/0", "invalid_format"),
    ("a rate of nothing", {"requests_per_second": 0}, "/requests_per_second", "out_of_range"),
    ("a rate below nothing", {"requests_per_second": -1}, "/requests_per_second", "out_of_range"),
    ("a burst of nothing", {"requests_burst": 0}, "/requests_burst", "out_of_range"),
    ("an unknown field", {"ips": []}, "/ips", "unknown_field"),
]


BAD_ACCOUNT: list[tuple[str, dict[str, Any], str, str]] = [
    ("a rule that is none", {"ip_rules": ["10.0.0.256"]}, "/ip_rules/0", "invalid_ip_rule"),
    ("a host's name", {"ip_rules": ["localhost"]}, "/ip_rules/0", "invalid_ip_rule"),
    ("bits beyond the mask", {"ip_rules": ["2001:db8::1/32"]}, "/ip_rules/0", "invalid_ip_rule"),
    ("no list", {"ip_rules": None}, "/ip_rules", "wrong_type"),
    ("a number for a rule", {"ip_rules": [1]}, "/ip_rules/0", "wrong_type"),
    ("a rate of nothing", {"messages_per_second": 0}, "/messages_per_second", "out_of_range"),
    ("a rate in text", {"messages_per_second": "5"}, "/messages_per_second", "wrong_type"),
    ("an endless rate", {"messages_per_second": 1e300}, "/messages_per_second", "out_of_range"),
    ("a burst of nothing", {"messages_burst": 0}, "/messages_burst", "out_of_range"),
    ("a broken burst", {"messages_burst": 1.5}, "/messages_burst", "wrong_type"),
    ("another traffic", {"traffic": "confirmation"}, "/traffic", "not_allowed"),
    ("what only follows", {"has_opt_outs": False}, "/has_opt_outs", "unknown_field"),
]


def test_every_bad_limit_of_an_account_is_named_and_it_stays_as_it_was(world: World) -> None:
    path = f"/v1/admin/accounts/{ACCOUNT.id}"
    before = world.as_admin("GET", path).json_body
    for label, limits, pointer, fault in BAD_ACCOUNT:
        answer = world.as_admin("PUT", path, {"name": "x", "version": before["version"], **limits})
        assert answer.status_code == 422, label
        assert [(one["pointer"], one["code"]) for one in answer.json_body["errors"]] == [(pointer, fault)], label
    assert world.as_admin("GET", path).json_body == before


def test_every_bad_access_is_named_and_no_key_is_made(world: World) -> None:
    name = key(world).split("_")[2]
    before = world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}/keys").json_body
    for label, access, pointer, fault in BAD_ACCESS:
        for method, path in (("POST", f"/v1/admin/accounts/{ACCOUNT.id}/keys"), ("PUT", f"/v1/admin/keys/{name}")):
            answer = world.as_admin(method, path, {"name": "x", **access})
            assert answer.status_code == 422, (label, json.dumps(answer.json_body))
            assert [(one["pointer"], one["code"]) for one in answer.json_body["errors"]] == [(pointer, fault)], label
    assert world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}/keys").json_body == before
