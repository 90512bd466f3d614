"""Call detail records of all accounts, or of one, by the file: with gateways, routes and costs."""

from typing import Annotated, Final

from msgspec import Meta

from chalicelib.api.admin.types import AccountId
from chalicelib.api.cdr_exports import CdrExportBegun, CdrExportId, NewCdrExport
from chalicelib.api.endpoints import AdminCall, Endpoints, Reply
from chalicelib.api.made_files import FileView, file_view
from chalicelib.services import export_cdrs
from chalicelib.services.faults import not_found
from chalicelib.store import accounts
from chalicelib.wire import EVERYBODY

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")


class NewFullCdrExport(NewCdrExport, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages: those that were charged, or refused, on these days, both included."""

    account: Annotated[AccountId, Meta(description="Default: all accounts.")] | None = None


@endpoints.post("/v1/admin/cdr-exports", status=202, faults=("not_found",))
def export_cdr_file_of_accounts(call: AdminCall, body: NewFullCdrExport) -> CdrExportBegun:
    """Export messages' records between two dates to a gzip file of CSV or of JSON lines, of an account or of all.

    Days are UTC's unless `time_zone` says otherwise.
    """
    account = None
    if body.account is not None and (account := accounts.get(body.account)) is None:
        raise not_found("account")
    zone = body.time_zone or "UTC"
    return CdrExportBegun(
        id=export_cdrs.begin(account, body.date_from, body.date_to, zone, body.format, full=True, now_ms=call.now_ms)
    )


@endpoints.get("/v1/admin/cdr-exports/{cdr_export}", also={202: FileView})
def read_cdr_export_of_accounts(call: AdminCall, cdr_export: CdrExportId) -> FileView | Reply[FileView]:
    """Get the file of an export of records (gzip); 202 until it is made. It is kept for a week."""
    return file_view(*export_cdrs.state(EVERYBODY, cdr_export), call.now_ms)
