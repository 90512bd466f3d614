"""The numbering plan: import lines, list them, delete one. Used as it was when last published."""

from typing import Final

import msgspec

from chalicelib.api.admin.types import Deleted, PageQuery, Prefix
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, CsvBody, Endpoints
from chalicelib.domain.rules import NumberingPrefix
from chalicelib.services.drop_row import drop_row
from chalicelib.services.import_numbering import import_numbering, parse_csv
from chalicelib.store import rule_rows

endpoints: Final = Endpoints(__name__, tag="Numbering plan", role="admin")
MAX_IMPORT_BYTES: Final = 4_000_000  # Lambda takes 6 MB, as base64 or not


class NumberingLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prefix of numbers (digits, no +) and whose it is; the longest that matches a number counts."""

    prefix: str
    country: str
    operator: str
    mcc: str = ""
    mnc: str = ""


class Imported(msgspec.Struct, frozen=True):
    """How many lines were written."""

    lines: int


@endpoints.post("/v1/admin/numbering", max_body_bytes=MAX_IMPORT_BYTES)
def import_numbering_plan(call: AdminCall, body: tuple[NumberingLine, ...] | CsvBody) -> Imported:
    """Import lines of the numbering plan, over those with the same prefix.

    As a JSON array, or as text/csv whose first line names the columns. Every line is checked before the first is
    written: bad ones are named by their number (from 0), and then nothing is imported.
    """
    if isinstance(body, CsvBody):
        return Imported(import_numbering(parse_csv(body.raw)))
    return Imported(import_numbering([NumberingPrefix(**msgspec.structs.asdict(line)) for line in body]))


@endpoints.get("/v1/admin/numbering", faults=("invalid_cursor",))
def list_numbering_plan(call: AdminCall, query: PageQuery) -> Listing[NumberingLine]:
    """List the numbering plan as it is edited, in no particular order."""
    page = rule_rows.numbering.listing(unseal(call, "numbering", query.cursor), query.limit)
    lines = tuple(NumberingLine(**msgspec.structs.asdict(row.value)) for row in page.items)
    return Listing(data=lines, next_cursor=seal(call, "numbering", page.cursor))


@endpoints.delete("/v1/admin/numbering/{prefix}")
def delete_numbering_line(call: AdminCall, prefix: Prefix) -> Deleted:
    """Delete a line of the numbering plan; it goes with the next publishing."""
    drop_row("prefix", rule_rows.numbering, prefix, "line of the numbering plan")
    return Deleted(prefix)
