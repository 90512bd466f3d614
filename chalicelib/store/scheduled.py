"""Scheduled messages: what a customer handed over to be sent later, until the scheduler has sent it on its way."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.store import dynamo
from chalicelib.wire import AcceptedBundle

KEPT_SECONDS: Final = 7 * 86_400  # after its time: a scheduler that was down for longer sends nothing so late
_TIMER: Final = "due"


class ByDue(GlobalSecondaryIndex["ScheduledTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_due"
        projection = AllProjection()

    timer = UnicodeAttribute(hash_key=True)
    due_ms = NumberAttribute(range_key=True)


class ScheduledTable(dynamo.Table):
    class Meta:
        suffix = "scheduled"

    id = UnicodeAttribute(hash_key=True)
    timer = UnicodeAttribute(default=_TIMER)
    due_ms = NumberAttribute()
    body = UnicodeAttribute()
    expires = NumberAttribute()
    by_due = ByDue()


class Due(msgspec.Struct, frozen=True):
    """A bundle of one message, and when it is to be routed."""

    bundle: AcceptedBundle
    due_ms: int

    @property
    def message(self) -> str:
        return self.bundle.messages[0].id


def put(due: Due) -> None:
    """Keep it until its time. Again, it changes nothing."""
    body, expires = msgspec.json.encode(due.bundle).decode(), due.due_ms // 1000 + KEPT_SECONDS
    ScheduledTable(due.message, timer=_TIMER, due_ms=due.due_ms, body=body, expires=expires).save()


def forget(messages: Iterable[str]) -> None:
    """They are on their way, or canceled."""
    for message in messages:
        ScheduledTable(message).delete()


def due(until_ms: int) -> Iterator[Due]:
    """What is due by then, the longest due first. The index is moments behind the table."""
    for item in ScheduledTable.by_due.query(_TIMER, ScheduledTable.due_ms <= until_ms):
        yield Due(msgspec.json.decode(item.body, type=AcceptedBundle), int(item.due_ms))
