"""Accounting for records: what is done is deleted, the rest comes back, and no record stops its neighbours."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from chalice.app import SQSEvent

from chalicelib import wire
from chalicelib.store import dynamo, queues
from functions import logs, records
from functions.records import RecordsFailed
from tests.chalicelib.services import world

pytestmark = pytest.mark.usefixtures("aws")
Work = Callable[[Sequence[wire.RoutedBundle], int], None]


def bundle(id_: str) -> wire.RoutedBundle:
    return wire.RoutedBundle(id=id_, account="acc_1", messages=())


def event(*bodies: str, receives: int = 1) -> SQSEvent:
    """The event of records that lie on ⟨billing⟩, received."""
    for body in bodies:
        queues._sqs().send_message(QueueUrl=queues.url("billing"), MessageBody=body)
    received: list[queues.Record] = []
    while more := queues.receive("billing", wait_seconds=0):
        received += more
    told = [
        {
            "messageId": one.id,
            "receiptHandle": one.handle,
            "body": one.body,
            "attributes": {"ApproximateReceiveCount": str(receives)},
        }
        for one in received
    ]
    return SQSEvent({"Records": told}, None)


def left() -> int:
    """How many records the queue still has, in whoever's hands."""
    attributes = queues._sqs().get_queue_attributes(QueueUrl=queues.url("billing"), AttributeNames=["All"])[
        "Attributes"
    ]
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])


def dead() -> list[dict[str, str]]:
    """What was buried: bodies and what was told with them. It is taken away."""
    url = queues.url(queues.DEAD)
    found = []
    while (
        messages := queues._sqs()
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        .get("Messages")
    ):
        for message in messages:
            told = {name: given["StringValue"] for name, given in message["MessageAttributes"].items()}
            found.append({"body": message["Body"], **told})
            queues._sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


class Bench:
    """Work that notes what it was given, and fails for the bundles named."""

    def __init__(self, *fails: str, error: type[Exception] = ValueError) -> None:
        self.fails = set(fails)
        self.error = error
        self.given: list[list[str]] = []

    def __call__(self, bundles: Sequence[wire.RoutedBundle], now_ms: int) -> None:
        assert now_ms > 1_700_000_000_000
        self.given.append([one.id for one in bundles])
        if self.fails & set(self.given[-1]):
            raise self.error("this one")


def process(event: SQSEvent, work: Work) -> None:
    records.process(event, "billing", wire.RoutedBundle, work)


def test_records_are_done_together_and_left_to_lambda_to_delete() -> None:
    work = Bench()
    calls = world.Calls("sqs")
    process(event(wire.encode(bundle("A")), wire.encode(bundle("B"))), work)
    assert [sorted(given) for given in work.given] == [["A", "B"]]
    assert calls.of("DeleteMessageBatch") == 0


def test_where_one_fails_the_others_are_done_deleted_and_it_alone_comes_back() -> None:
    work = Bench("B")
    with pytest.raises(RecordsFailed, match="1 of 3 records of billing"):
        process(event(*(wire.encode(bundle(id_)) for id_ in "ABC")), work)
    assert sorted(map(sorted, work.given)) == [["A"], ["A", "B", "C"], ["B"], ["C"]]
    assert left() == 1


def test_what_is_no_bundle_is_dead_at_once_with_its_reason_and_stops_nobody() -> None:
    work = Bench()
    bad = ["not JSON", '{"type":"routed"}', wire.encode(world.outcomes())]
    process(event(*bad, wire.encode(bundle("A"))), work)
    assert work.given == [["A"]]
    assert left() == 1  # which Lambda deletes, since it succeeded
    buried = dead()
    assert [one["body"] for one in buried] == bad
    assert [one["queue"] for one in buried] == ["billing"] * 3
    assert "malformed" in buried[0]["reason"]
    assert "`type`" in buried[1]["reason"] or "missing" in buried[1]["reason"] or "Invalid value" in buried[1]["reason"]
    assert buried[2]["reason"] == "a bundle of another queue: OutcomeBundle"


def test_what_fails_comes_back_until_its_last_receive_and_is_dead_then() -> None:
    work = Bench("B")
    for receives in range(1, queues.RECEIVES_BEFORE_DEAD):
        with pytest.raises(RecordsFailed, match="1 of 1"):
            process(event(wire.encode(bundle("B")), receives=receives), work)
        assert dead() == []
    process(event(wire.encode(bundle("B")), receives=queues.RECEIVES_BEFORE_DEAD), work)
    (buried,) = dead()
    assert (buried["reason"], buried["receives"], wire.decode(buried["body"])) == (
        "ValueError('this one')", "5", bundle("B"),
    )  # fmt: skip


def test_a_last_receive_beside_a_first_one_is_dead_alone() -> None:
    last = event(wire.encode(bundle("B")), receives=5).to_dict()["Records"]
    first = event(wire.encode(bundle("C")), wire.encode(bundle("A"))).to_dict()["Records"]
    with pytest.raises(RecordsFailed, match="1 of 3"):
        process(SQSEvent({"Records": last + first}, None), Bench("B", "C"))
    assert [wire.decode(one["body"]).id for one in dead()] == ["B"]
    assert left() == 1


def test_overload_is_a_reason_too_once_it_lasted_for_all_receives() -> None:
    process(event(wire.encode(bundle("A")), receives=5), Bench("A", error=dynamo.Overloaded))
    (buried,) = dead()
    assert buried["reason"] == "Overloaded('this one')"


def test_what_cannot_be_buried_comes_back_so_that_sqs_buries_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError

    prepared = event("not JSON", wire.encode(bundle("A")))
    monkeypatch.setattr(queues, "bury", unreachable)
    with pytest.raises(RecordsFailed, match="1 of 2"):
        process(prepared, Bench())
    assert left() == 1


def test_what_is_nobodys_fault_is_not_tried_one_by_one() -> None:
    work = Bench("A", error=dynamo.Overloaded)
    with pytest.raises(RecordsFailed, match="2 of 2"):
        process(event(wire.encode(bundle("A")), wire.encode(bundle("B"))), work)
    assert len(work.given) == 1
    assert left() == 2


def test_logs_are_json_with_ids_and_without_numbers() -> None:
    record = logging.makeLogRecord(
        {"name": "n", "levelname": "INFO", "msg": "to %s", "args": ("+34600111222",), "messages": ["msg_1"]}
    )
    line: dict[str, Any] = json.loads(logs.JsonLine().format(record))
    assert (line["message"], line["messages"], line["level"]) == ("to +3460…", ["msg_1"], "INFO")


def test_an_exception_in_a_log_is_one_line_without_numbers() -> None:
    try:
        raise ValueError("bad +34600111222")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": (type(error), error, error.__traceback__)})
    line = logs.JsonLine().format(record)
    assert "\n" not in line
    assert "600111222" not in line
    assert "ValueError: bad +3460…" in json.loads(line)["exception"]
