"""Function × number of AWS call: wherever a run ends, or is overtaken, the record's next delivery makes it good."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import botocore.endpoint
import pytest
from moto.core.botocore_stubber import BotocoreStubber

from chalicelib.store import queues
from functions import billing, delivery, routing
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, OTHER_GATEWAY, PRICE_MICROS
from tests.conftest import empty_aws
from tests.functions import scenarios
from tests.functions.lambda_runs import Event, Function
from tests.functions.scenarios import SCENARIOS, Scenario, Story
from tests.snapshots import Snapshot, put_back, take

pytestmark = pytest.mark.usefixtures("environment")
LATER_MS: Final = NOW_MS + 60_000  # when SQS delivers the record again
MUCH_LATER_MS: Final = NOW_MS + 30 * 60_000
BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}
# Each function's AWS calls in their order, for its scenario and in a new process.
CALLS: Final = {
    "route": "ListObjectsV2 GetObject GetItem GetItem GetItem GetItem "  # rules, accounts, whether there are lists
    "GetQueueUrl SendMessageBatch "
    "GetQueueUrl SendMessage GetQueueUrl DeleteMessageBatch",  # the batch's poison goes with the dead letters
    "charge": "TransactWriteItems TransactWriteItems TransactWriteItems TransactWriteItems "  # the poor one's twice
    "GetItem GetItem GetItem GetItem BatchWriteItem "  # retentions, whether texts are kept, facts
    "GetQueueUrl SendMessageBatch GetQueueUrl SendMessageBatch "  # the gateway's queues: normal, bulk
    "GetItem "  # whether anybody is told of an end
    "GetQueueUrl SendMessage GetQueueUrl DeleteMessageBatch",
    "settle": "BatchWriteItem BatchGetItem GetItem BatchWriteItem "  # pointers, receipts' messages, retention, facts
    "Query BatchGetItem "  # the two parts' receipts, and how was charged what has ended
    "TransactWriteItems BatchWriteItem "  # the ends, counted and noted
    "TransactWriteItems BatchWriteItem "  # two refunds
    "GetQueueUrl SendMessage "  # a receipt of nobody is parked
    "GetQueueUrl SendMessage DeleteMessageBatch",
    "visit": "GetItem Query "  # an account, its messages of the window
    "GetQueueUrl GetQueueAttributes GetQueueUrl GetQueueAttributes SendMessageBatch "  # a lost one, if there is room
    "BatchGetItem GetQueueUrl SendMessageBatch "  # an overdue one, by whether a bridge had it
    "ListObjectsV2 GetObject "  # how long messages may wait at their gateways
    "GetItem Query "  # the next account
    "GetQueueUrl SendMessage GetQueueUrl DeleteMessageBatch",
    "shelve": "UpdateItem UpdateItem",
}
RULES_ARE_READ: Final = frozenset({"ListObjectsV2", "GetObject"})
NAMES_ARE_READ: Final = frozenset({"GetQueueUrl"})
READS: Final = RULES_ARE_READ | NAMES_ARE_READ | {"GetItem", "Query", "BatchGetItem", "GetQueueAttributes"}


def table(*, leave_out: frozenset[str] = frozenset(), warm: bool = False) -> list[Any]:
    """Scenario and number of call, a row each; a warm process has read the rules already."""
    return [
        pytest.param(BY_NAME[name], at, id=f"{name}-{at:02}-{call}")
        for name, calls in CALLS.items()
        for at, call in enumerate((call for call in calls.split() if not (warm and call in RULES_ARE_READ)), start=1)
        if call not in leave_out
    ]


@cache
def prepared(scenario: Scenario) -> tuple[Snapshot, Event]:
    """The world that the scenario prepares, with the function's event received."""
    with empty_aws(), pytest.MonkeyPatch.context() as monkeypatch:
        scenario.prepare()
        function = Function(scenario.handler, scenario.queue, monkeypatch)
        event = function.event(*scenario.bundles, poison=scenario.poison)
        return take(), event


@contextmanager
def new_world(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, held: Snapshot | None = None
) -> Iterator[tuple[Function, Event]]:
    """The function and its event, in the world that the scenario prepares, or in what is held of it."""
    before, event = prepared(scenario)
    with empty_aws():
        put_back(held or before)
        yield Function(scenario.handler, scenario.queue, monkeypatch), event


@cache
def undisturbed(scenario: Scenario, now_ms: int) -> Story:
    """What the world tells after one run without a fault."""
    with pytest.MonkeyPatch.context() as monkeypatch, new_world(scenario, monkeypatch) as (function, event):
        function.run_cold(event, now_ms)
        return scenario.story()


@cache
def ends(scenario: Scenario) -> list[Snapshot]:
    """The worlds that a run leaves behind which ends before its first call, its second, and so on."""
    with pytest.MonkeyPatch.context() as monkeypatch, new_world(scenario, monkeypatch) as (function, event):
        return function.run_looked_at(event, NOW_MS)


def assert_undisturbed(told: Story, scenario: Scenario, *instants_ms: int) -> None:
    """Each bundle's chapter is as a run without a fault tells it that was at one of the instants; so are the sums."""
    expected = [undisturbed(scenario, now_ms) for now_ms in instants_ms]
    assert set(told) == set(expected[0])
    for chapter, lines in told.items():
        assert lines in [story[chapter] for story in expected], f"{scenario.name}: bundle {chapter or 'sums'}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=BY_NAME)
def test_the_table_names_every_call(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    with new_world(scenario, monkeypatch) as (function, event):
        made = function.run_cold(event, NOW_MS)
    assert made == CALLS[scenario.name].split(), "the function calls AWS otherwise than CALLS says: correct CALLS"


@pytest.mark.parametrize(("scenario", "at"), table())
def test_a_run_that_ends_before_a_call_is_made_good_by_the_next(
    scenario: Scenario, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a call is after the one before it: what the process knew is gone, what AWS did stands."""
    undisturbed(scenario, NOW_MS), undisturbed(scenario, LATER_MS)
    with new_world(scenario, monkeypatch, ends(scenario)[at - 1]) as (function, event):
        function.run_cold(event, LATER_MS)
        assert_undisturbed(scenario.story(), scenario, NOW_MS, LATER_MS)


@pytest.mark.parametrize(("scenario", "at"), table(leave_out=READS))
def test_a_call_that_aws_did_without_an_answer_is_done_again_and_changes_nothing(
    scenario: Scenario, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed(scenario, NOW_MS)
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
    with new_world(scenario, monkeypatch) as (function, event):
        function.run_unanswered(event, NOW_MS, at)
        assert_undisturbed(scenario.story(), scenario, NOW_MS)


@pytest.mark.parametrize(("scenario", "at"), table(leave_out=NAMES_ARE_READ, warm=True))
def test_a_run_that_is_overtaken_at_a_call_by_another_of_the_same_record_changes_nothing(
    scenario: Scenario, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed(scenario, NOW_MS)
    with new_world(scenario, monkeypatch) as (function, event):
        function.run_overtaken(event, NOW_MS, at)
        assert_undisturbed(scenario.story(), scenario, NOW_MS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=BY_NAME)
def test_runs_that_each_come_one_call_further_and_one_more_after_the_last_end_like_one(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed(scenario, NOW_MS)
    with new_world(scenario, monkeypatch) as (function, event):
        at = 1
        while function.run_killed(event, NOW_MS, at):
            at += 1
        assert at > 2  # a later run may find done what an earlier one did, and make fewer calls
        function.run_cold(event, NOW_MS)
        assert_undisturbed(scenario.story(), scenario, NOW_MS)


@pytest.mark.parametrize("at", range(2, len(CALLS["charge"].split()) + 1))
def test_where_routes_change_between_the_end_of_a_run_and_the_next_the_first_decision_that_charged_stands(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The accepted record comes again too, is routed by the new rules, and meets charge before the old one does."""
    charge, repriced = BY_NAME["charge"], scenarios.REPRICED
    as_first, as_changed = undisturbed(charge, NOW_MS), undisturbed(repriced, LATER_MS)
    with new_world(charge, monkeypatch, ends(charge)[at - 1]) as (function, event):
        bound = scenarios.bundles_in_ledger()
        function.run_cold(function.event(*repriced.bundles), LATER_MS)
        function.run_cold(event, LATER_MS)
        told = charge.story()
        scenarios.assert_money_adds_up()
    del told[""]
    assert told == {bundle: (as_first if bundle in bound else as_changed)[bundle] for bundle in told}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=BY_NAME)
def test_two_runs_of_the_same_record_in_parallel_change_nothing(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed(scenario, NOW_MS)
    _let_moto_take_turns(monkeypatch)
    with new_world(scenario, monkeypatch) as (function, event):
        start, failed = threading.Barrier(2), []

        def run() -> None:
            start.wait()
            try:
                function.run(event, NOW_MS)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        assert_undisturbed(scenario.story(), scenario, NOW_MS)


def test_every_record_again_long_after_the_messages_are_final_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ((routing.route, queues.ACCEPTED), (billing.charge, queues.BILLING), (delivery.settle, queues.OUTCOMES))
    with empty_aws():
        SCENARIOS[0].prepare()
        functions = [Function(handler, queue, monkeypatch) for handler, queue in steps]
        events = []
        bundles: tuple[Any, ...] = scenarios.ACCEPTED
        for function in functions:
            events.append(function.event(*bundles))
            function.run_cold(events[-1], NOW_MS)
            bundles = scenarios.what_follows(function.queue)
        final = scenarios.everything_stored()
        scenarios.publish(OTHER_GATEWAY, 3 * PRICE_MICROS)
        for function, event in zip(functions, events, strict=True):
            function.run_cold(event, MUCH_LATER_MS)
        assert scenarios.everything_stored() == final
        assert world.balance(ACCOUNT) == world.ledger_sum(ACCOUNT) < 20 * PRICE_MICROS


def _let_moto_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables do not stand two threads at once; between two calls of one thread the other may still come."""
    turn, answer = threading.Lock(), BotocoreStubber.__call__

    def answer_alone(self: BotocoreStubber, *args: Any, **kwargs: Any) -> Any:
        with turn:
            return answer(self, *args, **kwargs)

    monkeypatch.setattr(BotocoreStubber, "__call__", answer_alone)
