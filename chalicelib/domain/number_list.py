"""Lists of numbers as people have them: a CSV with its numbers in one column, or a number a line. Read line by line."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Final

import msgspec

# Column names that hold the number, folded; without any of them the first column does.
_NAMES: Final = frozenset(
    {"number", "numbers", "phone", "msisdn", "mobile", "to", "telefono", "teléfono", "numero", "número"}
)
_DELIMITERS: Final = ";,\t"
# By their marks; a file without one is UTF-8, or else Latin-1, in which every file can be read.
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
MAX_FIELD: Final = 1_000


class Line(msgspec.Struct, frozen=True):
    """What stands in the number's column of a line; lines count from 1, as editors do."""

    line: int
    number: str


def lines(raw: bytes) -> Iterator[Line]:
    """Each line that is not empty, but for a first one that names the columns."""
    text = _decoded(raw)
    column = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    while True:
        try:
            row = next(reader, None)
        except csv.Error:  # a field without end: what is left is one line that is no number
            yield Line(reader.line_num, "")
            continue
        if row is None:
            return
        if reader.line_num == 1 and (named := _column(row)) is not None:
            column = named
        elif any(field.strip() for field in row):
            yield Line(reader.line_num, row[column].strip()[:MAX_FIELD] if column < len(row) else "")


def _decoded(raw: bytes) -> str:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _delimiter(text: str) -> str:
    """The one that the first line has most of."""
    first = text.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _column(row: list[str]) -> int | None:
    """Where the numbers are, if the row names columns: one of the known names, or no digit anywhere in it."""
    names = [field.strip().casefold() for field in row]
    known = next((number for number, name in enumerate(names) if name in _NAMES), None)
    if known is not None:
        return known
    return 0 if any(names) and not any(character.isdigit() for name in names for character in name) else None
