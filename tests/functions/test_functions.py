"""The queue functions as Lambda calls them: from an accepted message to its receipt, and each record twice."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.domain.status import Status
from chalicelib.store import queues, rules
from functions import billing, delivery, routing
from functions.records import RecordsFailed
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS

REPOSITORY = Path(__file__).parents[2]
Handler = Callable[[dict[str, Any], object], None]
FAR_MS = 4_000_000_000_000  # the functions' clock is the real one


def event(*bundles: wire.Bundle) -> dict[str, Any]:
    told = [
        {"messageId": str(number), "receiptHandle": str(number), "body": wire.encode(bundle)}
        for number, bundle in enumerate(bundles)
    ]
    return {"Records": told}


def published() -> None:
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    route = Route(id="rte_1", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS)
    rules.publish([gateway], [route], [], by="test", note="", now_ms=NOW_MS)


@pytest.mark.usefixtures("aws")
def test_an_accepted_message_is_routed_charged_and_settled_though_each_step_runs_twice() -> None:
    world.open_account()
    published()
    draft = world.draft(valid_until_ms=FAR_MS)
    accepted = wire.AcceptedBundle(id=ids.bundle_of_single(draft.id), account=ACCOUNT, messages=(draft,))
    for _ in range(2):
        routing.route(event(accepted), None)
    routed = world.waiting(queues.BILLING)
    assert len(routed) == 2
    for _ in range(2):
        billing.charge(event(*routed), None)
    assert world.balance() == world.ledger_sum() == 9 * PRICE_MICROS
    assert {bundle.id for bundle in world.waiting(f"gateway-{GATEWAY}")} == {accepted.id}

    news = world.outcomes(world.submitted(draft.id, "A1"), world.receipt("A1"))
    for _ in range(2):
        delivery.settle(event(news), None)
    assert world.status(draft.id) is Status.DELIVERED
    assert world.balance() == world.ledger_sum() == 9 * PRICE_MICROS


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("handler", [routing.route, billing.charge, delivery.settle])
def test_a_record_that_is_no_bundle_is_dead_at_once(handler: Handler) -> None:
    handler({"Records": [{"messageId": "1", "receiptHandle": "1", "body": "{}"}]}, None)
    (record,) = queues.receive(queues.DEAD, wait_seconds=0)
    assert record.body == "{}"


@pytest.mark.usefixtures("aws")
def test_a_poisoned_bundle_does_not_stop_its_neighbour() -> None:
    world.open_account()
    draft = world.draft(valid_until_ms=FAR_MS)
    unrouted = wire.RoutedBundle(id="X", account=ACCOUNT, messages=(wire.Routed(draft=world.draft()),))
    with pytest.raises(RecordsFailed, match="1 of 2"):
        billing.charge(event(unrouted, world.routed(draft)), None)
    assert world.status(draft.id) is Status.QUEUED


@pytest.mark.parametrize("function", ["routing", "billing", "delivery", "inbound", "dead_letters", "webhooks"])
def test_a_function_imports_nothing_of_the_api_and_opens_nothing(function: str) -> None:
    probe = (
        "import sys, time; began = time.perf_counter()\n"
        f"import functions.{function}\n"
        "print(round((time.perf_counter() - began) * 1000))\n"
        "from chalicelib.store import aws\n"
        "assert not aws._client.cache_info().currsize, 'a client at import'\n"
        "heavy = {'app', 'phonenumbers', 'pyuegc', 'chalicelib.api', 'chalice.cli', 'smpplib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    told = subprocess.run([sys.executable, "-c", probe], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    sys.stdout.write(f"functions.{function}: cold import {told.stdout.strip()} ms\n")
