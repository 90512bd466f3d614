"""Single messages that are to be sent later: listed, canceled until then, and sent once when their time has come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.services.send_scheduled import send_due
from chalicelib.store import queues, scheduled
from tests.chalicelib.api.world import World
from tests.chalicelib.services.world import waiting


def at(world: World, **later: float) -> tuple[str, int]:
    instant = datetime.fromtimestamp(world.now_ms() / 1000, UTC).replace(microsecond=0) + timedelta(**later)
    return instant.isoformat(), round(instant.timestamp() * 1000)


def bundles(queue: str) -> list[wire.AcceptedBundle]:
    return [bundle for bundle in waiting(queue) if isinstance(bundle, wire.AcceptedBundle)]


def test_a_message_for_later_is_scheduled_and_sent_once_though_the_scheduler_is_asked_twice(world: World) -> None:
    send_at, due_ms = at(world, hours=2)
    answer = world.send({"send_at": send_at, "validity_seconds": 60})
    message = answer.json_body
    assert (answer.status_code, message["status"]) == (202, "scheduled")
    assert datetime.fromisoformat(message["send_at"]).timestamp() * 1000 == due_ms
    assert datetime.fromisoformat(message["valid_until"]).timestamp() * 1000 == due_ms + 60_000
    assert [one["id"] for one in world.call("GET", "/v1/messages?status=scheduled").json_body["data"]] == [
        message["id"]
    ]
    assert send_due(due_ms - 3_600_000) == 0
    assert bundles(queues.ACCEPTED) == []
    assert send_due(due_ms) == 1
    assert send_due(due_ms) == 0
    assert [bundle.messages[0].id for bundle in bundles(queues.ACCEPTED)] == [message["id"]]
    assert world.call("GET", f"/v1/messages/{message['id']}").json_body["status"] == "accepted"


def test_it_is_sent_though_the_scheduler_was_down_at_its_time(world: World) -> None:
    send_at, due_ms = at(world, hours=2)
    world.send({"send_at": send_at})
    assert send_due(due_ms + 600_000) == 1
    assert len(bundles(queues.ACCEPTED)) == 1


def test_until_then_it_can_be_canceled_and_is_never_sent(world: World) -> None:
    send_at, due_ms = at(world, hours=2)
    message = world.send({"send_at": send_at}).json_body["id"]
    for _ in range(2):
        assert world.call("POST", f"/v1/messages/{message}/cancel").json_body["status"] == "canceled"
    assert list(scheduled.due(due_ms)) == []
    assert send_due(due_ms) == 0


def test_asked_again_under_its_idempotency_key_it_is_one_message(world: World) -> None:
    send_at, due_ms = at(world, hours=2)
    made = [world.send({"send_at": send_at}, headers={"Idempotency-Key": "k"}).json_body["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert len(list(scheduled.due(due_ms))) == 1


def test_what_is_due_within_a_minute_goes_by_the_queues_own_delay(world: World) -> None:
    send_at, due_ms = at(world, seconds=30)
    assert world.send({"send_at": send_at}).json_body["status"] == "scheduled"
    assert list(scheduled.due(due_ms)) == []
    assert bundles(queues.ACCEPTED) == []  # it is there, and not due


@pytest.mark.parametrize(
    ("send_at", "code"),
    [
        ("soon", "invalid_format"),
        ("2026-01-01T00:00:00", "invalid_format"),  # on whose clock?
        (1_700_000_000, "wrong_type"),
        ("2999-01-01T00:00:00Z", "out_of_range"),
        ("9999-12-31T23:59:59-12:00", "out_of_range"),
    ],
)
def test_a_time_that_is_none_is_refused(world: World, send_at: Any, code: str) -> None:
    told = world.send({"send_at": send_at}).json_body
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [("/send_at", code)]


@pytest.mark.parametrize(("retention_days", "allowed", "refused"), [(7, 2, 4), (1, 0, 2), (90, 27, 29)])
def test_a_message_is_not_scheduled_for_longer_than_its_account_keeps_messages(
    world: World, retention_days: int, allowed: int, refused: int
) -> None:
    """It would be gone before it was sent, and from every report."""
    brief = msgspec.structs.replace(world.account, id="acc_brief", retention_days=retention_days)
    key = world.customer(brief, 1_000_000)
    assert world.send({"send_at": at(world, days=allowed, hours=1)[0]}, key=key).status_code == 202
    told = world.send({"send_at": at(world, days=refused)[0]}, key=key).json_body
    assert [(error["pointer"], error["code"]) for error in told["errors"]] == [("/send_at", "out_of_range")]


def test_a_time_that_is_past_is_now(world: World) -> None:
    assert world.send({"send_at": "2020-01-01T00:00:00Z"}).json_body["status"] == "accepted"
    assert len(bundles(queues.ACCEPTED)) == 1
