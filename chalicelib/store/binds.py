"""The bind log: sessions that came, were refused and went; a day's in one place, and by whose they are."""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain import ids
from chalicelib.domain.bind_event import BindEvent
from chalicelib.store import dynamo

KEPT_SECONDS: Final = 90 * 86_400
_LAST: Final = "~"  # after every ULID
_decoder: Final = msgspec.json.Decoder(BindEvent)


class ByParty(GlobalSecondaryIndex["BindTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_party"
        projection = AllProjection()

    party = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class BindTable(dynamo.Table):
    class Meta:
        suffix = "binds"

    day = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    party = UnicodeAttribute()
    body = UnicodeAttribute()
    expires = NumberAttribute()
    by_party = ByParty()


def put(events: Iterable[BindEvent]) -> None:
    """Write the events, 25 a request. Writing one again changes nothing. Raises dynamo.Overloaded."""
    dynamo.put_all(
        BindTable(
            ids.day_at(event.at_ms),
            event.id,
            party=event.party,
            body=msgspec.json.encode(event).decode(),
            expires=event.at_ms // 1000 + KEPT_SECONDS,
        )
        for event in events
    )


def of_day(day: str, before: str | None, limit: int) -> list[BindEvent]:
    """Up to `limit` events of a UTC day (YYYY-MM-DD), newest first, those before the id."""
    within = BindTable.id < (before or _LAST)
    found = BindTable.query(day, within, scan_index_forward=False, limit=limit)
    return [_decoder.decode(item.body) for item in found]


def of_party(party: str, since_ms: int, before: str, limit: int) -> list[BindEvent]:
    """Up to `limit` events of a party (BindEvent.party) from then on, newest first, those before the id; a moment
    late."""
    within = BindTable.id.between(ids.floor_at(since_ms), before)
    found = BindTable.by_party.query(party, within, scan_index_forward=False, limit=limit + 1)
    return [event for event in (_decoder.decode(item.body) for item in found) if event.id < before][:limit]
