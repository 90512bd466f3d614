"""Export contacts: a CSV file of all of them or of a group, made in the background, which can be imported again."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from chalicelib.domain import csv_lines, ids
from chalicelib.domain.contact import Contact
from chalicelib.services import record_change
from chalicelib.services.faults import not_found
from chalicelib.services.gather_groups import gathered
from chalicelib.services.keep_groups import read as read_group
from chalicelib.services.make_file import Line, make
from chalicelib.store import contacts, job_files, made_files, queues
from chalicelib.store.made_files import Made
from chalicelib.wire import JobWork

MAX_COLUMNS: Final = 90  # an import reads a hundred
OTHERS: Final = "other_attributes"  # as JSON, where there are more
_FIRST: Final = ("number", "name")


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: of which group (None: all contacts)."""

    group: str | None


_decoder: Final = msgspec.json.Decoder(Export)


def begin(account: str, group_id: str | None, now_ms: int) -> str:
    """The id of an export that is begun. Raises Fault `not_found`."""
    if group_id is not None:
        read_group(account, group_id)
    export_id = ids.new_id("exp", now_ms)
    job_files.put(_key(account, export_id, "asked"), msgspec.json.encode(Export(group=group_id)))
    _send(account, export_id)
    record_change.changed("contact_export", export_id, None, {"group": group_id})
    return export_id


def state(account: str, export_id: str) -> tuple[str | None, Made | None]:
    """A URL of the file with when it was made; neither while it is made. Raises Fault `not_found`."""
    _asked(account, export_id)
    key = _key(account, export_id, "contacts.csv")
    made = made_files.made(key)
    return (job_files.url_to_download(key, "contacts.csv"), made) if made else (None, None)


def export(account: str, export_id: str, now_ms: int) -> None:
    """Make the file, or go on with it. Done twice, or by two at once, it is made once."""
    asked = _asked(account, export_id)
    columns = _columns(account, export_id, asked)
    head = (csv_lines.BOM + csv_lines.line((*_FIRST, *columns))).encode()
    key = _key(account, export_id, "contacts.csv")
    if make(key, head, lambda position: _lines(account, asked, columns, position), now_ms) is None:
        _send(account, export_id)


def _columns(account: str, export_id: str, asked: Export) -> list[str]:
    """The attributes that become columns: all, or the most frequent, with one for the rest. Found out once."""
    key = _key(account, export_id, "columns")
    try:
        return msgspec.json.decode(job_files.get(key), type=list[str])
    except job_files.NoObject:
        names = Counter(name for contact in _found(account, asked, "") for name in contact.attributes)
    columns = sorted(name for name, _ in names.most_common(MAX_COLUMNS))
    if len(names) > MAX_COLUMNS:
        columns.append(OTHERS)
    job_files.put(key, msgspec.json.encode(columns))
    return columns


def _found(account: str, asked: Export, position: str) -> Iterator[Contact]:
    return gathered(account, [asked.group], position) if asked.group else contacts.after(account, position)


def _lines(account: str, asked: Export, columns: list[str], position: str) -> Iterator[Line]:
    for contact in _found(account, asked, position):
        yield Line(contact.number, csv_lines.line(_cells(contact, columns)).encode())


def _cells(contact: Contact, columns: list[str]) -> tuple[str, ...]:
    values = dict(contact.attributes)
    if columns[-1:] == [OTHERS]:
        others = {name: value for name, value in values.items() if name not in columns}
        values[OTHERS] = msgspec.json.encode(others).decode() if others else ""
    return (contact.number, contact.name, *(values.get(column, "") for column in columns))


def _asked(account: str, export_id: str) -> Export:
    try:
        return _decoder.decode(job_files.get(_key(account, export_id, "asked")))
    except job_files.NoObject:
        raise not_found("export") from None


def _send(account: str, export_id: str) -> None:
    queues.send(queues.JOBS, JobWork(id=export_id, account=account, job=export_id, stage="export"))


def _key(account: str, export_id: str, name: str) -> str:
    return f"{job_files.upload_key(account, export_id)}/{name}"  # with the uploads, it is deleted after a week
