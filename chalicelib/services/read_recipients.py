"""Where a job's recipients come from, read one after another: a list, or a file, from any place on."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from chalicelib.domain.job import BadRecipient, Job
from chalicelib.domain.recipients_file import (
    SAMPLE_BYTES,
    BadRow,
    Layout,
    Place,
    RecipientsFile,
    column_name,
    layout_of,
)
from chalicelib.services.faults import invalid_field
from chalicelib.services.gather_groups import gathered_key
from chalicelib.store import job_files

_values = msgspec.json.Decoder(dict[str, str])


class Listed(NamedTuple):
    """A recipient as it was handed over."""

    line: int
    number: str
    values: Mapping[str, str]


class Recipients(Protocol):
    """Recipients in their order. `place` is behind the last one that was given."""

    columns: tuple[str, ...]

    @property
    def place(self) -> Place: ...

    def __iter__(self) -> Iterator[Listed | BadRecipient]: ...


class ListedRecipients:
    """Those of a request; `line` is the place in the list, from 1."""

    def __init__(self, given: list[dict[str, str]], place: Place) -> None:
        self.columns = tuple(dict.fromkeys(column_name(name) for one in given for name in one))
        self.place = place
        self._given = given

    def __iter__(self) -> Iterator[Listed]:
        for line, one in enumerate(self._given[self.place.offset :], start=self.place.offset + 1):
            self.place = Place(line, line + 1)
            values = {column_name(name): value for name, value in one.items()}
            yield Listed(line, values.get("to", ""), values)


class FileRecipients:
    """Those of an uploaded file."""

    def __init__(self, key: str, size: int, layout: Layout, place: Place | None) -> None:
        self.columns = layout.columns
        self._layout = layout
        self._file = RecipientsFile(job_files.blocks(key, place.offset if place else 0, size), layout, place)

    @property
    def place(self) -> Place:
        return self._file.place

    def __iter__(self) -> Iterator[Listed | BadRecipient]:
        columns, at = self._layout.columns, self._layout.number_column
        for row in self._file:
            if isinstance(row, BadRow):
                yield BadRecipient(line=row.line, code=row.code, detail=row.detail)
                continue
            number = row.cells[at] if at < len(row.cells) else ""
            yield Listed(row.line, number, dict(zip(columns, row.cells, strict=False)))


class GatheredRecipients:
    """Contacts of groups, as they were when the job's preparation began; `line` is the place among them, from 1."""

    columns: tuple[str, ...] = ("name", "number")  # and each contact's own attributes

    def __init__(self, key: str, size: int, place: Place | None) -> None:
        self.place = place or Place(0)
        self._blocks = job_files.blocks(key, self.place.offset, size)

    def __iter__(self) -> Iterator[Listed | BadRecipient]:
        rest = b""
        for block in self._blocks:
            *lines, rest = (rest + block).split(b"\n")
            for raw in lines:
                line = self.place.line
                self.place = Place(self.place.offset + len(raw) + 1, line + 1)
                values = _values.decode(raw)
                yield Listed(line, values["to"], values)


def open_recipients(job: Job, place: Place | None) -> Recipients:
    """The job's recipients from `place` on. Raises job_files.NoObject; Fault where it has no such column."""
    if job.source.kind == "recipients":
        given = msgspec.json.decode(job_files.get(job_files.job_key(job.account, job.id, job_files.LIST)))
        return ListedRecipients(given, place or Place(0))
    gathered = job.source.kind == "groups"
    key = gathered_key(job) if gathered else job_files.upload_key(job.account, job.source.upload)
    size = job_files.size_of(key)
    if size is None:
        raise job_files.NoObject(key)
    if gathered:
        return GatheredRecipients(key, size, place)
    return FileRecipients(key, size, layout_at(key, job.source.number_column), place)


def layout_at(key: str, number_column: str | None) -> Layout:
    """How the file is written. Raises job_files.NoObject; Fault where it has no column of that name."""
    layout = layout_of(job_files.sample(key, SAMPLE_BYTES))
    if number_column is None:
        return layout
    name = column_name(number_column)
    if name not in layout.columns:
        told = f"the file has no column {number_column[:40]}; it has {', '.join(layout.columns)[:400] or 'none'}"
        raise invalid_field("/number_column", "unknown_column", told)
    return msgspec.structs.replace(layout, number_column=layout.columns.index(name))
