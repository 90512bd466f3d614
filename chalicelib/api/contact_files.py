"""Contacts by the file: imported from an upload, exported to a CSV."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.contact_types import AddressBookQuery, GroupIds
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints, Reply
from chalicelib.api.instants import instant
from chalicelib.api.job_previews import InvalidRow, invalid_row
from chalicelib.api.job_settings import GroupId, UploadId
from chalicelib.api.made_files import FileView, file_view
from chalicelib.services import export_contacts, import_contacts
from chalicelib.services.faults import Fault
from chalicelib.services.import_contacts import Import

endpoints: Final = Endpoints(__name__, tag="Contacts", role="customer")
_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

ImportId = Annotated[str, Meta(pattern=f"^imp_{_ULID}$(?!\\n)", description="An import's id.")]
ExportId = Annotated[str, Meta(pattern=f"^exp_{_ULID}$(?!\\n)", description="An export's id.")]


class NewImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of contacts: a column of numbers, one called `name` if they have names; the others are attributes."""

    upload_id: UploadId
    group_ids: Annotated[GroupIds, Meta(description="Groups that all of them are put into.")] = ()
    number_column: (
        Annotated[str, Meta(min_length=1, max_length=64, description="Default: found by its name.")] | None
    ) = None


class ContactImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import as far as it has got. Every row is imported or invalid."""

    id: str
    status: Literal["running", "completed", "failed"]
    created_at: datetime
    rows: int
    imported: Annotated[int, Meta(description="Made, or changed where they were there.")]
    invalid: int
    invalid_by_code: dict[str, int]
    error: str | None


class NewExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to export."""

    group_id: Annotated[GroupId, Meta(description="Default: all contacts.")] | None = None


class ExportBegun(msgspec.Struct, frozen=True, kw_only=True):
    """Under which id to ask for the file."""

    id: str


@endpoints.post("/v1/contact-imports", status=202, faults=("not_found",))
def import_contacts_file(call: CustomerCall, body: NewImport) -> ContactImport:
    """Import contacts from an upload (`POST /v1/uploads`): CSV or text, as a job's recipients.

    A contact that is there gets what the file says of it, and keeps the rest. Each row that is not imported is named
    with its line. Importing a file again changes nothing.
    """
    groups = tuple(dict.fromkeys(body.group_ids))
    account = call.caller.account.id
    return _view(import_contacts.begin(account, body.upload_id, groups, body.number_column, call.now_ms))


@endpoints.get("/v1/contact-imports/{contact_import}")
def read_contact_import(call: CustomerCall, contact_import: ImportId) -> ContactImport:
    """Read how far an import has got."""
    return _view(import_contacts.read(call.caller.account.id, contact_import))


@endpoints.get("/v1/contact-imports/{contact_import}/invalid-rows", faults=("invalid_cursor",))
def list_invalid_rows_of_import(
    call: CustomerCall, contact_import: ImportId, query: AddressBookQuery
) -> Listing[InvalidRow]:
    """List every row that was not imported, and why; repeated numbers among them."""
    work = import_contacts.read(call.caller.account.id, contact_import)
    name = f"invalid rows {work.id}"
    chunk, at = _place(unseal(call, name, query.cursor))
    if chunk >= work.bad_chunks:
        return Listing(data=())
    bad = import_contacts.bad_rows(work.account, work.id, chunk)
    after = (chunk, at + query.limit) if at + query.limit < len(bad) else (chunk + 1, 0)
    data = tuple(map(invalid_row, bad[at : at + query.limit]))
    return Listing(data=data, next_cursor=seal(call, name, after if after[0] < work.bad_chunks else None))


@endpoints.post("/v1/contact-exports", status=202, faults=("not_found",))
def export_contacts_file(call: CustomerCall, body: NewExport) -> ExportBegun:
    """Export your contacts, or a group's, to a CSV file that can be imported again."""
    return ExportBegun(id=export_contacts.begin(call.caller.account.id, body.group_id, call.now_ms))


@endpoints.get("/v1/contact-exports/{contact_export}", also={202: FileView})
def read_contact_export(call: CustomerCall, contact_export: ExportId) -> FileView | Reply[FileView]:
    """Get the file of an export; 202 until it is made. It is kept for a week."""
    return file_view(*export_contacts.state(call.caller.account.id, contact_export), call.now_ms)


def _view(work: Import) -> ContactImport:
    return ContactImport(
        id=work.id,
        status="failed" if work.failure else "completed" if work.ended else "running",
        created_at=instant(work.created_ms),
        rows=work.rows,
        imported=work.imported,
        invalid=sum(work.bad.values()),
        invalid_by_code=work.bad,
        error=work.failure or None,
    )


def _place(position: Any) -> tuple[int, int]:
    try:
        return (0, 0) if position is None else msgspec.convert(position, tuple[int, int])
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
