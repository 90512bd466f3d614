"""Do Not Disturb: numbers that promotional messages do not go to, whoever sends them; and which countries have any."""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import DeleteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.page import Cursor, Page

_COUNTRIES: Final = "countries"  # the key of the item that says which have any; numbers begin with +


class ByCountry(GlobalSecondaryIndex["DndTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_country"
        projection = AllProjection()

    country = UnicodeAttribute(hash_key=True)
    number = UnicodeAttribute(range_key=True)


class DndTable(dynamo.Table):
    class Meta:
        suffix = "dnd"

    number = UnicodeAttribute(hash_key=True)
    country = UnicodeAttribute(null=True)  # none on the item of the countries, which so is not in the index
    added_ms = NumberAttribute(null=True)
    countries = UnicodeSetAttribute(null=True)
    by_country = ByCountry()


class Disturbed(msgspec.Struct, frozen=True):
    """A number that is not to be disturbed."""

    number: str  # E.164 with +
    country: str
    added_ms: int


def put(numbers: Iterable[Disturbed]) -> None:
    """Put the numbers on the list, over what stands there. Raises dynamo.Overloaded.

    Their countries come first: a number whose country is not known to have any would not be looked for.
    """
    given = list(numbers)
    known = _cached.get(_COUNTRIES, max((one.added_ms for one in given), default=0)) or frozenset()
    fresh = {one.country for one in given} - known
    if fresh:
        DndTable(_COUNTRIES).update([DndTable.countries.add(fresh)])
        _cached.forget(_COUNTRIES)
    dynamo.put_all(DndTable(one.number, country=one.country, added_ms=one.added_ms) for one in given)


def get(number: str) -> Disturbed | None:
    """The number's entry as it is this moment, or None."""
    try:
        item = DndTable.get(number, consistent_read=True)
    except DndTable.DoesNotExist:
        return None
    return _read(item) if item.country else None


def delete(number: str) -> bool:
    """False where it was not on the list."""
    try:
        DndTable(number).delete(condition=DndTable.country.exists())
    except DeleteError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def listing(country: str, prefix: str = "", cursor: Cursor | None = None, limit: int = 100) -> Page[Disturbed]:
    """Up to `limit` numbers of a country that begin so, in order. One just added may be missed for a moment."""
    begins = DndTable.number.startswith(prefix) if prefix else None
    found = DndTable.by_country.query(country, begins, limit=limit, page_size=limit, last_evaluated_key=cursor)
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _read_countries(key: str) -> frozenset[str]:
    try:
        return frozenset(DndTable.get(key).countries or ())
    except DndTable.DoesNotExist:
        return frozenset()


_cached: Final[Cached[str, frozenset[str]]] = Cached(_read_countries, lambda: settings().account_cache_seconds)


def countries(now_ms: int) -> frozenset[str]:
    """The countries of which numbers are on the list, or were; at most `account_cache_seconds` old."""
    return _cached.get(_COUNTRIES, now_ms) or frozenset()


def _read(item: DndTable | ByCountry) -> Disturbed:
    return Disturbed(str(item.number), str(item.country), int(item.added_ms or 0))  # type: ignore[union-attr]
