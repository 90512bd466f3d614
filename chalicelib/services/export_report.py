"""Export a report: the same lines as a CSV file, made in the background when somebody asks for it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Final

import msgspec

from chalicelib.domain import csv_lines, local_days
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.local_days import By, Days
from chalicelib.domain.money import format_amount
from chalicelib.services import ask_for_file, report_messages
from chalicelib.services.ask_for_file import Asked, Lines, Shelf
from chalicelib.services.make_file import Line
from chalicelib.services.report_credits import CreditDay, Position, report_credits
from chalicelib.services.report_summary import report_summary
from chalicelib.services.report_today import Sums, report_today
from chalicelib.store import accounts
from chalicelib.store.made_files import Made

_AT_A_TIME: Final = 500  # messages that are read together


class OfToday(msgspec.Struct, frozen=True, kw_only=True, tag="today"):
    """A day's statistics by hour."""

    days: Days


class OfMessages(msgspec.Struct, frozen=True, kw_only=True, tag="messages"):
    """The SMS report."""

    asked: report_messages.Asked


class OfSummary(msgspec.Struct, frozen=True, kw_only=True, tag="summary"):
    """The SMS summary."""

    days: Days
    by: By


class OfCredits(msgspec.Struct, frozen=True, kw_only=True, tag="credits"):
    """The credit history."""

    days: Days


Report = OfToday | OfMessages | OfSummary | OfCredits


_decoder: Final = msgspec.json.Decoder(Report)
SUMS: Final = ("messages", "message_parts", "credit_deducted")
COLUMNS: Final[dict[type[Report], tuple[str, ...]]] = {
    OfToday: ("hour", *SUMS, "states"),
    OfMessages: (
        *("message_id", "mobile_number", "message_type", "message_length", "sender", "country", "operator"),
        *("credit_deducted", "status", "error_code", "description", "date"),
    ),
    OfSummary: (
        *("period", "country", "operator", "messages", "message_parts", "cost_of_one_message", "total_charge"),
    ),
    OfCredits: ("date", "opening_balance", "granted", "taken_back", "charged", "refunded", "closing_balance"),
}


def ask(account: str, report: Report, now_ms: int) -> tuple[str | None, Made | None]:
    """A URL of the report's file with when it was made; neither while it is made, which this begins (ask_for_file)."""
    return ask_for_file.ask(_shelf(account), report, now_ms)


def export(account: str, name: str, now_ms: int) -> None:
    """Make the file that was asked for under that name, or go on with it."""

    def lines_of(asked: Asked) -> Lines:
        report = _decoder.decode(asked.report)
        lines = _LINES[type(report)]
        return Lines(COLUMNS[type(report)], lambda position: lines(account, report, position, asked.asked_ms))

    ask_for_file.export(_shelf(account), name, lines_of, now_ms)


def _shelf(account: str) -> Shelf:
    return Shelf(account, "file")


def _today(account: str, report: Report, position: str, _asked_ms: int) -> Iterator[Line]:
    if not isinstance(report, OfToday) or position:
        return
    told = report_today(account, report.days)
    rows = [*((hour.isoformat(), sums) for hour, sums in told.hours), ("", told.whole)]
    yield Line("all", "".join(csv_lines.line((name, *_sums(sums))) for name, sums in rows).encode(), len(rows))


def _sums(sums: Sums) -> tuple[str, ...]:
    states = "; ".join(f"{state} {count}" for state, count in sums.states.items())
    return str(sums.messages), str(sums.parts), format_amount(sums.credits_micros), states


def _messages(account: str, report: Report, position: str, _asked_ms: int) -> Iterator[Line]:
    of = accounts.get(account)
    if not isinstance(report, OfMessages) or of is None:
        return
    for step in report_messages.report_messages(of, report.asked, position, _AT_A_TIME):
        if step.cdr is None:
            yield Line(step.place, b"", 0)
        else:
            yield Line(step.place, csv_lines.line(cells(step.cdr, report.asked.days)).encode())


def cells(cdr: Cdr, days: Days) -> tuple[str, ...]:
    """The line of a message, as COLUMNS has it."""
    return (
        cdr.message_id,
        cdr.mobile_number,
        type_of(cdr),
        "" if cdr.message_length is None else str(cdr.message_length),
        cdr.sender,
        cdr.country,
        cdr.operator,
        format_amount(cdr.credit_micros - cdr.refunded_micros),
        cdr.status,
        cdr.error_code or "",
        cdr.description,
        _instant(local_days.instant(cdr.at_ms, days.zone)),
    )


def type_of(cdr: Cdr) -> str:
    """gsm7, unicode or binary; those that are shown at once begin with flash_."""
    return f"flash_{cdr.message_type}" if cdr.flash else cdr.message_type


def _summary(account: str, report: Report, position: str, _asked_ms: int) -> Iterator[Line]:
    if not isinstance(report, OfSummary):
        return
    for period in report_summary(account, report.days, report.by, position):
        rows = [
            (
                *(line.period, line.country, line.operator, str(line.messages), str(line.parts)),
                *(format_amount(line.a_message_micros), format_amount(line.credits_micros)),
            )
            for line in period.lines
        ]
        yield Line(period.name, "".join(map(csv_lines.line, rows)).encode(), len(rows))


def _credits(account: str, report: Report, position: str, asked_ms: int) -> Iterator[Line]:
    if not isinstance(report, OfCredits):
        return
    at = msgspec.json.decode(position, type=Position) if position else None
    for one in report_credits(account, report.days, at, asked_ms):
        place = msgspec.json.encode(Position(date.fromisoformat(one.day), one.opening_micros)).decode()
        told = one.day <= report.days.last.isoformat()
        yield Line(place, csv_lines.line(_credit_cells(one)).encode() if told else b"", int(told))


def _credit_cells(one: CreditDay) -> tuple[str, ...]:
    amounts = (
        *(one.opening_micros, one.granted_micros, -one.adjusted_micros),
        *(one.charged_micros, one.refunded_micros, one.closing_micros),
    )
    return one.day, *map(format_amount, amounts)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


_LINES: Final[dict[type[Report], Callable[[str, Report, str, int], Iterator[Line]]]] = {
    OfToday: _today,
    OfMessages: _messages,
    OfSummary: _summary,
    OfCredits: _credits,
}
