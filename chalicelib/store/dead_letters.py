"""Dead letters: what could not be processed, kept until somebody has decided what becomes of it, and a while after."""

from collections.abc import Iterator
from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from chalicelib.domain.dead_letter import DeadLetter, DeadLetterState
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

KEPT_SECONDS: Final = 90 * 86_400  # from when it was last seen; no message is valid for longer than 30 days
_READ_AT_ONCE: Final = 1_000  # where those of one queue are picked out
_LISTED: Final = (
    "queue", "whole", "reason", "record", "receives", "first_seen_ms", "settled_by", "settled_ms",
)  # fmt: skip


class ByState(GlobalSecondaryIndex["DeadLetterTable"]):  # type: ignore[no-untyped-call]  # it is unannotated there
    class Meta:
        index_name = "by_state"
        projection = IncludeProjection(list(_LISTED))

    state = UnicodeAttribute(hash_key=True)
    last_seen_ms = NumberAttribute(range_key=True)


class DeadLetterTable(dynamo.Table):
    class Meta:
        suffix = "dead_letters"

    id = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute()
    queue = UnicodeAttribute(null=True)
    body = UnicodeAttribute(null=True)  # a listing has none
    whole = BooleanAttribute()
    reason = UnicodeAttribute()
    record = UnicodeAttribute()
    receives = NumberAttribute()
    first_seen_ms = NumberAttribute()
    last_seen_ms = NumberAttribute()
    settled_by = UnicodeAttribute(null=True)
    settled_ms = NumberAttribute(null=True)
    expires = NumberAttribute()
    by_state = ByState()


def shelve(letter: DeadLetter) -> bool:
    """Keep a letter that has just come to be dead; one that did before is counted up, and waits again.

    False where it is this very record that was kept last: it was brought twice.
    """
    table = DeadLetterTable
    changes: list[Action] = [
        table.state.set("waiting"),
        table.body.set(letter.body),
        table.whole.set(letter.whole),
        table.reason.set(letter.reason),
        table.record.set(letter.record),
        table.receives.add(letter.receives),
        table.first_seen_ms.set(table.first_seen_ms | letter.first_seen_ms),
        table.last_seen_ms.set(letter.last_seen_ms),
        table.expires.set(letter.last_seen_ms // 1000 + KEPT_SECONDS),
    ]
    if letter.queue is not None:
        changes.append(table.queue.set(letter.queue))
    another = table.id.does_not_exist() | (table.record != letter.record)
    try:
        table(letter.id).update(changes, condition=another)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def settle(letter: DeadLetter, state: DeadLetterState, by: str, now_ms: int) -> bool:
    """Note what was decided of the letter. False where it has come to be dead once more since it was read."""
    table = DeadLetterTable
    changes: list[Action] = [table.state.set(state), table.settled_by.set(by), table.settled_ms.set(now_ms)]
    try:
        table(letter.id).update(changes, condition=table.record == letter.record)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def get(id_: str) -> DeadLetter | None:
    """The letter as it is this moment, or None."""
    try:
        return _read(DeadLetterTable.get(id_, consistent_read=True))
    except DeadLetterTable.DoesNotExist:
        return None


def with_text(text: str) -> Iterator[DeadLetter]:
    """Every letter that has the text in its body; all are read for it."""
    return map(_read, DeadLetterTable.scan(filter_condition=DeadLetterTable.body.contains(text)))


def change_body(letter: DeadLetter, body: str) -> bool:
    """Have the letter say something else. False where it says so, or has come to be dead once more since."""
    table = DeadLetterTable
    if body == letter.body:
        return False
    try:
        table(letter.id).update([table.body.set(body)], condition=table.record == letter.record)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def listing(
    state: DeadLetterState, queue: str | None = None, cursor: Cursor | None = None, limit: int = 100
) -> Page[DeadLetter]:
    """Letters in that state, those last seen first, without their bodies."""
    of_queue = None if queue is None else DeadLetterTable.queue == queue
    found = DeadLetterTable.by_state.query(
        state,
        filter_condition=of_queue,
        scan_index_forward=False,
        limit=limit,
        page_size=limit if queue is None else _READ_AT_ONCE,
        last_evaluated_key=cursor,
    )
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _read(item: DeadLetterTable) -> DeadLetter:
    return DeadLetter(
        id=str(item.id),
        queue=item.queue,
        body=item.body or "",
        whole=bool(item.whole),
        reason=str(item.reason),
        record=str(item.record),
        receives=int(item.receives),
        first_seen_ms=int(item.first_seen_ms),
        last_seen_ms=int(item.last_seen_ms),
        state=msgspec.convert(item.state, DeadLetterState),
        settled_by=item.settled_by,
        settled_ms=None if item.settled_ms is None else int(item.settled_ms),
    )
