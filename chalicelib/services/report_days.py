"""Which days a report is of, on whose clocks."""

from datetime import date
from typing import Final

from chalicelib.domain import local_days, schedule
from chalicelib.domain.local_days import Days
from chalicelib.services.authenticate import Customer
from chalicelib.services.faults import invalid_field

MAX_DAYS: Final = 366
_FIRST: Final = date(2020, 1, 1)  # before it there was nothing


def today(caller: Customer, time_zone: str | None, now_ms: int) -> Days:
    """The day that it is. Raises Fault `invalid_request`."""
    name = _name(caller, time_zone)
    day = local_days.day_of(now_ms, schedule.zone(name))
    return Days(first=day, last=day, time_zone=name)


def between(
    caller: Customer, first: date | None, last: date | None, time_zone: str | None, now_ms: int, *, month: bool = False
) -> Days:
    """The days that were asked for; where none was named, today, or `month`: this month so far.

    On the clocks that were asked for, else on the person's own, else on the account's. Raises Fault `invalid_request`.
    """
    present = today(caller, time_zone, now_ms)
    last = last or max(present.last, first or present.last)
    first = first or (last.replace(day=1) if month else last)
    if first > last:
        raise invalid_field("date_from", "reversed_range", "date_from is after date_to")
    if (last - first).days >= MAX_DAYS:
        raise invalid_field("date_from", "out_of_range", f"at most {MAX_DAYS} days at a time")
    if first < _FIRST or last.year > present.last.year + 1:
        raise invalid_field("date_from", "out_of_range", f"days from {_FIRST} to the end of next year")
    return Days(first=first, last=last, time_zone=present.time_zone)


def _name(caller: Customer, asked: str | None) -> str:
    own = caller.user.time_zone if caller.user else None
    name = asked or own or caller.account.time_zone
    try:
        schedule.zone(name)
    except schedule.BadZone as error:
        raise invalid_field("time_zone", error.code, str(error)) from None
    return name
