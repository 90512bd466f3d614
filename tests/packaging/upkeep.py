"""The schedules' functions and what they put on their queues, run from the zip, with messages that need them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.content import Content, Segment
from chalicelib.domain.facts import Accepted, AnyFact, Queued
from chalicelib.domain.facts import Final as End
from chalicelib.domain.parts import HeldPart
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.waiting import GRACE_MS, MINUTE_MS, Window
from chalicelib.domain.waiting_order import EXPIRE
from chalicelib.services.look_after import MESSAGES_A_VISIT
from chalicelib.store import messages, segments
from chalicelib.store.dispatches import DispatchTable
from chalicelib.store.messages import Noted
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import GATEWAY, Journey

CROWD: Final = "acc_crowd"
ROUNDS: Final = "functions.rounds.rounds"
VISIT: Final = "functions.rounds.visit"
NIGHTLY: Final = "functions.auditing.nightly"
AUDIT: Final = "functions.auditing.audit"
ON_QUEUES: Final = {VISIT: "visits", AUDIT: "audits"}
SCHEDULES: Final = {ROUNDS: "cron(0/5 * * * ? *)", NIGHTLY: "cron(15 3 * * ? *)"}
EVENT: Final[dict[str, Any]] = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-22T03:15:00Z",
    "region": "eu-west-1",
    "resources": [],
    "detail": {},
}


def keep_up(journey: Journey, cloud: Cloud) -> None:
    """A round, a visit that finds something to do and more than it can do, and an audit to its end."""
    (row,) = cloud.client("dynamodb").scan(TableName=f"{PREFIX}-accounts")["Items"]
    account = row["id"]["S"]
    begun_ms = _plant(cloud, account)
    _leave_a_part_behind(cloud, account, begun_ms)
    for queue in ("accepted", "outcomes"):
        cloud.take_all(queue)  # what others left there
    for schedule in SCHEDULES:
        assert journey.run(schedule, EVENT).failures == []
    assert len(cloud.take_all("visits")) == 1
    assert len(cloud.take_all("accepted")) == 1  # the part, whose bridge is gone
    cloud.take_all("outcomes")  # on a slow machine the sweep has found that what the journey sent waited too long
    window = Window(begun_ms, time.time_ns() // 1_000_000)
    cloud.send("visits", wire.encode(wire.Visit(id="1", accounts=(account, CROWD), windows=(window,))))
    with _crowd(cloud, row, begun_ms):
        assert _work_off(journey, cloud, VISIT) == 2
    assert _work_off(journey, cloud, AUDIT) == 3  # ledger, messages, and what was charged late
    assert len(cloud.take_all("accepted")) == 1
    assert len(journey.outcomes()) == 2  # of what expired, and of what waited too long


def _work_off(journey: Journey, cloud: Cloud, handler: str) -> int:
    """Run the function until nothing comes any more, and once with a record that is no bundle; how often it ran."""
    queue = ON_QUEUES[handler]
    cloud.send(queue, "no bundle")
    runs = 0
    while (event := cloud.receive(queue))["Records"]:
        assert journey.run(handler, event).failures == []
        runs += 1
    cloud.take_all(queue)
    return runs


def _plant(cloud: Cloud, account: str) -> int:
    """A lost message, one past its validity, and two that wait; when the first was made."""
    begun_ms = time.time_ns() // 1_000_000 - 60 * MINUTE_MS
    content = Content(
        to="+34600000000",
        country="ES",
        sender="Acme",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=begun_ms + 120 * MINUTE_MS,
        text="Hello",
    )
    over = msgspec.structs.replace(content, valid_until_ms=begun_ms + 59 * MINUTE_MS - GRACE_MS)
    queued = Queued(
        at_ms=begun_ms,
        content=over,
        gateway=GATEWAY,
        route="rte_1",
        operator="",
        price_micros=0,
        charge_micros=0,
        rules=1,
        bundle=ids.new_ulid(begun_ms),
        why="a test",
    )
    waits = msgspec.structs.replace(queued, content=content)
    claimed = msgspec.structs.replace(waits, bundle="claimed")
    facts: list[AnyFact] = [Accepted(at_ms=begun_ms, content=content), queued, waits, claimed]
    _put(cloud, account, facts, begun_ms)
    _let_wait_less(cloud, account)
    return begun_ms


@contextmanager
def _crowd(cloud: Cloud, row: dict[str, Any], begun_ms: int) -> Iterator[None]:
    """Meanwhile there is an account with more messages than a visit looks at; every report would read them later."""
    dynamodb, table = cloud.client("dynamodb"), f"{PREFIX}-accounts"
    body = json.dumps(json.loads(row["body"]["S"]) | {"id": CROWD})
    dynamodb.put_item(TableName=table, Item=row | {"id": {"S": CROWD}, "body": {"S": body}})
    _put(cloud, CROWD, [End(at_ms=begun_ms, status=Status.CANCELED)] * MESSAGES_A_VISIT, begun_ms)
    yield
    dynamodb.delete_item(TableName=table, Key={"id": {"S": CROWD}})


def _let_wait_less(cloud: Cloud, account: str) -> None:
    """What waits at gateways has waited for too long; for one such message another visit has said so already."""
    dynamodb = cloud.client("dynamodb")
    row = dynamodb.get_item(TableName=f"{PREFIX}-accounts", Key={"id": {"S": account}})["Item"]
    settings = json.loads(row["body"]["S"]) | {"max_wait_seconds": 60}
    dynamodb.put_item(TableName=f"{PREFIX}-accounts", Item=row | {"body": {"S": json.dumps(settings)}})
    claim = DispatchTable("claimed", by=EXPIRE.claimant, at_ms=1, expires=1)
    dynamodb.put_item(TableName=f"{PREFIX}-dispatches", Item=claim.serialize())


def _leave_a_part_behind(cloud: Cloud, account: str, begun_ms: int) -> None:
    """One of two parts of a message, long after the other should have come."""
    content = Content(
        to="+34600000000",
        country="ES",
        sender="Acme",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=begun_ms + 120 * MINUTE_MS,
        text="Hel",
        segment=Segment(7, 2, 1),
    )
    root = ids.part_id(ids.new_message_id(begun_ms), 0)
    group = segments.Group(key="k", root=root, account=account, total=2, began_ms=begun_ms, due_ms=begun_ms + 1)
    part = {"B": segments._encoder.encode(HeldPart(content, b"Hel", 0, "a session"))}
    item = {"id": {"S": group.key}, "p001": part, **segments._attributes(group)}
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-segments", Item=item)


def _put(cloud: Cloud, account: str, facts: list[AnyFact], begun_ms: int) -> None:
    """A message a millisecond, of which no more is known than the fact."""
    noted = [Noted(account, ids.new_message_id(begun_ms + number), fact, 90) for number, fact in enumerate(facts)]
    items = [{"PutRequest": {"Item": messages._item(one).serialize()}} for one in noted]
    for at in range(0, len(items), 25):
        cloud.client("dynamodb").batch_write_item(RequestItems={f"{PREFIX}-messages": items[at : at + 25]})
