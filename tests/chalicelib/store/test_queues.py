"""Queues: bundles go out in tens, what SQS refuses goes again, gateways' queues have their dead letters."""

import json
import time
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.store import aws, made_queues, queues
from tests.chalicelib.services import world

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def bundle(text: str = "") -> wire.RoutedBundle:
    return wire.RoutedBundle(id=text or "B", account="acc_1", messages=())


def spy(monkeypatch: pytest.MonkeyPatch, operation: str, answer: Any = None) -> list[dict[str, Any]]:
    client = aws.client("sqs")
    real = getattr(client, operation)
    asked: list[dict[str, Any]] = []

    def call(**arguments: Any) -> Any:
        asked.append(arguments)
        return answer(arguments) if answer else real(**arguments)

    monkeypatch.setattr(client, operation, call)
    return asked


def attributes(queue: str) -> dict[str, str]:
    found: dict[str, str] = aws.client("sqs").get_queue_attributes(QueueUrl=queues.url(queue), AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def test_bundles_go_ten_a_request_in_their_accounts_group(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy(monkeypatch, "send_message_batch")
    queues.send_many("billing", [bundle(str(number)) for number in range(23)])
    assert [len(one["Entries"]) for one in asked] == [10, 10, 3]
    assert {entry["MessageGroupId"] for one in asked for entry in one["Entries"]} == {"acc_1"}
    assert len(world.waiting("billing")) == 23


def test_large_bundles_share_no_request_that_sqs_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy(monkeypatch, "send_message_batch", lambda _: {})
    queues.send_many("billing", [bundle("x" * wire.MAX_BUNDLE_BYTES) for _ in range(7)])
    assert [len(one["Entries"]) for one in asked] == [4, 3]


def test_what_sqs_refuses_goes_again_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"Failed": [{"Id": "1"}]}, {}])
    asked = spy(monkeypatch, "send_message_batch", lambda _: next(answers))
    queues.send_many("billing", [bundle("0"), bundle("1"), bundle("2")])
    assert [[entry["Id"] for entry in one["Entries"]] for one in asked] == [["0", "1", "2"], ["1"]]


def test_what_sqs_keeps_refusing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    spy(monkeypatch, "send_message_batch", lambda _: {"Failed": [{"Id": "0"}]})
    with pytest.raises(queues.Undelivered):
        queues.send_many("billing", [bundle()])


def test_a_delay_goes_along_as_long_as_sqs_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spy(monkeypatch, "send_message")
    queues.send("outcomes", world.outcomes(), delay_seconds=5000)
    (sent,) = asked
    assert sent["DelaySeconds"] == 900
    assert "MessageGroupId" not in sent


@pytest.mark.parametrize(
    ("reason", "told"),
    [("no bundle", "no bundle"), ("\x00\n\ud800 two\x1blines", "two lines"), ("", "unknown"), ("x" * 9999, "x" * 1000)],
)
def test_a_dead_record_goes_with_its_queue_and_a_reason_that_sqs_takes(reason: str, told: str) -> None:
    queues.bury("billing", "body", reason, record="R", receives=5)
    answer = aws.client("sqs").receive_message(QueueUrl=queues.url("dead"), MessageAttributeNames=["All"])
    (message,) = answer["Messages"]
    given = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    assert given == {"queue": "billing", "reason": told, "record": "R", "receives": "5"}
    assert message["Body"] == "body"


def test_a_body_is_sent_again_as_it_is_and_to_queues_that_there_are() -> None:
    queues.send_again("billing", "whatever it was")
    (record,) = queues.receive("billing", wait_seconds=0)
    assert record.body == "whatever it was"
    with pytest.raises(queues.NoQueue):
        queues.send_again("gateway-gone", "x")


def test_received_records_are_hidden_given_back_and_deleted() -> None:
    queues.send("billing", bundle())
    (record,) = queues.receive("billing", wait_seconds=0)
    assert (wire.decode(record.body), record.received_times) == (bundle(), 1)
    assert queues.receive("billing", wait_seconds=0) == []
    queues.hide("billing", [record.handle], 0)
    (again,) = queues.receive("billing", wait_seconds=0, visibility_seconds=60)
    assert again.received_times == 2
    queues.delete_many("billing", [again.handle])
    assert attributes("billing")["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_gateway_has_two_queues_whose_dead_go_where_all_go_however_often_they_are_made() -> None:
    made_queues.create_gateway_queues("g")
    made_queues.create_gateway_queues("g")
    dead = attributes("dead")["QueueArn"]
    for queue in (queues.gateway_queue("g", "high"), queues.gateway_queue("g", "bulk")):
        assert json.loads(attributes(queue)["RedrivePolicy"]) == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}
