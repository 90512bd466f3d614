"""Dead letters: each is kept once with why it failed, whoever buried it, and none of them stops the function."""

import json
import logging
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain.dead_letter import DeadLetter, id_of
from chalicelib.services.resend import drop, resend
from chalicelib.services.shelve import MAX_BODY_BYTES
from chalicelib.store import dead_letters, queues
from chalicelib.store.page import Cursor
from functions import billing, logs
from functions.dead_letters import shelve
from functions.records import RecordsFailed
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS
from tests.conftest import PREFIX

pytestmark = pytest.mark.usefixtures("aws")


def record(body: str, id_: str = "R1", source: str | None = None, **told: str) -> dict[str, Any]:
    """A record of ⟨dead⟩ as Lambda brings it."""
    attributes = {"ApproximateReceiveCount": "6"}
    if source:
        attributes["DeadLetterQueueSourceArn"] = f"arn:aws:sqs:eu-west-1:123456789012:{PREFIX}-{source}"
    return {
        "messageId": id_,
        "receiptHandle": id_,
        "body": body,
        "attributes": attributes,
        "messageAttributes": {name: {"stringValue": value, "dataType": "String"} for name, value in told.items()},
    }


def bring(*records: dict[str, Any]) -> None:
    shelve({"Records": list(records)}, None)


def waiting(queue: str | None = None) -> list[DeadLetter]:
    return list(dead_letters.listing("waiting", queue).items)


def dispatch(priority: str = "normal") -> wire.DispatchBundle:
    draft = world.draft(priority=priority)  # type: ignore[arg-type]
    told = (wire.Dispatch(id=draft.id, content=draft.content),)
    return wire.DispatchBundle(id="B", account=ACCOUNT, gateway=GATEWAY, messages=told)


def test_what_a_function_buried_is_kept_with_its_reason_and_queue() -> None:
    bring(record("x", "own", queue="billing", reason="ValueError('…')", record="R", receives="5"))
    (letter,) = waiting()
    assert (letter.queue, letter.reason, letter.record, letter.receives) == ("billing", "ValueError('…')", "R", 5)
    held = dead_letters.get(letter.id)
    assert held is not None
    assert (held.body, held.whole) == ("x", True)


@pytest.mark.parametrize(
    ("bundle", "queue"),
    [
        (wire.AcceptedBundle(id="B", account=ACCOUNT, messages=(world.draft(),)), "accepted"),
        (world.routed(world.draft()), "billing"),
        (world.outcomes(), "outcomes"),
        (dispatch(), f"gateway-{GATEWAY}"),
        (dispatch("bulk"), f"gateway-{GATEWAY}-bulk"),
        (wire.EsmeBundle(id="B", login="acme", items=()), "esme-acme.fifo"),
    ],
)
def test_what_sqs_gave_up_says_so_and_its_queue_follows_from_what_it_is(bundle: wire.Bundle, queue: str) -> None:
    bring(record(wire.encode(bundle)))
    (letter,) = waiting()
    assert (letter.queue, letter.receives) == (queue, 5)
    assert letter.reason == "not finished in 5 receives: what processed it died, or ran out of time"


def test_what_sqs_gave_up_and_is_no_bundle_is_known_by_where_it_came_from() -> None:
    bring(record("{}", source=f"gateway-{GATEWAY}"))
    (letter,) = waiting()
    assert letter.queue == f"gateway-{GATEWAY}"
    assert letter.reason.startswith("no bundle: ")


def test_the_same_record_brought_twice_or_buried_by_both_is_one_and_counts_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logs.start()
    logging.getLogger().addHandler(caplog.handler)
    body = wire.encode(world.routed(world.draft()))
    own = record(body, "D1", queue="billing", reason="why", record="R", receives="5")
    bring(own)
    bring(own, record(body, "R"))  # SQS has buried it too: the function died before it deleted it
    (letter,) = waiting()
    assert (letter.receives, letter.reason) == (5, "why")
    lines = [json.loads(logs.JsonLine().format(line)) for line in caplog.records if line.message == "dead letter"]
    assert [(line["DeadLetters"], line["queue"], line["reason"]) for line in lines] == [(1, "billing", "why")]


def test_what_fails_again_after_it_was_sent_again_is_the_same_letter_and_waits_again() -> None:
    bring(record("x", "R1", queue="billing", reason="first", receives="5"))
    (letter,) = waiting()
    assert resend(letter.id, "ana", NOW_MS).state == "resent"
    assert waiting() == []
    bring(record("x", "R1", queue="billing", reason="first", receives="5"))  # late: it is known
    assert waiting() == []
    bring(record("x", "R2", queue="billing", reason="second", receives="5"))
    (again,) = waiting()
    assert (again.id, again.reason, again.receives, again.settled_by) == (letter.id, "second", 10, "ana")
    assert again.first_seen_ms == letter.first_seen_ms <= again.last_seen_ms


def test_a_decision_about_what_has_failed_once_more_since_it_was_read_does_not_hide_it() -> None:
    bring(record("x", "R1", queue="billing"))
    (read,) = waiting()
    bring(record("x", "R2", queue="billing"))
    assert not dead_letters.settle(read, "dropped", "ana", NOW_MS)
    assert [letter.record for letter in waiting()] == ["R2"]
    assert drop(read.id, "ana", NOW_MS).state == "dropped"
    assert waiting() == []


def test_what_is_too_long_is_cut_and_cannot_be_sent_again() -> None:
    bring(record("ñ" * MAX_BODY_BYTES, queue="billing"))
    (letter,) = waiting()
    held = dead_letters.get(letter.id)
    assert held is not None
    assert not held.whole
    assert len(held.body.encode()) <= MAX_BODY_BYTES


def test_every_bundle_there_may_be_is_kept_whole() -> None:
    assert wire.MAX_BUNDLE_BYTES <= MAX_BODY_BYTES


def test_letters_that_cannot_be_kept_come_again_and_the_others_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    real = dead_letters.shelve

    def broken_for_x(letter: DeadLetter) -> bool:
        if letter.body == "x":
            raise ConnectionError
        return real(letter)

    monkeypatch.setattr(dead_letters, "shelve", broken_for_x)
    with pytest.raises(RecordsFailed, match="1 of 2"):
        bring(record("x", "R1", queue="billing"), record("y", "R2", queue="billing"))
    assert [letter.record for letter in waiting()] == ["R2"]


def test_letters_are_listed_by_queue_page_by_page_the_last_seen_first() -> None:
    for number in range(7):
        home = "billing" if number % 2 else "outcomes"
        assert dead_letters.shelve(
            DeadLetter(
                id=id_of(home, str(number)), queue=home, body=str(number), whole=True, reason="", record=str(number),
                receives=1, first_seen_ms=NOW_MS, last_seen_ms=NOW_MS + number,
            )
        )  # fmt: skip
    rows: list[tuple[str | None, str]] = [(None, "6543210"), ("billing", "531"), ("outcomes", "6420"), ("accepted", "")]
    for queue, expected in rows:
        found = ""
        cursor: Cursor | None = None
        while True:
            page = dead_letters.listing("waiting", queue, cursor, 2)
            found += "".join(letter.record for letter in page.items)
            cursor = page.cursor
            if cursor is None:
                break
        assert found == expected


def test_a_poisoned_bundle_ends_as_a_letter_and_goes_through_once_it_is_cured_and_sent_again() -> None:
    """From the queue's function to the table and back, with what a bundle without a verdict does to charge."""
    world.open_account()
    draft = world.draft(valid_until_ms=4_000_000_000_000)
    poisoned = wire.encode(wire.RoutedBundle(id="X", account=ACCOUNT, messages=(wire.Routed(draft=draft),)))
    queues.send_again(queues.BILLING, poisoned)
    for receives in range(1, 6):
        (held,) = queues.receive(queues.BILLING, wait_seconds=0, visibility_seconds=0)
        given = record(held.body, held.id) | {"receiptHandle": held.handle}
        given["attributes"]["ApproximateReceiveCount"] = str(receives)
        if receives < 5:
            with pytest.raises(RecordsFailed):
                billing.charge({"Records": [given]}, None)
        else:
            billing.charge({"Records": [given]}, None)
    assert queues.receive(queues.BILLING, wait_seconds=0) == []
    sqs = queues._sqs()
    (message,) = sqs.receive_message(QueueUrl=queues.url(queues.DEAD), MessageAttributeNames=["All"])["Messages"]
    told = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
    bring(record(message["Body"], message["MessageId"], **told))

    (letter,) = waiting("billing")
    assert letter.reason == f"ValueError('{draft.id} was not routed')"
    resend(letter.id, "ana", NOW_MS)
    (again,) = queues.receive(queues.BILLING, wait_seconds=0)
    assert again.body == poisoned
