"""Thirty-two charges of one account at once: each goes through once, however often they get in each other's way."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from chalicelib import wire
from chalicelib.domain import facts as facts_of_messages
from chalicelib.domain.facts import Queued
from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.store import aws, dynamo, usage
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")
PARALLEL: Final = 32


class Contended:
    """Puts into moto what it lacks: of two transactions on an item at one time DynamoDB cancels one.

    All other requests come one after the other: moto takes back what happened beside a transaction that it cancels.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conflicts = 0
        self._wallet = Lock()
        self._moto = Lock()
        client = aws.client("dynamodb")
        self._real: Callable[..., Any] = client._make_api_call
        monkeypatch.setattr(client, "_make_api_call", self._call)

    def _call(self, operation: str, parameters: dict[str, Any]) -> Any:
        if operation != "TransactWriteItems":
            with self._moto:
                return self._real(operation, parameters)
        if not self._wallet.acquire(blocking=False):
            self.conflicts += 1
            raise _conflict(len(parameters["TransactItems"]))
        try:
            time.sleep(0.002)  # as long as a transaction holds its items on AWS, so that others meet it
            with self._moto:
                return self._real(operation, parameters)
        finally:
            self._wallet.release()


def _conflict(items: int) -> ClientError:
    """What boto3 raises of a transaction whose last item another one has in hand."""
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
        "CancellationReasons": [{"Code": "None"}] * (items - 1) + [{"Code": "TransactionConflict", "Message": "met"}],
    }
    return ClientError(answer, "TransactWriteItems")


@pytest.fixture
def contended(monkeypatch: pytest.MonkeyPatch) -> Contended:
    world.open_account(credit_micros=(PARALLEL - 10) * PRICE_MICROS)
    return Contended(monkeypatch)


def at_once(bundles: list[wire.RoutedBundle]) -> int:
    """Charge them all in parallel, those that met too many others again, as their queue does; how many those were."""
    together = Barrier(len(bundles))

    def one(bundle: wire.RoutedBundle) -> int:
        together.wait()
        for again in range(10):
            try:
                charge([bundle], NOW_MS)
            except dynamo.Overloaded:
                continue
            return again
        raise AssertionError("ten times overloaded")

    with ThreadPoolExecutor(len(bundles)) as pool:
        return sum(pool.map(one, bundles))


def test_thirty_two_at_once_are_charged_once_each_as_far_as_the_credit_goes(
    contended: Contended, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles = [world.routed(world.draft()) for _ in range(PARALLEL)]
    began = time.perf_counter()
    overloaded = at_once(bundles)
    seconds = time.perf_counter() - began
    figures = f"{contended.conflicts} conflicts, {overloaded} given back, {seconds:.2f} s"
    with capsys.disabled():
        print(f"\n{PARALLEL} charges at once: {figures}")  # noqa: T201 - a figure to read

    assert contended.conflicts > PARALLEL / 2, "they did not meet"
    told = [world.facts(bundle.messages[0].draft.id) for bundle in bundles]
    assert all(sum(isinstance(fact, Queued | facts_of_messages.Final) for fact in facts) == 1 for facts in told)
    paid = [fact.charge_micros for facts in told for fact in facts if isinstance(fact, Queued)]
    assert paid == [PRICE_MICROS] * (PARALLEL - 10)
    assert world.balance() == world.ledger_sum() == 0
    assert sum(line.credits_micros for line in usage.month(ACCOUNT, "2025-10")) == sum(paid)


def test_one_bundle_thirty_two_times_at_once_is_charged_once(contended: Contended) -> None:
    drafts = [world.draft(), world.draft(parts=2)]
    at_once([world.routed(*drafts)] * PARALLEL)
    assert world.balance() == world.ledger_sum() == (PARALLEL - 10 - 3) * PRICE_MICROS
    assert {world.status(draft.id) for draft in drafts} == {Status.QUEUED}
    assert len({bundle.id for bundle in world.waiting(f"gateway-{world.GATEWAY}")}) == 1


def test_who_met_another_waits_for_a_while_of_chance_that_grows_and_then_leaves_it_to_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.open_account()
    spans: list[tuple[float, float]] = []

    def noted(low: float, high: float) -> float:
        spans.append((low, high))
        return 0.0

    def always(operation: str, parameters: dict[str, Any]) -> Any:
        raise _conflict(len(parameters["TransactItems"]))

    monkeypatch.setattr(random, "uniform", noted)
    monkeypatch.setattr(aws.client("dynamodb"), "_make_api_call", always)
    with pytest.raises(dynamo.Overloaded):
        charge([world.routed(world.draft())], NOW_MS)
    assert {low for low, _ in spans} == {0}
    highs = [high for _, high in spans]
    assert highs == sorted(highs)
    assert len(set(highs)) >= 5
    assert 1 < sum(highs) < 4  # in the worst case: well within a function's timeout
