"""Inbound messages of accounts, newest first; each remembers whether it was told."""

from collections.abc import Iterator
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError

from chalicelib.domain import ids
from chalicelib.domain.inbound import INBOUND_PREFIX, Inbound
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

_decoder: Final = msgspec.json.Decoder(Inbound)


class InboundTable(dynamo.Table):
    class Meta:
        suffix = "inbound"

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    received = NumberAttribute()  # parts that are in it
    told = NumberAttribute(null=True)  # parts that were in it when it was told
    expires = NumberAttribute()


def keep(inbound: Inbound, ttl_days: int) -> bool:
    """Write the message, unless as much of it is there; whether it is still to be told."""
    item = InboundTable(
        inbound.account,
        inbound.id,
        body=msgspec.json.encode(inbound).decode(),
        received=inbound.received,
        expires=inbound.at_ms // 1000 + ttl_days * 86_400,
    )
    try:
        item.save(condition=InboundTable.id.does_not_exist() | (InboundTable.received < inbound.received))
    except PutError as error:
        if not dynamo.condition_failed(error):
            raise
        held = InboundTable.get(inbound.account, inbound.id, consistent_read=True)
        return int(held.received) == inbound.received and (held.told or 0) < inbound.received
    return True


def told(inbound: Inbound) -> None:
    """Everybody who is to hear of it has it on a queue."""
    InboundTable(inbound.account, inbound.id).update([InboundTable.told.set(inbound.received)])


def change(inbound: Inbound) -> bool:
    """Write what is kept of a message anew. False where it is not there (any more), or as long as it is not told."""
    table = InboundTable
    body = msgspec.json.encode(inbound).decode()
    try:
        table(inbound.account, inbound.id).update([table.body.set(body)], condition=table.told.exists())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def with_number(account: str, number: str, since_ms: int, until_ms: int) -> Iterator[Inbound]:
    """The messages of [since_ms, until_ms) that have the number in them; all of that time are read for it."""
    within = InboundTable.id.between(_floor(since_ms), _floor(until_ms))
    for item in InboundTable.query(account, within, filter_condition=InboundTable.body.contains(number)):
        yield _decoder.decode(item.body)


def get(account: str, id_: str) -> Inbound | None:
    """The message, or None."""
    try:
        return _decoder.decode(InboundTable.get(account, id_, consistent_read=True).body)
    except InboundTable.DoesNotExist:
        return None


def listing(account: str, since_ms: int, until_ms: int, cursor: Cursor | None = None, limit: int = 50) -> Page[Inbound]:
    """Up to `limit` messages whose first part came in [since_ms, until_ms), newest first."""
    within = InboundTable.id.between(_floor(since_ms), _floor(until_ms))
    found = InboundTable.query(account, within, scan_index_forward=False, limit=limit, last_evaluated_key=cursor)
    return Page(tuple(_decoder.decode(item.body) for item in found), found.last_evaluated_key)


def _floor(at_ms: int) -> str:
    """Comes before each id of that instant, and after each earlier one."""
    return f"{INBOUND_PREFIX}{ids.floor_at(at_ms)}"
