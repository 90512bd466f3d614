"""Managing gateways and what waits there through the packaged functions: steered, watched, moved, purged, swept."""

import time
from typing import Final

import msgspec

from chalicelib import wire
from chalicelib.domain.content import Content
from chalicelib.domain.text import Encoding
from chalicelib.domain.waiting_order import WaitingOrder
from chalicelib.store.dispatches import DispatchTable
from chalicelib.store.waiting_orders import OrderTable
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import GATEWAY, GATEWAY_BODY, Journey
from tests.packaging.upkeep import EVENT

SWEEP: Final = "functions.waiting.sweep"
SCHEDULES: Final = {SWEEP: "cron(* * * * ? *)"}
SPARE: Final = "spare"
HOUR_MS: Final = 3_600_000


def manage(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """A gateway that is paused and goes on, what waits there, one of which a bridge has begun with, its customer."""
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    _steer(journey, admin)
    for queue in (f"gateway-{GATEWAY}", f"gateway-{GATEWAY}-bulk", "outcomes"):
        cloud.take_all(queue)  # what others left there
    _leave_waiting(cloud, own["id"], "begun")
    _leave_waiting(cloud, own["id"], "waits")
    at = f"/v1/admin/gateways/{GATEWAY}/waiting"
    moved, *_ = journey.call(
        admin,
        ("POST", f"{at}/move", {"to": SPARE, "account": own["id"], "why": "a test"}),
        ("POST", f"/v1/admin/gateways/{SPARE}/waiting/purge", {"why": "a test"}),
        ("GET", at, None),
    )
    _order_of_long_ago(cloud)
    assert journey.run(SWEEP, EVENT).failures == []
    (told,) = journey.call(admin, ("GET", f"{at}/{moved['id']}", None))
    assert (told["state"], told["messages"]) == ("open", 1)
    left = [len(cloud.take_all(f"gateway-{gateway}")) for gateway in (SPARE, GATEWAY)]
    assert left == [1, 1]
    assert len(journey.outcomes()) == 1
    path = f"/v1/admin/accounts/{own['id']}"
    journey.call(
        admin,
        ("DELETE", f"{at}/{moved['id']}", None),
        ("GET", "/v1/admin/queues", None),
        ("GET", "/v1/admin/queues/smpp-logins", None),
        ("GET", "/v1/admin/queues/accounts", None),
        ("GET", "/v1/admin/queues/jobs", None),
        ("GET", f"{path}/routes", None),
        ("POST", f"{path}/credits", {"amount": "-0.01", "why": "too much"}),
        ("DELETE", f"/v1/admin/gateways/{SPARE}", None),
    )


def _steer(journey: Journey, admin: str) -> None:
    at = f"/v1/admin/gateways/{GATEWAY}"
    paused, *_, state = journey.call(
        admin,
        ("POST", f"{at}/pause", None),
        ("POST", "/v1/admin/gateways", GATEWAY_BODY | {"id": SPARE}),
        ("POST", "/v1/admin/rules/publish", {"note": "a spare one"}),
        ("POST", f"{at}/resume", None),
        ("GET", f"{at}/state", None),
    )
    assert (paused["state"], state["state"], state["bridges"]) == ("paused", "active", 0)


def _leave_waiting(cloud: Cloud, account: str, name: str) -> None:
    """A record at the gateway; that of the name `begun` a bridge has claimed."""
    now_ms = time.time_ns() // 1_000_000
    content = Content(
        to="+34600000000",
        country="ES",
        sender="Acme",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=now_ms + HOUR_MS,
        text="Hello",
    )
    message = wire.Dispatch(id=f"msg_{name}", content=content)
    bundle = wire.DispatchBundle(id=name, account=account, gateway=GATEWAY, messages=(message,), since_ms=1)
    cloud.send(f"gateway-{GATEWAY}", wire.encode(bundle))
    if name == "begun":
        claim = DispatchTable(name, by="bridge_1", at_ms=now_ms, expires=now_ms)
        cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-dispatches", Item=claim.serialize())


def _order_of_long_ago(cloud: Cloud) -> None:
    """For a gateway where nothing is: the sweep closes it."""
    at_ms = time.time_ns() // 1_000_000 - HOUR_MS
    order = WaitingOrder(id="ord_old", gateway=SPARE, deed="purge", at_ms=at_ms, by="test")
    body = msgspec.json.encode(order).decode()
    row = OrderTable("ord_old", gateway=SPARE, body=body, open="open", state="open", expires=at_ms)
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-waiting_orders", Item=row.serialize())
