"""A customer's reports: today, messages, summary, credits; each page by page, and as a CSV file."""

from datetime import date
from typing import Any, Final

import msgspec

from chalicelib.api import report_types as types
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints, Reply
from chalicelib.api.made_files import FileView, file_view
from chalicelib.api.report_types import (
    CreditsOfDay,
    DaysQuery,
    MessagesQuery,
    ReportedMessage,
    SummaryQuery,
    SummedOperator,
    TodayQuery,
    TodayReport,
)
from chalicelib.domain.local_days import Days
from chalicelib.domain.numbers import BadNumber, normalize
from chalicelib.services import export_report as files
from chalicelib.services import report_messages as sms
from chalicelib.services.control_job import read as read_job
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.report_credits import Position, report_credits
from chalicelib.services.report_days import between
from chalicelib.services.report_days import today as this_day
from chalicelib.services.report_summary import MOST_LINES, report_summary
from chalicelib.services.report_today import report_today

endpoints: Final = Endpoints(__name__, tag="Reports", role="customer")
_PAGED: Final = ("invalid_cursor",)


@endpoints.get("/v1/reports/today")
def report_of_today(call: CustomerCall, query: TodayQuery) -> TodayReport:
    """Read today's statistics: messages, their parts, what they cost; by state and by hour."""
    day = this_day(call.caller, query.time_zone, call.now_ms)
    return types.today(report_today(call.caller.account.id, day), day)


@endpoints.get("/v1/reports/messages", faults=(*_PAGED, "not_found"))
def report_of_messages(call: CustomerCall, query: MessagesQuery) -> Listing[ReportedMessage]:
    """Read the SMS report: each message of some days, the newest first.

    A message is of the day on which it was charged or refused. A page may be short, or empty, before the last, as where
    a filter passes over much: go on while there is a `next_cursor`.
    """
    account, asked = call.caller.account, _messages(call, query)
    name = f"report of messages {_digest(asked)}"
    before = _text(unseal(call, name, query.cursor))
    found: list[ReportedMessage] = []
    spent = 0
    for step in sms.report_messages(account, asked, before, query.limit):
        before, spent = step.place, spent + step.cost
        if step.cdr is not None:
            found.append(types.message(step.cdr, asked.days))
        if len(found) == query.limit or spent >= sms.MOST_SEEN:
            return Listing(data=tuple(found), next_cursor=seal(call, name, before))
    return Listing(data=tuple(found))


@endpoints.get("/v1/reports/summary", faults=_PAGED)
def report_of_summary(call: CustomerCall, query: SummaryQuery) -> Listing[SummedOperator]:
    """Read the SMS summary: what was sent to each operator, by date or by month, the latest first.

    Messages are those that were charged. Until they have ended what they cost may still be given back.
    """
    days = _days(call, query, month=True)
    name = f"report of summary {query.by} {_digest(days)}"
    before = _text(unseal(call, name, query.cursor))
    found: list[SummedOperator] = []
    read = 0
    for count, period in enumerate(report_summary(call.caller.account.id, days, query.by, before), start=1):
        found += map(types.operator, period.lines)
        read += period.read
        if count == query.limit or read > MOST_LINES:
            return Listing(data=tuple(found), next_cursor=seal(call, name, period.name))
    return Listing(data=tuple(found))


@endpoints.get("/v1/reports/credits", faults=_PAGED)
def report_of_credits(call: CustomerCall, query: DaysQuery) -> Listing[CreditsOfDay]:
    """Read the credit history: grants, charges by day, refunds, and the balance before and after; the latest first.

    The default is this month so far. Days after `date_to` are passed over, so a page may be short, or empty, before the
    last: go on while there is a `next_cursor`.
    """
    days = _days(call, query, month=True)
    name = f"report of credits {_digest(days)}"
    position = _position(unseal(call, name, query.cursor))
    found: list[CreditsOfDay] = []
    read = 0
    for one in report_credits(call.caller.account.id, days, position, call.now_ms):
        if one.day <= days.last.isoformat():
            found.append(types.credits_of_day(one))
        read += one.read
        if len(found) == query.limit or read > MOST_LINES:
            after = Position(date.fromisoformat(one.day), one.opening_micros)
            return Listing(data=tuple(found), next_cursor=seal(call, name, after))
    return Listing(data=tuple(found))


@endpoints.get("/v1/reports/today/file", also={202: FileView})
def file_of_today(call: CustomerCall, query: TodayQuery) -> FileView | Reply[FileView]:
    """Get today's statistics by hour as a CSV file.

    It is made when you ask for it: 202 until it is there; and anew where it is older than ten minutes.
    """
    return _file(call, files.OfToday(days=this_day(call.caller, query.time_zone, call.now_ms)))


@endpoints.get("/v1/reports/messages/file", also={202: FileView}, faults=("not_found",))
def file_of_messages(call: CustomerCall, query: MessagesQuery) -> FileView | Reply[FileView]:
    """Get the SMS report as a CSV file: all of it, whatever `limit` says.

    It is made when you ask for it: 202 until it is there; and anew where it is older than ten minutes.
    """
    return _file(call, files.OfMessages(asked=_messages(call, query)))


@endpoints.get("/v1/reports/summary/file", also={202: FileView})
def file_of_summary(call: CustomerCall, query: SummaryQuery) -> FileView | Reply[FileView]:
    """Get the SMS summary as a CSV file: all of it, whatever `limit` says.

    It is made when you ask for it: 202 until it is there; and anew where it is older than ten minutes.
    """
    return _file(call, files.OfSummary(days=_days(call, query, month=True), by=query.by))


@endpoints.get("/v1/reports/credits/file", also={202: FileView})
def file_of_credits(call: CustomerCall, query: DaysQuery) -> FileView | Reply[FileView]:
    """Get the credit history as a CSV file: all of it, whatever `limit` says.

    It is made when you ask for it: 202 until it is there; and anew where it is older than ten minutes.
    """
    return _file(call, files.OfCredits(days=_days(call, query, month=True)))


def _file(call: CustomerCall, report: files.Report) -> FileView | Reply[FileView]:
    return file_view(*files.ask(call.caller.account.id, report, call.now_ms), call.now_ms)


def _days(call: CustomerCall, query: DaysQuery, *, month: bool = False) -> Days:
    return between(call.caller, query.date_from, query.date_to, query.time_zone, call.now_ms, month=month)


def _messages(call: CustomerCall, query: MessagesQuery) -> sms.Asked:
    """Raises Fault `invalid_request`; `not_found`, where there is no such job."""
    if query.job is not None:
        read_job(call.caller.account.id, query.job)
    return sms.Asked(
        days=_days(call, query),
        number=_number(call, query.number),
        sender=query.sender,
        status=query.status,
        job=query.job,
        operator=query.operator,
    )


def _number(call: CustomerCall, given: str | None) -> str | None:
    try:
        return None if given is None else normalize(given, call.caller.account.default_region).e164
    except BadNumber as error:
        raise invalid_field("number", error.code, str(error)) from None


def _digest(asked: msgspec.Struct) -> str:
    """What a cursor is bound to."""
    return msgspec.json.encode(asked).decode()


def _text(position: Any) -> str:
    if position is not None and not isinstance(position, str):
        raise Fault("invalid_cursor", "the cursor is of another time")
    return position or ""


def _position(given: Any) -> Position | None:
    try:
        return None if given is None else msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
