"""What administrators' reports have in common: days, numbers, and rows told from what services give."""

from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.instants import instant
from chalicelib.domain.report_cells import column
from chalicelib.services import read_messages
from chalicelib.services.faults import invalid_field
from chalicelib.services.read_messages import Span

_FIRST: Final = date(2020, 1, 1)  # before it there was nothing

Cursor = Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")]
Number = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{4,14}$", description="E.164 with +.", examples=["+34600000000"])]
Limit = Annotated[int, Meta(ge=1, le=100)]


class Days(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """UTC days, at most a year of them; today where none is named."""

    date_from: Annotated[date, Meta(description="First day (UTC). Default: today.")] | None = None
    date_to: Annotated[date, Meta(description="Last day (UTC), included. Default: today.")] | None = None


class Page(Days, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of which days."""

    cursor: Cursor | None = None
    limit: Limit = 50


def span(query: Days, now_ms: int) -> Span:
    """The days that are asked for: up to a year, not before there was anything. Raises Fault `invalid_request`."""
    asked = read_messages.span(query.date_from, query.date_to, now_ms)
    if asked.first < _FIRST or asked.last.year > instant(now_ms).year + 1:
        raise invalid_field("date_from", "out_of_range", f"days from {_FIRST} to the end of next year")
    return asked


def name_of(report: str, query: Any, days: Span | None = None) -> str:
    """The listing that cursors of it are good for: the report with its filters, whatever the page."""
    filters = {
        name: value
        for name, value in msgspec.to_builtins(query).items()
        if name not in ("cursor", "limit", "date_from", "date_to") and value is not None
    }
    return f"{report} {msgspec.to_builtins(days) if days else ''} {filters}"


def told(row: msgspec.Struct) -> dict[str, Any]:
    """The row's fields as they are told: amounts as decimal strings, instants by the clock, without their units."""
    return dict(_field(name, getattr(row, name)) for name in row.__struct_fields__)


def _field(name: str, value: Any) -> tuple[str, Any]:
    if value is not None and name.endswith("_micros"):
        value = Amount(value)
    elif value is not None and name.endswith("_ms"):
        value = instant(value)
    return column(name), value
