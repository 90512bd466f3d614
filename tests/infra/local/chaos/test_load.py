"""The load of a chaos run: all of it follows from the seed, and what counts as accepted is on the queue."""

import functools
import json
from typing import Any

import httpx
import pytest

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.store import aws, queues, rules
from chalicelib.wire import MAX_BUNDLE_MESSAGES, AcceptedBundle
from infra.local.card import Keys
from infra.local.chaos.load import GATEWAYS, PRICE_MICROS, Customer, Load, open_customers
from infra.local.chaos.plan import Size
from infra.local.children import RunFailed
from infra.local.place import place
from tests.chalicelib.api.world import World
from tests.chalicelib.services import world

pytestmark = pytest.mark.usefixtures("aws")
SIZE = Size(messages=300, kills=2, cuts=2, spells=0)  # 30 a second
CUSTOMERS = [
    Customer(Account(id=f"acc_{gateway}", name=gateway, created_ms=0, shards=4), gateway) for gateway in GATEWAYS
]


def sent_by(seed: str, messages: int = 600) -> tuple[Load, list[AcceptedBundle]]:
    """A load that is over, and what is on ⟨accepted⟩ of it."""
    load = Load(seed, messages, CUSTOMERS)
    while not load.over:
        load.send_some()
    return load, [one for one in world.waiting(queues.ACCEPTED) if isinstance(one, AcceptedBundle)]


def said(bundles: list[AcceptedBundle]) -> list[Any]:
    """What was sent, but for ids and times."""
    return sorted(
        (one.account, message.content.to, message.content.text, message.content.priority)
        for one in bundles
        for message in one.messages
    )


def test_what_is_accepted_is_on_the_queue_in_bundles_and_known_by_message() -> None:
    load, bundles = sent_by("1644")
    on_queue = {
        (message.id, message.content.to, message.content.parts, message.content.priority, one.account, one.id)
        for one in bundles
        for message in one.messages
    }
    assert on_queue == {(one.id, one.to, one.parts, one.priority, one.account, one.bundle) for one in load.sent}
    assert len(load.sent) == len(on_queue) == 600
    assert all(one.account == f"acc_{one.gateway}" for one in load.sent)
    sizes = {len(one.messages) for one in bundles}
    assert 1 in sizes
    assert 10 <= max(sizes) <= MAX_BUNDLE_MESSAGES
    alone = [one for one in bundles if len(one.messages) == 1]
    assert all(one.id == ids.bundle_of_single(one.messages[0].id) for one in alone)  # as accept names it
    assert {one.parts for one in load.sent} == {1, 2, 3}


def test_the_same_seed_sends_the_same_and_another_one_something_else() -> None:
    assert said(sent_by("7")[1]) == said(sent_by("7")[1]) != said(sent_by("8")[1])


def test_a_bundle_that_sqs_refused_does_not_count_as_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any) -> None:
        raise ConnectionError

    load = Load("7", 100, CUSTOMERS)
    with monkeypatch.context() as patched:
        patched.setattr(queues, "send", refuses)
        with pytest.raises(ConnectionError):
            load.send_some()
    assert load.sent == []
    while not load.over:
        load.send_some()
    assert len({one.to for one in load.sent}) == len(load.sent) == 100


def through(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead what goes out over HTTP to the app in this process."""

    def answer(request: httpx.Request) -> httpx.Response:
        key = request.headers["authorization"].removeprefix("Bearer ")
        told = api.call(request.method, request.url.path, json.loads(request.content), key=key)
        return httpx.Response(told.status_code, content=told.body)

    monkeypatch.setattr(httpx, "Client", functools.partial(httpx.Client, transport=httpx.MockTransport(answer)))


def test_each_setting_has_a_gateway_and_each_of_its_accounts_a_route_to_it_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = World()
    through(api, monkeypatch)
    opened = open_customers(place(), Keys("", "", "", api.admin), SIZE)
    assert sorted(one.gateway for one in opened) == sorted([*GATEWAYS, *GATEWAYS])
    assert {one.account.refund_policy for one in opened} == {"rejected", "not_delivered"}
    in_force = rules.current(World.now_ms())
    settings = {one.id: one.unanswered for one in in_force.gateways if one.id in GATEWAYS}
    assert settings == GATEWAYS
    together = sum(one.messages_per_second for one in in_force.gateways if one.id in GATEWAYS)
    assert together == pytest.approx(90.0)  # it catches up after what went wrong
    ways = {one.account: one for one in in_force.routes if one.account}
    for one in opened:
        way = ways[one.account.id]
        assert ([target.gateway for target in way.targets], way.price_micros) == ([one.gateway], PRICE_MICROS)
        queue = aws.client("sqs").get_queue_url(QueueName=queues.url(f"gateway-{one.gateway}").rpartition("/")[2])
        assert queue["QueueUrl"]


def test_a_platform_that_refuses_the_customers_ends_the_run_with_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    api = World()
    through(api, monkeypatch)
    with pytest.raises(RunFailed, match=r"POST gateways: 40[13]"):
        open_customers(place(), Keys("", "", "", api.live), SIZE)
