"""The Do Not Disturb list: add, import, search, remove numbers that promotional messages do not go to."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Country, Deleted
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, CsvBody, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.number_lists import (
    Cursor,
    Digits,
    ImportView,
    KnownNumber,
    NumberList,
    WrittenNumber,
    begins,
    imported,
)
from chalicelib.services import keep_dnd
from chalicelib.services.import_numbers import MAX_BYTES
from chalicelib.store import dnd
from chalicelib.store.dnd import Disturbed

endpoints: Final = Endpoints(__name__, tag="Do Not Disturb", role="admin")


class NewDnd(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number to leave in peace."""

    number: WrittenNumber


class DndView(msgspec.Struct, frozen=True, kw_only=True):
    """A number on the list."""

    number: str
    country: str
    added_at: datetime


class DndImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to read a list."""

    country: Annotated[Country, Meta(description="Where numbers without + are read first.")] | None = None


class DndQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which numbers to list."""

    country: Country
    prefix: Digits | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


@endpoints.post("/v1/admin/dnd", status=201)
def add_to_dnd(call: AdminCall, body: NewDnd) -> DndView:
    """Put a number on the Do Not Disturb list.

    Promotional messages to it end as `rejected` with the error `dnd`, and cost nothing; the first number of a country
    is looked for within some seconds.
    """
    return _view(keep_dnd.add(body.number, call.now_ms))


@endpoints.post("/v1/admin/dnd/import", faults=("list_too_long",), max_body_bytes=MAX_BYTES)
def import_dnd(call: AdminCall, body: NumberList | CsvBody, query: DndImportQuery) -> ImportView:
    """Import numbers to the Do Not Disturb list.

    As a JSON array, or as text/csv: a column named `number` (or the first), or a number a line. Lines that hold no
    number are named, counted and skipped. Importing a list again changes nothing.
    """
    given = body.raw if isinstance(body, CsvBody) else body
    return imported(keep_dnd.import_list(given, query.country, call.now_ms))


@endpoints.get("/v1/admin/dnd", faults=("invalid_cursor",))
def list_dnd(call: AdminCall, query: DndQuery) -> Listing[DndView]:
    """List or search a country's numbers on the Do Not Disturb list, by number."""
    prefix = begins(query.prefix)
    name = f"dnd {query.country} {prefix}"
    page = dnd.listing(query.country, prefix, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_view(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/admin/dnd/{msisdn}")
def read_dnd(call: AdminCall, msisdn: KnownNumber) -> DndView:
    """Look whether a number is on the Do Not Disturb list."""
    return _view(keep_dnd.read(msisdn))


@endpoints.delete("/v1/admin/dnd/{msisdn}")
def remove_from_dnd(call: AdminCall, msisdn: KnownNumber) -> Deleted:
    """Take a number off the Do Not Disturb list."""
    return Deleted(keep_dnd.remove(msisdn))


def _view(one: Disturbed) -> DndView:
    return DndView(number=one.number, country=one.country, added_at=instant(one.added_ms))
