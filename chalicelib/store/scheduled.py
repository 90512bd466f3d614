"""Scheduled messages: what a customer handed over to be sent later, until the scheduler has sent it on its way."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib.store import dynamo, messages
from chalicelib.store.messages import Noted
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
    version = NumberAttribute(default=1)
    taken = BooleanAttribute(null=True)  # it is being sent: nobody changes it any more
    by_due = ByDue()


class Due(msgspec.Struct, frozen=True):
    """A bundle of one message, and when it is to be routed."""

    bundle: AcceptedBundle
    due_ms: int

    @property
    def message(self) -> str:
        return self.bundle.messages[0].id


class Kept(msgspec.Struct, frozen=True):
    """What waits as it is this moment, and the version that a change of it must name."""

    due: Due
    version: int
    taken: bool


def put(due: Due) -> None:
    """Keep it until its time. Again, it changes nothing."""
    body, expires = msgspec.json.encode(due.bundle).decode(), due.due_ms // 1000 + KEPT_SECONDS
    ScheduledTable(due.message, timer=_TIMER, due_ms=due.due_ms, body=body, expires=expires).save()


def get(message: str) -> Kept | None:
    """The message with what it waits as, or None where it does not wait here (any more)."""
    try:
        item = ScheduledTable.get(message, consistent_read=True)
    except ScheduledTable.DoesNotExist:
        return None
    return Kept(_due_of(item), int(item.version or 0), bool(item.taken))


def replace(before: Kept, due: Due, noted: Noted, *, taken: bool) -> bool:
    """Have another text or time wait in its place, and its fact say so; `taken`: its caller sends it now.

    False where it was taken or changed since it was read; then nothing was written. Raises dynamo.Overloaded.
    """
    table, expires = ScheduledTable, due.due_ms // 1000 + KEPT_SECONDS
    actions: list[Action] = [
        table.body.set(msgspec.json.encode(due.bundle).decode()),
        table.due_ms.set(due.due_ms),
        table.expires.set(expires),
        table.version.add(1),
    ]
    if taken:
        actions.append(table.taken.set(True))
    untouched = (table.version == before.version) & table.taken.does_not_exist()

    def both(transaction: TransactWrite) -> None:
        transaction.update(table(due.message), actions=actions, condition=untouched)
        messages.put_in(transaction, noted)

    return not dynamo.transact(both)


def take(message: str, until_ms: int) -> Due | None:
    """Keep others from changing it while it is sent: as it stands, or None where it is not due by then (any more)."""
    table, item = ScheduledTable, ScheduledTable(message)
    try:
        item.update([table.taken.set(True)], condition=table.due_ms <= until_ms)
    except UpdateError as error:
        if dynamo.condition_failed(error) or dynamo.in_transaction(error):
            return None  # canceled, or replaced; or just being replaced: who sends what is due comes again
        raise
    return _due_of(item)


def forget(ids: Iterable[str]) -> None:
    """They are on their way, or canceled."""
    for message in ids:
        ScheduledTable(message).delete()


def forget_many(ids: Iterable[str]) -> None:
    """The same, by the batch."""
    with ScheduledTable.batch_write() as batch:
        for message in ids:
            batch.delete(ScheduledTable(message))


def due(until_ms: int) -> Iterator[Due]:
    """What is due by then, the longest due first. The index is moments behind the table."""
    for item in ScheduledTable.by_due.query(_TIMER, ScheduledTable.due_ms <= until_ms):
        yield _due_of(item)


def _due_of(item: ScheduledTable) -> Due:
    return Due(msgspec.json.decode(item.body, type=AcceptedBundle), int(item.due_ms))
