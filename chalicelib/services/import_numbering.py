"""Import lines of the numbering plan: every one is looked at first, then all are written, or none."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.domain.rules import NumberingPrefix
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, FieldFault, invalid, invalid_field
from chalicelib.store import rule_rows

MAX_ROWS: Final = 20_000  # so many are written within the time that a request may take
MAX_TOLD: Final = 100  # faults that one answer names
_COLUMNS: Final = ("prefix", "country", "operator", "mcc", "mnc")
_NEEDED: Final = frozenset({"prefix", "country", "operator"})

# Field → what it must look like, in a sentence and as a pattern.
_FORMS: Final = {
    "prefix": ("1 to 15 digits, without +", re.compile(r"[1-9][0-9]{0,14}", re.ASCII)),
    "country": ("an ISO 3166-1 code of two capitals", re.compile(r"[A-Z]{2}", re.ASCII)),
    "operator": ("1 to 60 characters", re.compile(r"[^\x00-\x1f#]{1,60}")),  # '#' separates keys of usage
    "mcc": ("3 digits, or empty", re.compile(r"([0-9]{3})?", re.ASCII)),
    "mnc": ("2 or 3 digits, or empty", re.compile(r"([0-9]{2,3})?", re.ASCII)),
}


def import_numbering(lines: Sequence[NumberingPrefix]) -> int:
    """Write the lines over those with the same prefix; how many. Raises Fault `invalid_request` with each bad line."""
    if len(lines) > MAX_ROWS:
        raise invalid_field("", "too_long", f"{len(lines)} lines; at most {MAX_ROWS} in one import")
    faults = list(_faults(lines))
    if faults:
        told = f"{len(faults)} faults; nothing was imported"
        raise Fault("invalid_request", told, tuple(faults[:MAX_TOLD]))
    rule_rows.numbering.put_many(lines)
    record_change.changed(
        "prefix", "import", None, {"imported": len(lines), "first": [line.prefix for line in lines[:3]]}
    )
    return len(lines)


def parse_csv(raw: bytes) -> list[NumberingPrefix]:
    """The lines of a CSV whose first line names the columns prefix, country, operator and, if known, mcc and mnc.

    Raises Fault `invalid_request`.
    """
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        names = reader.fieldnames or []
        if not _NEEDED.issubset(names) or not set(names).issubset(_COLUMNS) or len(set(names)) < len(names):
            raise invalid_field("/0", "invalid_format", f"the first line names the columns {', '.join(_COLUMNS)}")
        return [_line(number, row) for number, row in enumerate(reader)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid_field("", "invalid_format", f"not a CSV in UTF-8: {error}") from None


def _line(number: int, row: dict[str | None, str | None]) -> NumberingPrefix:
    if None in row or None in row.values():
        raise invalid(
            FieldFault(field=f"/{number}", code="invalid_format", detail=f"line {number + 2}: columns differ")
        )
    return NumberingPrefix(**{str(name): (value or "").strip() for name, value in row.items()})


def _faults(lines: Sequence[NumberingPrefix]) -> Iterator[FieldFault]:
    """What is wrong, by the line's number in what was given (from 0)."""
    first: dict[str, int] = {}
    for number, line in enumerate(lines):
        for name, (looks, form) in _FORMS.items():
            if not form.fullmatch(getattr(line, name)):
                yield FieldFault(field=f"/{number}/{name}", code="invalid_format", detail=f"{name} is {looks}")
        if first.setdefault(line.prefix, number) != number:
            told = f"the prefix {line.prefix[:15]} stands in row {first[line.prefix]} already"
            yield FieldFault(field=f"/{number}/prefix", code="repeated", detail=told)
