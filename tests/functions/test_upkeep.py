"""The schedules and their queues, as the local pumps find and call them: rounds each five minutes, audits at night."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Accepted
from chalicelib.services import audit as service
from chalicelib.store import messages, queues
from chalicelib.store.messages import Noted
from chalicelib.store.wallets import WalletTable
from functions import auditing, logs, metrics, rounds
from infra.local import pumps, schedules
from infra.local.meter import Meter
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT

REPOSITORY = Path(__file__).parents[2]
NOON = datetime(2026, 11, 22, 12, 2, 30, tzinfo=UTC)


class Lines(logging.Handler):
    """What is logged, as CloudWatch gets it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonLine())
        self.said: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(json.loads(self.format(record)))

    def of(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.said if line["message"] == message]


@pytest.fixture
def lines(own_logging: None) -> Iterator[Lines]:
    logs.start()
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def event(*bundles: wire.Bundle) -> dict[str, Any]:
    told = [
        {"messageId": str(number), "receiptHandle": str(number), "body": wire.encode(bundle)}
        for number, bundle in enumerate(bundles)
    ]
    return {"Records": told}


def fire(function: str) -> None:
    """What the pumps do when the schedule of that function is due."""
    from app import app

    (timer,) = (timer for timer in pumps.timers(app) if timer.function == function)
    assert pumps.call(timer.function, timer.handle, pumps._scheduled_event(timer, NOON))


def work_off(queue: str) -> None:
    """What the pumps do with the records of a queue, until there are none."""
    from app import app

    (listener,) = (one for one in pumps.listeners(app) if one.queue.endswith(f"-{queue}"))
    assert listener.batch_size == 1
    while bundles := world.waiting(queue):
        for bundle in bundles:
            assert pumps.call(listener.function, listener.handle, event(bundle))


@pytest.mark.usefixtures("environment")
def test_the_schedules_are_found_in_the_app_and_due_when_they_should_be() -> None:
    from app import app

    due = {timer.function: schedules.parse(timer.expression) for timer in pumps.timers(app)}
    first = due["rounds"].next_after(NOON)
    assert first == datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
    assert due["rounds"].next_after(first) == first + timedelta(minutes=5)
    assert due["nightly"].next_after(NOON) == datetime(2026, 11, 23, 3, 15, tzinfo=UTC)


@pytest.mark.usefixtures("aws")
def test_the_pumps_call_a_round_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from app import app

    world.open_account()
    (timer,) = (timer for timer in pumps.timers(app) if timer.function == "rounds")
    meter, stopping = Meter("test"), threading.Event()

    class Now:
        """Due at once, then never."""

        def __init__(self) -> None:
            self.instants = [datetime.now(UTC)]

        def next_after(self, _instant: datetime) -> datetime | None:
            return self.instants.pop() if self.instants else None

    monkeypatch.setattr(schedules, "parse", lambda expression: Now())
    pumps.keep_time(timer, meter, stopping)
    assert (meter.work["rounds"].records, meter.work["rounds"].errors) == (1, 0)
    (visit,) = world.waiting(queues.VISITS)
    assert isinstance(visit, wire.Visit)
    assert visit.accounts == (ACCOUNT,)


@pytest.mark.usefixtures("aws")
def test_a_round_sends_a_lost_message_again() -> None:
    world.open_account()
    made_ms = time.time_ns() // 1_000_000 - 15 * 60_000
    draft = world.draft(valid_until_ms=made_ms + 3_600_000)
    message_id = ids.new_message_id(made_ms)
    messages.put_facts([Noted(ACCOUNT, message_id, Accepted(at_ms=made_ms, content=draft.content), 90)])
    fire("rounds")
    work_off(queues.VISITS)
    (again,) = world.waiting(queues.ACCEPTED)
    assert again.id == ids.bundle_of_single(message_id)


@pytest.mark.usefixtures("aws")
def test_the_nightly_audit_names_what_differs_and_counts_it_for_the_alarm(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN_SECONDS", 0)
    world.open_account()
    world.open_account("acc_clean")
    WalletTable(ACCOUNT).update([WalletTable.balance_micros.add(7), WalletTable.available_micros.add(7)])
    fire("nightly")
    work_off(queues.AUDITS)
    (difference,) = lines.of("difference")
    assert (difference["account"], difference["check"], difference["delta"]) == (ACCOUNT, "wallet", 7)
    counted = {line["account"]: line["AuditDifferences"] for line in lines.of("audited")}
    assert counted == {ACCOUNT: 1, "acc_clean": 0}


@pytest.mark.usefixtures("aws")
def test_an_audit_that_found_something_looks_again_only_after_a_while() -> None:
    world.open_account()
    WalletTable(ACCOUNT).update([WalletTable.balance_micros.add(7), WalletTable.available_micros.add(7)])
    fire("nightly")
    work_off(queues.AUDITS)
    assert queues._sqs().get_queue_attributes(
        QueueUrl=queues.url(queues.AUDITS), AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}


@pytest.mark.usefixtures("environment")
def test_a_figure_is_a_log_line_in_cloudwatchs_embedded_format(lines: Lines) -> None:
    logging.getLogger("x").info("audited", extra=metrics.line(AuditDifferences=3, AuditedMessages=5))
    (line,) = lines.of("audited")
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Prefix"]]
    assert {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]} == {
        "AuditDifferences": 3,
        "AuditedMessages": 5,
    }
    assert (line["Prefix"], directive["Namespace"]) == ("chq-test", "Chasqui")
    assert abs(line["_aws"]["Timestamp"] - time.time() * 1000) < 60_000


@pytest.mark.parametrize("function", [auditing, rounds])
def test_a_function_imports_nothing_of_the_api_and_opens_nothing(function: Any) -> None:
    probe = (
        f"import sys, {function.__name__}\n"
        "from chalicelib.store import aws\n"
        "assert not aws._client.cache_info().currsize, 'a client at import'\n"
        "heavy = {'app', 'phonenumbers', 'pyuegc', 'chalicelib.api', 'chalice.cli', 'smpplib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    told = subprocess.run([sys.executable, "-c", probe], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
