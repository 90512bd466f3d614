"""Call detail records by the file: one line a message, between two dates of any age."""

from datetime import date
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.endpoints import CustomerCall, Endpoints, Reply
from chalicelib.api.made_files import FileView, file_view
from chalicelib.api.user_types import TimeZone
from chalicelib.services import export_cdrs
from chalicelib.services.export_cdrs import Format

endpoints: Final = Endpoints(__name__, tag="Reports", role="customer")

CdrExportId = Annotated[
    str, Meta(pattern="^cdx_[0-7][0-9A-HJKMNP-TV-Z]{25}$(?!\\n)", description="The id of an export of records.")
]


class NewCdrExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages: those that were charged, or refused, on these days, both included."""

    date_from: Annotated[date, Meta(description="However long ago: what is not in the log any more is archived.")]
    date_to: date
    time_zone: Annotated[TimeZone, Meta(description="Whose days they are. Default: the account's.")] | None = None
    format: Annotated[Format, Meta(description="csv: with a header. jsonl: a JSON object a line.")] = "csv"


class CdrExportBegun(msgspec.Struct, frozen=True, kw_only=True):
    """Under which id to ask for the file."""

    id: str


@endpoints.post("/v1/cdr-exports", status=202)
def export_cdr_file(call: CustomerCall, body: NewCdrExport) -> CdrExportBegun:
    """Export your messages' records between two dates to a gzip file of CSV or of JSON lines.

    A message's line says what it was, where it went, what it cost and what became of it; of its text only a hash.
    """
    account = call.caller.account
    zone = body.time_zone or account.time_zone
    return CdrExportBegun(
        id=export_cdrs.begin(account, body.date_from, body.date_to, zone, body.format, full=False, now_ms=call.now_ms)
    )


@endpoints.get("/v1/cdr-exports/{cdr_export}", also={202: FileView})
def read_cdr_export(call: CustomerCall, cdr_export: CdrExportId) -> FileView | Reply[FileView]:
    """Get the file of an export of records (gzip); 202 until it is made. It is kept for a week."""
    return file_view(*export_cdrs.state(call.caller.account.id, cdr_export), call.now_ms)
