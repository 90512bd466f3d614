"""Webhooks and inbound messages through the packaged functions, to a customer's server that listens here."""

import time
from collections.abc import Sequence
from typing import Any, Final

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.content import Content, Segment
from chalicelib.domain.inbound import inbound_id
from chalicelib.domain.refusals import refusal
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.webhook_event import of_test
from infra.local.echo import Echo, listening
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import CHARGE, GATEWAY, SETTLE, SHELVE, Journey
from tests.packaging.upkeep import EVENT

RECEIVE: Final = "functions.inbound.receive"
DELIVER: Final = "functions.webhooks.deliver"
DELIVER_SLOWLY: Final = "functions.webhooks.deliver_slowly"
SEND_DUE: Final = "functions.webhooks.send_due_webhooks"
ON_QUEUES: Final = {RECEIVE: "inbound", DELIVER: "webhooks", DELIVER_SLOWLY: "webhooks-slow"}
SCHEDULES: Final = {SEND_DUE: "cron(* * * * ? *)"}
PERSON: Final = "+34600000009"
CODE: Final = "12345"
LOGIN: Final = "acme"


def tell(journey: Journey, cloud: Cloud, admin: str, key: str) -> list[dict[str, Any]]:
    """Every way of an event and of an inbound message; what the customer's server got."""
    with listening() as (echo, port):
        url = f"http://127.0.0.1:{port}"
        (own,) = journey.call(key, ("GET", "/v1/account", None))
        path = f"/v1/admin/accounts/{own['id']}"
        (held,) = journey.call(admin, ("GET", path, None))
        journey.call(admin, ("PUT", path, {"name": "Acme", "version": held["version"], "messages_per_second": 50}))
        hooks = _opened(journey, cloud, key, url)
        _number(journey, admin, own["id"])
        _refuse_and_end(journey, cloud, key, own["id"])
        _write(journey, cloud)
        _deliver(journey, cloud, own["id"], hooks)
        _read(journey, admin, key, hooks, echo)
        _resurrect(journey, cloud, admin)
        return echo.received()


def _opened(journey: Journey, cloud: Cloud, key: str, url: str) -> dict[str, str]:
    """Webhooks by what their server does; the lazy ones go by the slow lane."""
    paths = {
        "quick": "",
        "lazy": "",
        "failing": "?status=500",
        "gone": "?status=410",
        "gone-lazy": "?status=410",
        "busy": "?status=429&retry_after=3600",
        "busy-lazy": "?status=429&retry_after=3600",
    }
    kinds = {name: {} if name in ("quick", "lazy") else {"events": ["message.canceled"]} for name in paths}
    made = journey.call(
        key, *(("POST", "/v1/webhooks", {"url": f"{url}/{path}", **kinds[name]}) for name, path in paths.items())
    )
    hooks = {name: one["id"] for name, one in zip(paths, made, strict=True)}
    _slow(cloud, hooks["lazy"])
    for name in ("failing", "busy-lazy"):  # of a day ago: the customer is told by mail
        _has_failed(cloud, hooks[name])
    return hooks


def _has_failed(cloud: Cloud, endpoint: str) -> None:
    since = {"failing_since_ms": {"N": str(_now_ms() - 2 * 86_400_000)}}
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-webhook_health", Item={"endpoint": {"S": endpoint}, **since})


def _slow(cloud: Cloud, endpoint: str) -> None:
    cloud.client("dynamodb").put_item(
        TableName=f"{PREFIX}-webhook_health",
        Item={"endpoint": {"S": endpoint}, "slow_until_ms": {"N": str(_now_ms() + 3_600_000)}},
    )


def _number(journey: Journey, admin: str, account: str) -> None:
    keyword = {"word": "hola", "account": account, "reply": "Buenas.", "login": LOGIN}
    journey.call(
        admin,
        ("POST", f"/v1/admin/accounts/{account}/smpp-logins", {"system_id": LOGIN, "name": "Acme"}),
        ("POST", "/v1/admin/numbers", {"number": CODE, "account": account, "keywords": [keyword]}),
        ("POST", "/v1/admin/numbers", {"number": "54321", "account": account}),
        ("GET", "/v1/admin/numbers", None),
        ("GET", "/v1/admin/numbers/sc-54321", None),
        ("PUT", "/v1/admin/numbers/sc-54321", {"version": 1, "account": account, "reply": "Yes?"}),
        ("DELETE", "/v1/admin/numbers/sc-54321", None),
    )


def _refuse_and_end(journey: Journey, cloud: Cloud, key: str, account: str) -> None:
    """A message that charge refuses, and one whose end settle hears of, with what somebody wrote."""
    content = Content(
        to=PERSON,
        country="ES",
        sender="Acme",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=_now_ms() + 3_600_000,
        text="Hello",
    )
    draft = wire.Draft(id=ids.new_message_id(_now_ms()), at_ms=_now_ms(), content=content)
    refused = wire.Routed(draft=draft, refusal=refusal("no_route"))
    bundle = wire.RoutedBundle(id=ids.bundle_of_single(draft.id), account=account, messages=(refused,))
    cloud.send("billing", wire.encode(bundle))
    assert journey.run(CHARGE, cloud.receive("billing")).failures == []
    cloud.take_all("billing")
    (sent,) = journey.call(key, ("POST", "/v1/messages", {"to": PERSON, "from": "Acme", "text": "Hello"}))
    cloud.take_all("accepted")
    end = wire.EndOutcome(
        account=account, message=sent["id"], at_ms=_now_ms(), gateway=GATEWAY, status=Status.FAILED, refundable=False
    )
    journey.tell(end, _written("hola"))
    assert journey.run(SETTLE, cloud.receive("outcomes")).failures == []
    cloud.take_all("outcomes")


def _write(journey: Journey, cloud: Cloud) -> None:
    """A greeting, a wish to be left alone, a long message whose reference comes again, and half of one."""
    cut = [_written(text, Segment(7, 2, number)) for number, text in ((1, "una "), (2, "y dos"), (1, "otra"))]
    bundle = wire.InboundBundle(id="1", came=(_written("STOP"), *cut))
    cloud.send("inbound", wire.encode(bundle))
    cloud.send("inbound", "no bundle")
    event = cloud.receive("inbound")
    assert len(event["Records"]) == 3  # and what settle handed on
    assert journey.run(RECEIVE, event, event).failures == []
    cloud.take_all("inbound")
    assert len(cloud.take_all("accepted")) >= 2  # the answer, and what confirms the wish


def _deliver(journey: Journey, cloud: Cloud, account: str, hooks: dict[str, str]) -> None:
    """What waits, and events for servers that are gone, busy, failing, or slow on the wrong lane."""
    lanes = (
        (DELIVER, ("failing", "gone", "busy", "busy-lazy", "lazy")),
        (DELIVER_SLOWLY, ("failing", "gone-lazy")),
    )
    for handler, names in lanes:
        queue = ON_QUEUES[handler]
        for name in names:
            event = of_test(hooks[name], f"{name}-{queue}", _now_ms())
            bundle = wire.WebhookBundle(id=name, account=account, endpoint=hooks[name], events=(event,))
            cloud.send(queue, wire.encode(bundle))
        cloud.send(queue, "no bundle")
        while (came := cloud.receive(queue))["Records"]:
            assert journey.run(handler, came).failures == []
        cloud.take_all(queue)
    _slow(cloud, hooks["busy-lazy"])
    _make_due(cloud)
    assert journey.run(SEND_DUE, EVENT).failures == []
    for queue in ("webhooks", "webhooks-slow"):
        assert cloud.take_all(queue)  # what was due, and what failed a moment ago


def _make_due(cloud: Cloud) -> None:
    table = f"{PREFIX}-webhook_deliveries"
    dynamodb = cloud.client("dynamodb")
    waiting = [item for item in dynamodb.scan(TableName=table)["Items"] if "due_ms" in item]
    assert len(waiting) == 2
    for item in waiting:
        dynamodb.update_item(
            TableName=table,
            Key={"log": item["log"], "event": item["event"]},
            UpdateExpression="SET due_ms = :now",
            ExpressionAttributeValues={":now": {"N": str(_now_ms())}},
        )


def _read(journey: Journey, admin: str, key: str, hooks: dict[str, str], echo: Echo) -> None:
    """What the customer and the administrator look at and do."""
    quick, lazy = (f"/v1/webhooks/{hooks[name]}" for name in ("quick", "lazy"))
    (listed,) = journey.call(key, ("GET", f"{quick}/deliveries", None))
    delivery = f"{quick}/deliveries/{listed['data'][0]['id']}"
    inbound, *_ = journey.call(
        key,
        ("GET", "/v1/inbound", None),
        ("GET", "/v1/webhooks", None),
        ("GET", quick, None),
        ("GET", delivery, None),
        ("POST", f"{delivery}/replay", None),
        ("POST", f"{quick}/test", None),
        ("POST", f"{lazy}/test", None),
        ("POST", f"{quick}/rotate-secret", None),
        ("PUT", quick, {"url": echo.received()[0]["headers"]["host"].join(("http://", "/new"))}),
        ("DELETE", lazy, None),
    )
    journey.call(key, ("GET", f"/v1/inbound/{inbound['data'][0]['id']}", None))
    journey.call(admin, ("GET", "/v1/admin/inbound", None))


def _resurrect(journey: Journey, cloud: Cloud, admin: str) -> None:
    """What was no bundle is sent again to the queues that it lay on."""
    assert journey.run(SHELVE, cloud.receive("dead")).failures == []
    cloud.take_all("dead")
    (listed,) = journey.call(admin, ("GET", "/v1/admin/dead-letters", None))
    paths = [f"/v1/admin/dead-letters/{letter['id']}" for letter in listed["data"]]
    again = journey.call(admin, *(("POST", f"{path}/resend", None) for path in paths))
    assert {letter["queue"] for letter in again} >= set(ON_QUEUES.values())


def _written(text: str, segment: Segment | None = None) -> wire.InboundOutcome:
    return wire.InboundOutcome(
        id=inbound_id(_now_ms(), text),
        at_ms=_now_ms(),
        gateway=GATEWAY,
        sender=PERSON,
        recipient=CODE,
        octets=text.encode(),
        coding=0,
        segment=segment,
    )


def told(received: Sequence[dict[str, Any]]) -> set[str]:
    """The types of the events that the customer's server got."""
    return {one["body"]["type"] for one in received}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
