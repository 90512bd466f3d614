"""Import contacts from an uploaded file, some seconds at a time: each row is imported, or named with its line."""

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.contact import MAX_CONTACTS, MAX_NAME, BadContact, Contact, attributes_of
from chalicelib.domain.csv_lines import unguarded
from chalicelib.domain.job import CHUNK_ROWS, MAX_FILE_BYTES, MAX_RECIPIENTS, BadRecipient
from chalicelib.domain.numbers import BadNumber, normalize
from chalicelib.domain.recipients_file import Place
from chalicelib.domain.seen_numbers import SeenNumbers
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.services.keep_groups import check_groups
from chalicelib.services.read_recipients import FileRecipients, Listed, layout_at
from chalicelib.store import accounts, contacts, dynamo, groups, job_files, memberships, queues
from chalicelib.store.contacts import NEW_AT_ONCE, ContactRow
from chalicelib.wire import JobWork

NAMES: Final = ("name", "nombre", "nome", "full_name")  # columns that hold a contact's name
_SECONDS: Final = 8.0  # of a function's 20, after which the rest is another record's
_ATTEMPTS: Final = 5  # others import the same numbers at the same moment


class Import(msgspec.Struct, kw_only=True):
    """An import as far as it has got. Each row that was read is imported or bad; a repeated number is bad."""

    id: str
    account: str
    upload: str
    groups: tuple[str, ...]
    number_column: str | None
    created_ms: int
    rows: int = 0
    imported: int = 0
    bad: dict[str, int] = {}
    bad_chunks: int = 0
    failure: str = ""
    ended: bool = False
    place: Place | None = None
    seen: bytes = b""
    bad_rows: list[BadRecipient] = []  # that are in no chunk yet


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Import)


def begin(account: str, upload: str, group_ids: tuple[str, ...], number_column: str | None, now_ms: int) -> Import:
    """An import that is begun. Raises Fault `invalid_request`."""
    check_groups(account, group_ids)
    key = job_files.upload_key(account, upload)
    size = job_files.size_of(key)
    if size is None:
        raise invalid_field("/upload_id", "unknown_upload", "nothing was uploaded there, or it is older than a week")
    if size > MAX_FILE_BYTES:
        raise invalid_field("/upload_id", "too_large", f"the file has {size} bytes; the limit is {MAX_FILE_BYTES}")
    columns = layout_at(key, number_column).columns
    if len(set(columns)) < len(columns):
        raise invalid_field("/upload_id", "repeated_column", "two of the file's columns have one name")
    made = Import(
        id=ids.new_id("imp", now_ms),
        account=account,
        upload=upload,
        groups=group_ids,
        number_column=number_column,
        created_ms=now_ms,
    )
    _keep(made)
    _send(made)
    record_change.changed("contact_import", made.id, None, {"upload": upload, "groups": group_ids})
    return made


def read(account: str, import_id: str) -> Import:
    """The import as far as it has got. Raises Fault `not_found`."""
    try:
        return _decoder.decode(job_files.get(_key(account, import_id)))
    except job_files.NoObject:
        raise not_found("import") from None


def bad_rows(account: str, import_id: str, chunk: int) -> tuple[BadRecipient, ...]:
    """A chunk of the rows that were not imported."""
    return job_files.bad(account, import_id, chunk)


def go_on(account_id: str, import_id: str, now_ms: int) -> None:
    """Import some seconds' worth of rows. Done twice, or by two at once, it writes the same contacts."""
    work, account = read(account_id, import_id), accounts.get(account_id)
    if work.ended or account is None:
        return
    try:
        ended = _Importer(work, account, now_ms).run()
    except job_files.NoObject:
        work.failure, ended = "the file is not there (any more)", True
    work.ended = ended
    if ended:
        _flush_bad(work)
        work.seen = b""
    _keep(work)
    if not ended:
        _send(work)


class _Importer:
    def __init__(self, work: Import, account: Account, now_ms: int) -> None:
        self._work = work
        self._account = account
        self._now_ms = now_ms
        self._seen = SeenNumbers(work.seen)
        self._number_column = ""
        self._groups = [group.id for group in groups.among(work.account, list(work.groups))]  # that are still there

    def run(self) -> bool:
        """Whether the file is at its end."""
        work, ends = self._work, time.monotonic() + _SECONDS
        file = self._open()
        batch: list[tuple[int, Contact]] = []
        for row in file:
            work.rows += 1
            if work.rows > MAX_RECIPIENTS:
                work.failure = f"an import takes at most {MAX_RECIPIENTS} rows"
                break
            made = self._contact(row)
            if isinstance(made, BadRecipient):
                _note(work, made)
            else:
                batch.append((row.line, made))
            if len(batch) == NEW_AT_ONCE:
                self._write(batch)
                batch = []
            if not batch and time.monotonic() > ends:
                work.place, work.seen = file.place, self._seen.keep()
                return False
        if batch:
            self._write(batch)
        return True

    def _open(self) -> FileRecipients:
        work = self._work
        key = job_files.upload_key(work.account, work.upload)
        size = job_files.size_of(key)
        if size is None:
            raise job_files.NoObject(key)
        layout = layout_at(key, work.number_column)
        self._number_column = layout.columns[layout.number_column] if layout.columns else ""
        return FileRecipients(key, size, layout, work.place)

    def _contact(self, row: Listed | BadRecipient) -> Contact | BadRecipient:
        if isinstance(row, BadRecipient):
            return row
        values = {column: unguarded(value) for column, value in row.values.items()}
        named = next((values.pop(column) for column in NAMES if column in values), "")
        given = {column: value for column, value in values.items() if column != self._number_column}
        try:
            number = normalize(unguarded(row.number), self._account.default_region)
            attributes = attributes_of(given)
        except (BadNumber, BadContact) as error:
            return BadRecipient(line=row.line, code=error.code, detail=str(error))
        if len(named) > MAX_NAME:
            return BadRecipient(line=row.line, code="too_long", detail=f"a name has at most {MAX_NAME} characters")
        if not self._seen.add(number.e164):
            return BadRecipient(line=row.line, code="duplicate", detail="the number stands further up")
        return Contact(
            account=self._work.account,
            number=number.e164,
            created_ms=self._now_ms,
            name=named,
            attributes=attributes,
        )

    def _write(self, batch: list[tuple[int, Contact]]) -> None:
        """Make the new ones, change those that are there, and put all into the groups."""
        lines = {contact.number: line for line, contact in batch}
        written = list(self._written([contact for _, contact in batch], lines))
        memberships.put(self._work.account, ((group, number) for group in self._groups for number in written))
        self._work.imported += len(written)

    def _written(self, given: list[Contact], lines: dict[str, int]) -> Iterator[str]:
        for _ in range(_ATTEMPTS):
            there = contacts.among(self._work.account, (contact.number for contact in given))
            new = [contact for contact in given if contact.number not in there]
            made = contacts.create(new, MAX_CONTACTS) if new else "created"
            if made != "exists":
                break
        else:
            raise dynamo.Overloaded("others write the same contacts")
        if made == "created":
            yield from (contact.number for contact in new)
        else:
            yield from self._those_that_fit(new, lines)
        changed: list[ContactRow] = []
        for contact in given:
            if held := there.get(contact.number):
                try:
                    changed.append(ContactRow(_merged(held.contact, contact), held.version + 1))
                except BadContact as error:
                    _note(self._work, BadRecipient(line=lines[contact.number], code=error.code, detail=str(error)))
        contacts.overwrite(changed)
        yield from (row.contact.number for row in changed)

    def _those_that_fit(self, new: list[Contact], lines: dict[str, int]) -> Iterator[str]:
        """One by one, until the account has as many as it may."""
        full = False
        for contact in new:
            full = full or contacts.create([contact], MAX_CONTACTS) == "full"
            if full:
                told = f"an account has at most {MAX_CONTACTS} contacts"
                _note(self._work, BadRecipient(line=lines[contact.number], code="too_many_contacts", detail=told))
            else:
                yield contact.number


def _merged(held: Contact, given: Contact) -> Contact:
    """The contact with what the file says of it; what the file does not say stays. Raises BadContact."""
    return msgspec.structs.replace(
        held, name=given.name or held.name, attributes=attributes_of({**held.attributes, **given.attributes})
    )


def _note(work: Import, bad: BadRecipient) -> None:
    work.bad[bad.code] = work.bad.get(bad.code, 0) + 1
    work.bad_rows.append(bad)
    if len(work.bad_rows) >= CHUNK_ROWS:
        _flush_bad(work)


def _flush_bad(work: Import) -> None:
    if work.bad_rows:
        job_files.put_bad(work.account, work.id, work.bad_chunks, work.bad_rows)
        work.bad_chunks += 1
        work.bad_rows.clear()


def _send(work: Import) -> None:
    queues.send(queues.JOBS, JobWork(id=work.id, account=work.account, job=work.id, stage="import"))


def _keep(work: Import) -> None:
    job_files.put(_key(work.account, work.id), _encoder.encode(work))


def _key(account: str, import_id: str) -> str:
    return job_files.job_key(account, import_id, "import")
