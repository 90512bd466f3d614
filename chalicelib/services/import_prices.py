"""Import prices and costs: each line of a file is looked at first, then all are taken, or none; and export them."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

from chalicelib.domain import csv_lines
from chalicelib.domain.money import BadAmount, format_amount, parse_amount
from chalicelib.domain.tariff import ALWAYS_MS, COUNTRY, OPERATOR, TariffLine
from chalicelib.services.faults import Fault, FieldFault, invalid_field

MAX_LINES: Final = 5_000  # of a tariff: some 250 KB of the 400 that an item of DynamoDB may have
MAX_BYTES: Final = 320_000  # of their encoding, where operators' names are long
MAX_TOLD: Final = 100  # faults that one answer names
_LAST_MS: Final = 253_402_300_799_999  # the end of the year 9999
_FLAGS: Final = {"": False, "no": False, "false": False, "yes": True, "true": True}
_DELIMITERS: Final = (",", ";", "\t")  # spreadsheets in countries with a decimal comma write the second


class Form(NamedTuple):
    """How the files of one kind of tariff look: what the column of amounts is called, and all columns."""

    amount: str
    columns: tuple[str, ...]


PRICES: Final = Form("price", ("country", "operator", "price", "effective_from", "below_cost"))
COSTS: Final = Form("cost", ("country", "operator", "cost", "effective_from"))


def parse_csv(raw: bytes, form: Form) -> list[TariffLine]:
    """The lines of a CSV whose first line names the columns, of which country and the amount are needed.

    Raises Fault `invalid_request` with each fault, by the row's number (from 0) and column; it tells the file's line.
    """
    lines: list[TariffLine] = []
    faults: list[FieldFault] = []
    for number, (place, row) in enumerate(_rows(raw, form)):
        values: dict[str, Any] = {}
        for column in form.columns:
            cell = _CELLS[column]
            try:
                values[column] = cell.parse(csv_lines.unguarded((row.get(column) or "").strip()))
            except ValueError as error:
                told = f"line {place}: {column} is {cell.looks}"
                code = str(getattr(error, "code", "invalid_format"))
                faults.append(FieldFault(field=f"/{number}/{column}", code=code, detail=told))
        if len(values) == len(form.columns):
            lines.append(_line(values, form))
    _refuse(faults)
    return lines


def export_csv(lines: Iterable[TariffLine], form: Form) -> str:
    """The lines as a CSV that can be imported again; no cell of it is a formula to a spreadsheet."""
    return csv_lines.BOM + "".join(map(csv_lines.line, (form.columns, *(_row(line, form) for line in lines))))


def merged(held: Sequence[TariffLine], given: Sequence[TariffLine], *, replace: bool) -> tuple[TariffLine, ...]:
    """The lines in their order: those given, over the ones of the same operator and instant, or in place of all.

    Raises Fault `invalid_request` with each that stands there twice, `list_too_long`.
    """
    _refuse(list(_repeated(given)))
    together = {line.key: line for line in (*(() if replace else held), *given)}
    size = sum(60 + len((line.operator or "").encode()) for line in together.values())
    if len(together) > MAX_LINES or size > MAX_BYTES:
        raise Fault("list_too_long", f"{len(together)} lines; there may be {MAX_LINES}, fewer with long names")
    return tuple(together[key] for key in sorted(together))


def parse_instant(text: str) -> int:
    """Epoch milliseconds of a day (its midnight, UTC) or of an instant with its offset (RFC 3339); '' is always.

    Raises ValueError where there is no such day, or it is out of range.
    """
    if not text:
        return ALWAYS_MS
    try:
        told = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        told = datetime.fromisoformat(text)
    if told.tzinfo is None:
        raise ValueError("no offset")
    return ms_of(told)


def ms_of(instant: datetime) -> int:
    """Epoch milliseconds of an instant from 1970 on, whose UTC day has a name. Raises ValueError for another."""
    at_ms = int(instant.timestamp() * 1000)
    if not ALWAYS_MS <= at_ms <= _LAST_MS:
        raise ValueError("out of range")
    return at_ms


def _country(text: str) -> str:
    if not COUNTRY.fullmatch(text):
        raise ValueError(text)
    return text


def _operator(text: str) -> str | None:
    if text and not OPERATOR.fullmatch(text):
        raise ValueError(text)
    return text or None


def _amount(text: str) -> int:
    micros = parse_amount(text)
    if micros < 0:
        raise BadAmount("negative")
    return micros


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text.lower()]


class _Cell(NamedTuple):
    """What stands in a column, in a sentence and as a function that raises ValueError."""

    looks: str
    parse: Callable[[str], object]


_AMOUNT: Final = _Cell("an amount with a point and at most 6 decimals, as 0.045, not negative", _amount)
_CELLS: Final[Mapping[str, _Cell]] = {
    "country": _Cell("an ISO 3166-1 code of two capitals", _country),
    "operator": _Cell("1 to 60 characters without #, or empty for all others of the country", _operator),
    "price": _AMOUNT,
    "cost": _AMOUNT,
    "effective_from": _Cell("a day as 2026-12-31, an instant with its offset, or empty for always", parse_instant),
    "below_cost": _Cell("yes, no, or empty", _flag),
}


def _line(values: Mapping[str, Any], form: Form) -> TariffLine:
    return TariffLine(
        country=values["country"],
        operator=values["operator"],
        amount_micros=values[form.amount],
        from_ms=values["effective_from"],
        below_cost=values.get("below_cost", False),
    )


def _row(line: TariffLine, form: Form) -> tuple[str, ...]:
    begins = datetime.fromtimestamp(line.from_ms / 1000, UTC).isoformat().replace("+00:00", "Z") if line.from_ms else ""
    cells = (line.country, line.operator or "", format_amount(line.amount_micros), begins)
    return (*cells, "yes" if line.below_cost else "")[: len(form.columns)]


def _rows(raw: bytes, form: Form) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row by its columns, with the file's line that it ends in. Raises Fault `invalid_request`."""
    try:
        text = raw.decode("utf-8-sig")
        head = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=head.count)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        names = reader.fieldnames or []
        needed = {"country", form.amount}
        if not needed.issubset(names) or not set(names).issubset(form.columns) or len(set(names)) < len(names):
            raise invalid_field("/0", "invalid_format", f"the first line names the columns {', '.join(form.columns)}")
        for number, row in enumerate(reader):
            if None in row or None in row.values():
                told = f"line {reader.line_num}: it has not as many columns as the first"
                raise invalid_field(f"/{number}", "invalid_format", told)
            yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid_field("", "invalid_format", f"not a CSV in UTF-8: {error}") from None


def _repeated(lines: Iterable[TariffLine]) -> Iterator[FieldFault]:
    first: dict[tuple[str, str, int], int] = {}
    for number, line in enumerate(lines):
        if first.setdefault(line.key, number) != number:
            whose = f"{line.operator or 'all others'}, {line.country}"
            told = f"row {number} is for {whose} from the same instant on as row {first[line.key]}"
            yield FieldFault(field=f"/{number}", code="repeated", detail=told)


def _refuse(faults: Sequence[FieldFault]) -> None:
    if faults:
        told = f"{len(faults)} faults; nothing was imported"
        raise Fault("invalid_request", told, tuple(faults[:MAX_TOLD]))
