"""Ask for a report's file: made in the background, once for the same question, and handed out while it is fresh."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, Literal, NamedTuple

import msgspec

from chalicelib.domain import csv_lines, ids
from chalicelib.services.make_file import Line, make
from chalicelib.store import job_files, made_files, queues
from chalicelib.store.made_files import Made
from chalicelib.wire import JobWork

FRESH_MS: Final = 600_000  # for so long a file is good enough
HEAL_MS: Final = 300_000  # one that is not there by then is asked for once more
_DIGEST: Final = 32


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a report that was asked for last: its ULID, when, and of what."""

    id: str
    asked_ms: int
    report: msgspec.Raw


class Shelf(NamedTuple):
    """Whose files they are, and the stage of ⟨jobs⟩ that makes them."""

    owner: str
    stage: Literal["file", "admin_file"]


class Lines(NamedTuple):
    """What a file says: its columns, and the lines behind a position ('': all)."""

    columns: tuple[str, ...]
    after: Callable[[str], Iterator[Line]]


def ask(shelf: Shelf, report: msgspec.Struct, now_ms: int) -> tuple[str | None, Made | None]:
    """A URL of the report's file with when it was made; neither while it is made. It is begun where there is none that
    is good enough, once.
    """
    question = msgspec.json.encode(report)
    name = f"rpt_{sha256(question).hexdigest()[:_DIGEST]}"  # the same for the same question
    asked = _asked(shelf, name)
    made = made_files.made(_key(shelf, name, asked.id)) if asked else None
    if asked is not None and made is not None and now_ms - made.made_ms < FRESH_MS:
        called = f"{type(report).__struct_config__.tag}.csv"
        return job_files.url_to_download(_key(shelf, name, asked.id), called), made
    if asked is not None and made is None and now_ms - asked.asked_ms < HEAL_MS:
        return None, None
    if asked is not None and made is None:
        anew = msgspec.structs.replace(asked, asked_ms=now_ms)  # the same file goes on where it was
    else:
        anew = Asked(id=ids.new_ulid(now_ms), asked_ms=now_ms, report=msgspec.Raw(question))
    job_files.put(_key(shelf, name, "asked"), msgspec.json.encode(anew))
    _send(shelf, name, now_ms)
    return None, None


def export(shelf: Shelf, name: str, lines_of: Callable[[Asked], Lines], now_ms: int) -> None:
    """Make the file, or go on with it. Done twice, or by two at once, it is made once."""
    asked = _asked(shelf, name)
    if asked is None:
        return  # it was deleted since
    lines = lines_of(asked)
    head = (csv_lines.BOM + csv_lines.line(lines.columns)).encode()
    if make(_key(shelf, name, asked.id), head, lines.after, now_ms) is None:
        _send(shelf, name, now_ms)


def _asked(shelf: Shelf, name: str) -> Asked | None:
    try:
        return msgspec.json.decode(job_files.get(_key(shelf, name, "asked")), type=Asked)
    except job_files.NoObject:
        return None


def _send(shelf: Shelf, name: str, now_ms: int) -> None:
    work = JobWork(id=ids.new_ulid(now_ms), account=shelf.owner, job=name, stage=shelf.stage)
    queues.send(queues.JOBS, work)


def _key(shelf: Shelf, name: str, part: str) -> str:
    """With the uploads: it is deleted after a week."""
    whole = part if part == "asked" else f"{part}.csv"
    return f"{job_files.upload_key(shelf.owner, name)}/{whole}"
