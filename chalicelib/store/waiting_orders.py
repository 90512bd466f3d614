"""Orders for what waits at gateways: those that are open, which bridges follow every second, and how far each is."""

from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection

from chalicelib.domain.waiting_order import OrderState, WaitingOrder
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

OPEN_SECONDS: Final = 15 * 86_400  # longer than a gateway's queue keeps a record: then nothing is left to be done
KEPT_SECONDS: Final = 400 * 86_400
_OPEN: Final = "open"
_decoder: Final = msgspec.json.Decoder(WaitingOrder)


class ByOpen(GlobalSecondaryIndex["OrderTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_open"
        projection = IncludeProjection(["body"])

    open = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class ByGateway(GlobalSecondaryIndex["OrderTable"]):  # type: ignore[no-untyped-call]  # as above
    class Meta:
        index_name = "by_gateway"
        projection = AllProjection()

    gateway = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class OrderTable(dynamo.Table):
    class Meta:
        suffix = "waiting_orders"

    id = UnicodeAttribute(hash_key=True)
    gateway = UnicodeAttribute()
    body = UnicodeAttribute()
    open = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    messages = NumberAttribute(default=0)
    last_ms = NumberAttribute(null=True)
    closed_ms = NumberAttribute(null=True)
    swept_ms = NumberAttribute(null=True)
    expires = NumberAttribute()
    by_open = ByOpen()
    by_gateway = ByGateway()


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """An order and how far it is. `messages`: about how many are done with; what a dying bridge did is not counted."""

    order: WaitingOrder
    state: OrderState
    messages: int
    last_ms: int | None
    closed_ms: int | None
    swept_ms: int | None  # since when a sweep goes through the queue, whose gateway is in no bridge's hands


def create(order: WaitingOrder) -> Progress:
    """Have it followed. Creating it again changes nothing that has come of it."""
    made: list[Action] = [
        OrderTable.gateway.set(order.gateway),
        OrderTable.body.set(msgspec.json.encode(order).decode()),
        OrderTable.open.set(_OPEN),
        OrderTable.state.set("open"),
        OrderTable.messages.set(0),
        OrderTable.expires.set(order.at_ms // 1000 + KEPT_SECONDS),
    ]
    _update(order.id, made, OrderTable.id.does_not_exist())
    return Progress(order=order, state="open", messages=0, last_ms=None, closed_ms=None, swept_ms=None)


def get(id_: str) -> Progress | None:
    """The order as it stands, or None."""
    try:
        return _progress(OrderTable.get(id_, consistent_read=True))
    except OrderTable.DoesNotExist:
        return None


def all_open() -> list[WaitingOrder]:
    """Those that are to be followed, a moment late, oldest first."""
    return [_decoder.decode(item.body) for item in OrderTable.by_open.query(_OPEN)]


def of_gateway(gateway: str, cursor: Cursor | None = None, limit: int = 50) -> Page[Progress]:
    """Up to `limit` orders for what waits at the gateway, newest first."""
    found = OrderTable.by_gateway.query(gateway, scan_index_forward=False, limit=limit, last_evaluated_key=cursor)
    return Page(tuple(_progress(item) for item in found), found.last_evaluated_key)


def count(id_: str, messages: int, now_ms: int) -> None:
    """So many more were done with in its name."""
    counted: list[Action] = [OrderTable.messages.add(messages), OrderTable.last_ms.set(now_ms)]
    _update(id_, counted, OrderTable.id.exists())


def begin_sweep(id_: str, now_ms: int) -> None:
    """A sweep begins to go through the queue; nothing where one has."""
    _update(id_, [OrderTable.swept_ms.set(now_ms)], OrderTable.swept_ms.does_not_exist() & OrderTable.open.exists())


def close(id_: str, state: OrderState, now_ms: int) -> bool:
    """Have it followed no longer. False where it is closed already, or not there."""
    closed: list[Action] = [OrderTable.open.remove(), OrderTable.state.set(state), OrderTable.closed_ms.set(now_ms)]
    return _update(id_, closed, OrderTable.open.exists())


def _update(id_: str, actions: list[Action], condition: Condition) -> bool:
    try:
        OrderTable(id_).update(actions, condition=condition)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _progress(item: OrderTable) -> Progress:
    return Progress(
        order=_decoder.decode(item.body),
        state=msgspec.convert(item.state, OrderState),
        messages=int(item.messages),
        last_ms=_whole(item.last_ms),
        closed_ms=_whole(item.closed_ms),
        swept_ms=_whole(item.swept_ms),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)
