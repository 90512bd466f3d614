"""Make a file of many lines, some seconds at a time and with flat memory; the same one however often it is tried."""

import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from chalicelib.store import job_files, made_files
from chalicelib.store.made_files import Made, PartsLost, Progress

_SECONDS: Final = 8.0  # of a function's 20, after which the rest is another record's
_LOOK_EVERY: Final = 500  # lines between two looks at the clock


class Line(NamedTuple):
    """A line with its end, and a position behind which the lines after it begin. Or several lines, or none yet."""

    position: str
    raw: bytes
    rows: int = 1


def make(key: str, head: bytes, lines_after: Callable[[str], Iterator[Line]], now_ms: int) -> Made | None:
    """The file at `key`, whole; None where its time was up: go on later by calling it again.

    `lines_after` gives the lines behind a position ('': all). Broken off anywhere, and tried again or by two at once,
    it makes one whole file: S3 puts together only the parts that the same maker wrote.
    """
    there = made_files.made(key)
    if there is not None:
        return there
    so_far = made_files.progress(key) or Progress(rest=head)
    try:
        if not so_far.ended and not _write(key, so_far, lines_after):
            made_files.keep(key, so_far)
            return None
        _end(key, so_far)
    except PartsLost:
        if job_files.size_of(key) is None:  # others have written parts over ours: begin again
            made_files.keep(key, Progress(rest=head))
            return None
        so_far = made_files.progress(key) or so_far  # of who put it together
    made = Made(rows=so_far.rows, made_ms=now_ms)
    made_files.note_made(key, made)
    return made


def _write(key: str, so_far: Progress, lines_after: Callable[[str], Iterator[Line]]) -> bool:
    """Write lines; whether those were all."""
    ends = time.monotonic() + _SECONDS
    buffer = bytearray(so_far.rest)
    for position, raw, rows in lines_after(so_far.position):
        buffer += raw
        so_far.position = position
        so_far.rows += rows
        if len(buffer) >= made_files.PART_BYTES:
            so_far.upload = so_far.upload or made_files.begin(key)
            _part(key, so_far, bytes(buffer))
            buffer.clear()
        if (rows != 1 or not so_far.rows % _LOOK_EVERY) and time.monotonic() > ends:
            so_far.rest = bytes(buffer)
            return False
    so_far.rest = bytes(buffer)
    return True


def _end(key: str, so_far: Progress) -> None:
    if not so_far.upload:
        job_files.put(key, so_far.rest)
        return
    if not so_far.ended:
        if so_far.rest:
            _part(key, so_far, so_far.rest)
        so_far.rest, so_far.ended = b"", True
        made_files.keep(key, so_far)  # who comes after a death here need only have S3 put the parts together
    made_files.complete(key, so_far.upload, so_far.etags)


def _part(key: str, so_far: Progress, body: bytes) -> None:
    so_far.etags.append(made_files.put_part(key, so_far.upload, len(so_far.etags) + 1, body))
