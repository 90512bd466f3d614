"""Reports as customers read them."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.job_types import JobId
from chalicelib.domain import local_days
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.local_days import Days
from chalicelib.domain.status import Status
from chalicelib.services.export_report import type_of
from chalicelib.services.report_credits import CreditDay
from chalicelib.services.report_days import MAX_DAYS
from chalicelib.services.report_summary import SummaryLine
from chalicelib.services.report_today import Sums, Today

Type = Literal["gsm7", "unicode", "binary", "flash_gsm7", "flash_unicode", "flash_binary"]
TimeZone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="Whose days are meant (IANA). Default: your profile's, else the account's.",
        examples=["America/Lima"],
    ),
]
Cursor = Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")]
Net = Annotated[Amount, Meta(description="What was charged, without what was given back.")]


class TodayQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On whose clocks it is today."""

    time_zone: TimeZone | None = None


class DaysQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which days, and how much of it."""

    date_from: Annotated[date, Meta(description=f"First day. At most {MAX_DAYS} days.")] | None = None
    date_to: Annotated[date, Meta(description="Last day, included. Default: today.")] | None = None
    time_zone: TimeZone | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class MessagesQuery(DaysQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages. The default is today."""

    number: Annotated[str, Meta(min_length=1, max_length=40, description="To this number.")] | None = None
    sender: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    status: Status | None = None
    job: JobId | None = None
    operator: Annotated[str, Meta(min_length=1, max_length=60, description="The operator's name.")] | None = None


class SummaryQuery(DaysQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to add up. The default is this month so far. `limit` is of days, or months."""

    group_by: Literal["operator"] = "operator"
    by: Annotated[Literal["date", "month"], Meta(description="A line for each day, or for each month.")] = "date"


class HourSums(msgspec.Struct, frozen=True, kw_only=True):
    """What was charged in an hour, and what became of it."""

    hour: Annotated[datetime, Meta(description="Its beginning, on the clocks of the time zone.")]
    messages: int
    message_parts: int
    credit_deducted: Net
    states: dict[str, int]


class TodayReport(msgspec.Struct, frozen=True, kw_only=True):
    """Today's statistics. `messages` and their parts are those that were charged; `states` also counts `refused`."""

    date: date
    time_zone: str
    messages: int
    message_parts: int
    credit_deducted: Net
    states: Annotated[
        dict[str, int], Meta(description="`waiting`: not ended yet; `refused`: not charged; else the end's status.")
    ]
    hours: tuple[HourSums, ...]


class ReportedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the SMS report."""

    message_id: str
    mobile_number: str
    message_type: Annotated[Type, Meta(description="flash_: shown at once, and not stored.")]
    message_length: Annotated[int, Meta(description="Characters; of binary ones octets.")] | None
    sender: str
    country: str
    operator: Annotated[str, Meta(description="null: it was refused, or is not routed yet.")] | None
    credit_deducted: Net
    status: Status
    error_code: str | None
    description: Annotated[str, Meta(description="What the status, or the error, says in words.")]
    date: Annotated[datetime, Meta(description="When it was charged or refused; until then, when it was made.")]


class SummedOperator(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent to an operator in a day or month."""

    period: Annotated[str, Meta(description="YYYY-MM-DD or YYYY-MM.")]
    country: str
    operator: str
    messages: int
    message_parts: int
    cost_of_one_message: Annotated[Amount, Meta(description="On average: the total charge through the messages.")]
    total_charge: Net


class CreditsOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """What moved the balance in a day: opening + granted - taken back - charged + refunded = closing."""

    date: date
    opening_balance: Amount
    granted: Amount
    taken_back: Amount
    charged: Amount
    refunded: Annotated[Amount, Meta(description="By when it was given back, whenever it was charged.")]
    closing_balance: Amount


def today(told: Today, day: Days) -> TodayReport:
    return TodayReport(
        date=day.first,
        time_zone=day.time_zone,
        messages=told.whole.messages,
        message_parts=told.whole.parts,
        credit_deducted=Amount(told.whole.credits_micros),
        states=dict(told.whole.states),
        hours=tuple(_hour(hour, sums) for hour, sums in told.hours),
    )


def _hour(hour: datetime, sums: Sums) -> HourSums:
    return HourSums(
        hour=hour,
        messages=sums.messages,
        message_parts=sums.parts,
        credit_deducted=Amount(sums.credits_micros),
        states=dict(sums.states),
    )


def message(cdr: Cdr, days: Days) -> ReportedMessage:
    return ReportedMessage(
        message_id=cdr.message_id,
        mobile_number=cdr.mobile_number,
        message_type=msgspec.convert(type_of(cdr), Type),
        message_length=cdr.message_length,
        sender=cdr.sender,
        country=cdr.country,
        operator=cdr.operator or None,
        credit_deducted=Amount(cdr.credit_micros - cdr.refunded_micros),
        status=Status(cdr.status),
        error_code=cdr.error_code,
        description=cdr.description,
        date=local_days.instant(cdr.at_ms, days.zone),
    )


def operator(line: SummaryLine) -> SummedOperator:
    return SummedOperator(
        period=line.period,
        country=line.country,
        operator=line.operator,
        messages=line.messages,
        message_parts=line.parts,
        cost_of_one_message=Amount(line.a_message_micros),
        total_charge=Amount(line.credits_micros),
    )


def credits_of_day(one: CreditDay) -> CreditsOfDay:
    return CreditsOfDay(
        date=date.fromisoformat(one.day),
        opening_balance=Amount(one.opening_micros),
        granted=Amount(one.granted_micros),
        taken_back=Amount(-one.adjusted_micros),
        charged=Amount(one.charged_micros),
        refunded=Amount(one.refunded_micros),
        closing_balance=Amount(one.closing_micros),
    )
