"""When a job is due: at an instant, again and again in its time zone, and only within its delivery hours."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

Repeat = Literal["daily", "weekly", "monthly"]
CatchUp = Literal["run_once", "skip"]
LATE_MS: Final = 60_000  # later than this a start is missed: the scheduler looks every minute
MAX_MISSED: Final = 1_000  # starts that are looked through for the next one to come
_FOUND: Final = 366  # days within which hours that never come would have come


class BadZone(ValueError):
    """There is no time zone of that name."""

    code: Final = "unknown_time_zone"


class Hours(msgspec.Struct, frozen=True):
    """Minutes of the day, in the job's time zone, between which messages go out. 1320 to 480 is overnight."""

    since: int
    until: int

    def __post_init__(self) -> None:
        if self.since == self.until:
            raise ValueError("delivery hours that begin when they end are none")


class Timing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a job starts. `start_ms` is the first time; `repeat` counts from there by the clock of `zone`."""

    start_ms: int | None = None  # None: at once
    zone: str = "UTC"
    repeat: Repeat | None = None
    until_ms: int | None = None  # no repetition begins later
    catch_up: CatchUp = "run_once"  # what becomes of starts that were missed
    hours: Hours | None = None


@lru_cache(64)
def zone(name: str) -> ZoneInfo:
    """The time zone of the IANA database. Raises BadZone."""
    if not name or name.startswith(("/", ".")) or not all(part.isprintable() for part in name):
        raise BadZone("there is no such time zone")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise BadZone("there is no such time zone") from None


def starts(timing: Timing) -> Iterator[int]:
    """Every start, in epoch milliseconds, from the first on; endless unless it ends.

    By the clock on the wall: at 09:00 it is 09:00 in summer too. A time that the change to summer time leaves out is
    an hour later that day; one that there is twice is the first. The 31st is the last day of a shorter month.
    """
    if timing.start_ms is None:
        return
    first = datetime.fromtimestamp(timing.start_ms / 1000, zone(timing.zone))
    number = 0
    while True:
        at_ms = timing.start_ms if not number else _at(_day(first.date(), timing.repeat, number), first)
        if timing.until_ms is not None and at_ms > timing.until_ms:
            return
        yield at_ms
        if timing.repeat is None:
            return
        number += 1


def next_start(timing: Timing, after_ms: int) -> int | None:
    """The first start after an instant."""
    return next((at_ms for at_ms in _from(timing, after_ms) if at_ms > after_ms), None)


def _from(timing: Timing, after_ms: int) -> Iterator[int]:
    """The starts, without those that lie years back."""
    days = {"daily": 1, "weekly": 7, "monthly": 31}
    if timing.repeat is None or timing.start_ms is None or after_ms <= timing.start_ms:
        yield from starts(timing)
        return
    first = datetime.fromtimestamp(timing.start_ms / 1000, zone(timing.zone))
    number = max(1, (after_ms - timing.start_ms) // 86_400_000 // days[timing.repeat] - 1)
    while True:
        at_ms = _at(_day(first.date(), timing.repeat, number), first)
        if timing.until_ms is not None and at_ms > timing.until_ms:
            return
        yield at_ms
        number += 1


def _day(first: date, repeat: Repeat | None, number: int) -> date:
    match repeat:
        case "daily":
            return first + timedelta(days=number)
        case "weekly":
            return first + timedelta(weeks=number)
        case "monthly":
            year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
            return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))
        case None:
            return first


def _at(day: date, clock: datetime) -> int:
    """The instant at which the clock on the wall shows that time of that day."""
    shown = datetime.combine(day, clock.time().replace(fold=0), clock.tzinfo)
    return round(shown.astimezone(UTC).timestamp() * 1000)


def open_from(hours: Hours | None, zone_name: str, now_ms: int) -> int:
    """When messages may go out: now, or at the beginning of the next delivery hours."""
    if hours is None:
        return now_ms
    now = datetime.fromtimestamp(now_ms / 1000, zone(zone_name))
    minute = now.hour * 60 + now.minute
    if _within(hours, minute):
        return now_ms
    begins = time(hours.since // 60, hours.since % 60)
    for days in range(_FOUND):
        at_ms = _at(now.date() + timedelta(days=days), datetime.combine(now.date(), begins, now.tzinfo))
        if at_ms > now_ms:
            return at_ms
    return now_ms


def closes_at(hours: Hours | None, zone_name: str, now_ms: int) -> int | None:
    """When the delivery hours of an open moment end; None: they do not."""
    if hours is None:
        return None
    now = datetime.fromtimestamp(now_ms / 1000, zone(zone_name))
    ends = time(hours.until // 60 % 24, hours.until % 60)
    for days in range(2):
        at_ms = _at(now.date() + timedelta(days=days), datetime.combine(now.date(), ends, now.tzinfo))
        if at_ms > now_ms:
            return at_ms
    return None


def _within(hours: Hours, minute: int) -> bool:
    if hours.since < hours.until:
        return hours.since <= minute < hours.until
    return minute >= hours.since or minute < hours.until
