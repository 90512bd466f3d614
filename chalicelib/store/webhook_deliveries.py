"""The log of deliveries, and the waiting room of those that are tried again later than SQS can delay."""

import zlib
from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.domain.webhook_event import Event
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

KEPT_SECONDS: Final = 30 * 86_400
SHARDS: Final = 4  # of the index of what is due: 4,000 failures a second
_DELIVERED: Final = "delivered"
_decoder: Final = msgspec.json.Decoder(Delivery)


class ByDue(GlobalSecondaryIndex["DeliveryTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_due"
        projection = AllProjection()

    shard = UnicodeAttribute(hash_key=True)
    due_ms = NumberAttribute(range_key=True)


class DeliveryTable(dynamo.Table):
    class Meta:
        suffix = "webhook_deliveries"

    log = UnicodeAttribute(hash_key=True)
    event = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    state = UnicodeAttribute()
    attempts = NumberAttribute()
    expires = NumberAttribute()
    shard = UnicodeAttribute(null=True)
    due_ms = NumberAttribute(null=True)
    by_due = ByDue()


def put(deliveries: Iterable[Delivery]) -> None:
    """Write deliveries over whatever stands there, 25 a request: what is delivered, or begun anew."""
    dynamo.put_all(
        DeliveryTable(
            _log_of(one.account, one.endpoint),
            one.id,
            body=_encoded(one),
            state=one.state,
            attempts=one.attempts,
            expires=_expires(one),
        )
        for one in deliveries
    )


def note(delivery: Delivery, due_ms: int | None = None) -> None:
    """Write a delivery that did not succeed; with `due_ms`, it waits here until then.

    Let be where it was delivered, or tried more often, in the meantime: SQS may bring a record twice.
    """
    table = DeliveryTable
    actions: list[Action] = [
        table.body.set(_encoded(delivery)),
        table.state.set(delivery.state),
        table.attempts.set(delivery.attempts),
        table.expires.set(_expires(delivery)),
    ]
    if due_ms is None:
        actions += [table.shard.remove(), table.due_ms.remove()]
    else:
        actions += [table.shard.set(_shard_of(delivery)), table.due_ms.set(due_ms)]
    newest: Condition = table.state.does_not_exist() | (
        (table.state != _DELIVERED) & (table.attempts <= delivery.attempts)
    )
    try:
        table(_log_of(delivery.account, delivery.endpoint), delivery.id).update(actions, condition=newest)
    except UpdateError as error:
        if not dynamo.condition_failed(error):
            raise


def due(shard: int, now_ms: int, limit: int) -> list[tuple[Delivery, int]]:
    """Up to `limit` deliveries of a shard that are due, longest first, with when they were."""
    found = DeliveryTable.by_due.query(str(shard), DeliveryTable.due_ms <= now_ms, limit=limit)
    return [(_decoder.decode(item.body), int(item.due_ms or 0)) for item in found]


def release(delivery: Delivery, due_ms: int) -> None:
    """It waits here no longer, unless it was put to wait anew."""
    table = DeliveryTable
    item = table(_log_of(delivery.account, delivery.endpoint), delivery.id)
    try:
        item.update([table.shard.remove(), table.due_ms.remove()], condition=table.due_ms == due_ms)
    except UpdateError as error:
        if not dynamo.condition_failed(error):
            raise


def get(account: str, endpoint: str, id_: str) -> Delivery | None:
    """The delivery, or None."""
    try:
        item = DeliveryTable.get(_log_of(account, endpoint), id_, consistent_read=True)
    except DeliveryTable.DoesNotExist:
        return None
    return _decoder.decode(item.body)


def change_event(account: str, endpoint: str, id_: str, event: Event) -> bool:
    """Have the delivery say another event, of the same name. False where there is none (any more)."""
    table, found = DeliveryTable, get(account, endpoint, id_)
    if found is None or found.event == event:
        return False
    body = _encoded(msgspec.structs.replace(found, event=event))
    try:
        table(_log_of(account, endpoint), id_).update([table.body.set(body)], condition=table.event.exists())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def named(account: str, endpoints: Iterable[str], ids: Iterable[str]) -> list[Delivery]:
    """The endpoints' deliveries with these ids, in order of both, 100 a request. Raises dynamo.Overloaded."""
    logs = [_log_of(account, endpoint) for endpoint in endpoints]
    found = dynamo.get_pairs(DeliveryTable, [(log, id_) for id_ in ids for log in logs])
    return sorted((_decoder.decode(item.body) for item in found), key=lambda one: (one.id, one.endpoint))


def listing(account: str, endpoint: str, cursor: Cursor | None = None, limit: int = 50) -> Page[Delivery]:
    """Up to `limit` deliveries of an endpoint, newest event first."""
    found = DeliveryTable.query(
        _log_of(account, endpoint), scan_index_forward=False, limit=limit, last_evaluated_key=cursor
    )
    return Page(tuple(_decoder.decode(item.body) for item in found), found.last_evaluated_key)


def _log_of(account: str, endpoint: str) -> str:
    return f"{account}#{endpoint}"


def _shard_of(delivery: Delivery) -> str:
    return str(zlib.crc32(delivery.id.encode()) % SHARDS)


def _expires(delivery: Delivery) -> int:
    return max(delivery.event.at_ms, delivery.at_ms) // 1000 + KEPT_SECONDS


def _encoded(delivery: Delivery) -> str:
    return msgspec.json.encode(delivery).decode()
