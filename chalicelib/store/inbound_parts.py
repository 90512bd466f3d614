"""Parts of inbound messages, each durable before it counts, until the others are there."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final, Literal

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib.domain.content import Segment
from chalicelib.store import dynamo

KEPT_SECONDS: Final = 86_400  # references come again; what is older belongs to no later message
_HEAD: Final = 0  # the number of the row that names the message; parts count from 1
_SLACK_SECONDS: Final = 3_600  # between the clocks of those who keep a message's parts


class PartTable(dynamo.Table):
    class Meta:
        suffix = "inbound_parts"

    set = UnicodeAttribute(hash_key=True)
    number = NumberAttribute(range_key=True)
    octets = BinaryAttribute(legacy_encoding=False, null=True)
    message = UnicodeAttribute(null=True)
    at_ms = NumberAttribute()
    expires = NumberAttribute()


class Head(msgspec.Struct, frozen=True):
    """The message that the parts are of: its id, and when the first of them came."""

    message: str
    at_ms: int


class Parts(msgspec.Struct, frozen=True):
    """What there is of a message."""

    head: Head
    octets: Mapping[int, bytes]  # by number


def set_of(gateway: str, sender: str, recipient: str, segment: Segment) -> str:
    """The name of the set of parts that belong together."""
    named = "\n".join((gateway, sender, recipient, str(segment.reference), str(segment.total)))
    return sha256(named.encode()).hexdigest()[:32]


def put(set_: str, message: str, number: int, octets: bytes, *, at_ms: int, now_ms: int) -> Literal["kept", "another"]:
    """Keep a part that came at `at_ms`; `message` is the id of the whole if this is the first of its parts.

    Keeping the same again changes nothing. `another`: a part of that number with other octets is there, so the
    reference has come again for a new message.
    """
    _put_new(PartTable(set_, _HEAD, message=message, at_ms=at_ms, expires=_expires(now_ms)), now_ms)
    if _put_new(PartTable(set_, number, octets=octets, at_ms=at_ms, expires=_expires(now_ms)), now_ms):
        return "kept"
    try:
        held = PartTable.get(set_, number, consistent_read=True)
    except PartTable.DoesNotExist:  # it expired this moment
        return "another"
    return "kept" if held.octets == octets else "another"


def get(set_: str) -> Parts | None:
    """What there is of the set this moment, without what an earlier message of the same reference left behind."""
    items = {int(item.number): item for item in PartTable.query(set_, consistent_read=True)}
    head = items.pop(_HEAD, None)
    if head is None:
        return None
    since = head.expires - _SLACK_SECONDS
    parts = {number: bytes(item.octets or b"") for number, item in items.items() if item.expires >= since}
    return Parts(Head(str(head.message), int(head.at_ms)), parts)


def forget(set_: str) -> None:
    """Remove the set, for the next message of the same reference."""
    with PartTable.batch_write() as batch:
        for item in PartTable.query(set_, consistent_read=True):
            batch.delete(item)


def _put_new(item: PartTable, now_ms: int) -> bool:
    """TTL deletes hours late: what has expired counts as gone."""
    try:
        item.save(condition=PartTable.set.does_not_exist() | (PartTable.expires <= now_ms // 1000))
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _expires(now_ms: int) -> int:
    return now_ms // 1000 + KEPT_SECONDS
