"""Webhooks over the API: opened, changed, rotated, tested, replayed, deleted; every rude way is refused by its code."""

from typing import Any

import pytest

from chalicelib.domain.webhook import MAX_ENDPOINTS
from chalicelib.services.deliver_webhooks import deliver
from chalicelib.settings import settings
from chalicelib.store import cached, queues, webhooks
from chalicelib.wire import WebhookBundle, decode
from infra.local.echo import listening
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World

URL = "https://customer.example/hook"
NOBODYS = "whk_01K00000000000000000000000"
DELIVERY = "01K0000000-evt_test_1"


def opened(world: World, **more: Any) -> dict[str, Any]:
    answer = world.call("POST", "/v1/webhooks", {"url": URL, **more})
    assert answer.status_code == 201, answer.body
    return dict(answer.json_body)


def test_a_webhook_is_opened_with_a_secret_that_is_told_once(world: World) -> None:
    made = opened(world, events=["message.delivered"], description="Shop")
    assert made["secret"].startswith("whsec_")
    assert (made["state"], made["events"], made["failing_since"]) == ("active", ["message.delivered"], None)
    read = world.call("GET", f"/v1/webhooks/{made['id']}").json_body
    assert read == {name: value for name, value in made.items() if name != "secret"}
    (listed,) = world.call("GET", "/v1/webhooks").json_body["data"]
    assert listed == read
    assert "message.received" in opened(world)["events"]


def test_changing_sets_all_anew(world: World) -> None:
    made = opened(world, description="Shop")
    other = f"{URL}/2"
    changed = world.call("PUT", f"/v1/webhooks/{made['id']}", {"url": other, "state": "disabled"}).json_body
    assert (changed["url"], changed["description"], changed["state"]) == (other, "", "disabled")
    answer = world.call("POST", f"/v1/webhooks/{made['id']}/test")
    assert (answer.status_code, answer.json_body["code"]) == (409, "webhook_disabled")


def test_a_rotation_gives_another_secret_and_says_when(world: World) -> None:
    made = opened(world)
    rotated = world.call("POST", f"/v1/webhooks/{made['id']}/rotate-secret").json_body
    assert rotated["secret"] != made["secret"]
    assert rotated["secret_rotated_at"]
    assert webhooks.secrets_in_force(made["id"], world.now_ms()) == (rotated["secret"], made["secret"])


def test_a_deleted_webhook_is_gone_and_its_secret_too(world: World) -> None:
    made = opened(world)
    assert world.call("DELETE", f"/v1/webhooks/{made['id']}").status_code == 200
    assert world.call("DELETE", f"/v1/webhooks/{made['id']}").status_code == 404
    assert world.call("GET", "/v1/webhooks").json_body["data"] == []
    assert webhooks.secrets_of(made["id"]) is None


def test_a_test_event_is_delivered_read_and_replayed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHASQUI_WEBHOOKS_LOCAL", "1")
    settings.cache_clear()
    assert settings().webhooks_local  # read now: Chalice's client has an environment of its own
    with listening() as (echo, port):
        made = opened(world, url=f"http://127.0.0.1:{port}/hook", events=["message.received"])
        echo.know(made["secret"])
        told = world.call("POST", f"/v1/webhooks/{made['id']}/test")
        assert told.status_code == 202
        _pump(world)
        path = f"/v1/webhooks/{made['id']}/deliveries"
        (listed,) = world.call("GET", path).json_body["data"]
        assert (listed["state"], listed["attempts"], listed["type"]) == ("delivered", 1, "webhook.test")
        assert (listed["last_attempt"]["status"], listed["last_attempt"]["excerpt"]) == (200, "thank you")
        read = world.call("GET", f"{path}/{listed['id']}").json_body
        assert read["body"]["data"]["webhook"] == made["id"]
        assert world.call("POST", f"{path}/{listed['id']}/replay").json_body["state"] == "waiting"
        _pump(world)
        came = echo.received()
        assert [one["verified"] for one in came] == [True, True]
        assert came[0]["id"] == came[1]["id"] == listed["event_id"]


def _pump(world: World) -> None:
    records = queues.receive(queues.WEBHOOKS, wait_seconds=0)
    bundles = [bundle for record in records if isinstance(bundle := decode(record.body), WebhookBundle)]
    assert bundles
    deliver(bundles, world.now_ms())
    queues.delete_many(queues.WEBHOOKS, [record.handle for record in records])


def test_an_account_with_a_webhook_listens(world: World) -> None:
    from chalicelib.store import accounts

    opened(world)
    held = accounts.get(ACCOUNT.id)
    assert held is not None
    assert held.listens


def test_there_are_as_many_webhooks_as_there_may_be(world: World) -> None:
    for _ in range(MAX_ENDPOINTS):
        opened(world)
    answer = world.call("POST", "/v1/webhooks", {"url": URL})
    assert (answer.status_code, answer.json_body["code"]) == (409, "too_many")


def test_webhooks_are_nobody_elses(world: World) -> None:
    made = opened(world)
    other = world.customer(type(ACCOUNT)(id="acc_two", name="Two", created_ms=0), 0)
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/rotate-secret"),
        ("GET", f"/deliveries/{DELIVERY}"),
    ):
        assert world.call(method, f"/v1/webhooks/{made['id']}{path}", key=other).status_code == 404
    assert world.call("GET", "/v1/webhooks", key=other).json_body["data"] == []


BODIES: list[tuple[str, Any, str, str]] = [
    ("no JSON", b"{", "malformed_json", ""),
    ("null", b"null", "invalid_request", ""),
    ("no url", {}, "invalid_request", "/url"),
    ("a number for a url", {"url": 5}, "invalid_request", "/url"),
    ("an empty url", {"url": ""}, "invalid_request", "/url"),
    ("plain http", {"url": "http://customer.example/"}, "invalid_request", "/url"),
    ("a file", {"url": "file:///etc/passwd"}, "invalid_request", "/url"),
    ("a private address", {"url": "https://10.0.0.1/"}, "invalid_request", "/url"),
    ("the metadata service", {"url": "https://169.254.169.254/latest"}, "invalid_request", "/url"),
    ("loopback in IPv6", {"url": "https://[::1]/"}, "invalid_request", "/url"),
    ("a private address in IPv6's clothes", {"url": "https://[::ffff:10.0.0.1]/"}, "invalid_request", "/url"),
    ("localhost", {"url": "https://localhost/"}, "invalid_request", "/url"),
    ("user and password", {"url": "https://a:b@customer.example/"}, "invalid_request", "/url"),
    ("a line end", {"url": "https://customer.example/\r\nX: y"}, "invalid_request", "/url"),
    ("an endless url", {"url": "https://customer.example/" + "x" * 3_000}, "invalid_request", "/url"),
    ("no events", {"url": URL, "events": []}, "invalid_request", "/events"),
    ("an unknown event", {"url": URL, "events": ["message.read"]}, "invalid_request", "/events/0"),
    ("the test event", {"url": URL, "events": ["webhook.test"]}, "invalid_request", "/events/0"),
    ("a long description", {"url": URL, "description": "x" * 201}, "invalid_request", "/description"),
    ("an unknown field", {"url": URL, "secret": "mine"}, "invalid_request", "/secret"),
]


def test_a_rude_body_is_refused_by_its_code_and_changes_nothing(world: World) -> None:
    made = opened(world)
    for name, body, code, pointer in BODIES:
        for method, path in (("POST", "/v1/webhooks"), ("PUT", f"/v1/webhooks/{made['id']}")):
            told = world.call(method, path, body).json_body
            assert (name, told["code"]) == (name, code)
            assert [error["pointer"] for error in told["errors"]] == ([] if code == "malformed_json" else [pointer])
    (kept,) = world.call("GET", "/v1/webhooks").json_body["data"]
    assert kept["url"] == URL


IDS = ["x", "whk_", "whk_01K", NOBODYS, "whk_" + "I" * 26, "callbacks", "..", "whk_%00", f"{NOBODYS}x", "WHK_1", "-"]


DELIVERIES = [
    "x",
    DELIVERY,
    "01K0000000-",
    "-evt_1",
    "01K0000000-evt_" + "x" * 130,
    "%2e%2e",
    "01k-evt_1",
    "~",
    "*",
    "evt",
]
QUERIES = [
    "limit=0",
    "limit=101",
    "limit=x",
    "limit=",
    "limit=1.5",
    "cursor=x",
    "cursor=",
    "cursor=%00",
    "page=2",
    "limit=1&limit=2",
]


def test_what_is_not_there_is_not_found_whatever_it_is_called(world: World) -> None:
    made = opened(world)
    ways: list[tuple[str, str, Any]] = [
        (method, f"/v1/webhooks/{id_}{path}", body)
        for id_ in IDS
        for method, path, body in (
            ("GET", "", None),
            ("PUT", "", {"url": URL}),
            ("DELETE", "", None),
            ("POST", "/test", None),
            ("POST", "/rotate-secret", None),
        )
    ]
    ways += [
        (method, f"/v1/webhooks/{id_}/deliveries/{delivery}{path}", None)
        for delivery in DELIVERIES
        for method, path in (("GET", ""), ("POST", "/replay"))
        for id_ in (made["id"], "callbacks")
    ]
    for method, path, body in ways:
        answer = world.call(method, path, body)
        assert (path, answer.status_code, answer.json_body["code"]) == (path, 404, "not_found")


def test_a_rude_query_is_refused(world: World) -> None:
    path = f"/v1/webhooks/{opened(world)['id']}/deliveries"
    for query in QUERIES:
        assert world.call("GET", f"{path}?{query}").json_body["code"] in {"invalid_request", "invalid_cursor"}, query


def test_a_callback_needs_a_webhook_whose_secret_signs(world: World) -> None:
    answer = world.send({"callback_url": URL})
    assert (answer.status_code, answer.json_body["code"]) == (409, "webhooks_off")
    opened(world)
    cached.forget_all()
    assert world.send({"callback_url": URL}).status_code == 202


CALLBACKS: list[Any] = [
    "http://customer.example/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://localhost/",
    "nonsense",
    "https://",
    "https://a:b@c.example/",
    "https://c.example/ x",
    "https://c.example/" + "x" * 2_000,
    5,
    "",
]


def test_a_rude_callback_is_refused_and_nothing_is_sent(world: World) -> None:
    opened(world)
    before = world.written()
    for url in CALLBACKS:
        told = world.send({"to": NUMBER, "callback_url": url}).json_body
        assert (url, told["code"]) == (url, "invalid_request")
        assert [error["pointer"] for error in told["errors"]] == ["/callback_url"]
    assert world.written() == before
