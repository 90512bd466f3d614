"""When a schedule is due: rate(…) and cron(…) as EventBridge reads them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((.+)\)")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_NAMES: Final = {name: number for names in (_MONTHS, _DAYS) for number, name in enumerate(names, start=1)}
_HORIZON: Final = timedelta(days=366)  # a schedule that is not due within a year is not waited for


class BadSchedule(ValueError):
    """The expression is none that the local run can read."""


@dataclass(frozen=True)
class Every:
    """rate(…): counted from the run's start."""

    interval: timedelta

    def next_after(self, instant: datetime) -> datetime | None:
        return instant + self.interval


@dataclass(frozen=True)
class Calendar:
    """cron(…): UTC minutes whose fields all match; days of the week run from 1, Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    years: frozenset[int]

    def next_after(self, instant: datetime) -> datetime | None:
        """The first matching minute after the instant, None where there is none within a year."""
        candidate = instant.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = candidate + _HORIZON
        while candidate < end:
            if not self._on_day(candidate):
                candidate = candidate.replace(hour=0, minute=0) + timedelta(days=1)
            elif candidate.hour not in self.hours:
                candidate = candidate.replace(minute=0) + timedelta(hours=1)
            elif candidate.minute not in self.minutes:
                candidate += timedelta(minutes=1)
            else:
                return candidate
        return None

    def _on_day(self, instant: datetime) -> bool:
        weekday = instant.isoweekday() % 7 + 1
        return (
            instant.year in self.years
            and instant.month in self.months
            and instant.day in self.days
            and weekday in self.weekdays
        )


def parse(expression: str) -> Every | Calendar:
    """The schedule of an EventBridge expression. Raises BadSchedule; L, W and # are not read here."""
    if rate := _RATE.fullmatch(expression):
        return Every(timedelta(**{f"{rate[2]}s": int(rate[1])}))
    cron = _CRON.fullmatch(expression)
    fields = cron[1].split() if cron else []
    if len(fields) != 6:
        raise BadSchedule(f"no schedule: {expression}")
    minutes, hours, days, months, weekdays, years = fields
    return Calendar(
        minutes=_values(minutes, 0, 59),
        hours=_values(hours, 0, 23),
        days=_values(days, 1, 31),
        months=_values(months, 1, 12),
        weekdays=_values(weekdays, 1, 7),
        years=_values(years, 1970, 2199),
    )


def _values(field: str, low: int, high: int) -> frozenset[int]:
    return frozenset(value for piece in field.split(",") for value in _range(piece, low, high))


def _range(piece: str, low: int, high: int) -> range:
    span, _, step = piece.partition("/")
    if span in ("*", "?"):
        first, last = low, high
    else:
        start, _, end = span.partition("-")
        first = _number(start)
        last = _number(end) if end else (high if step else first)
    if not low <= first <= last <= high:
        raise BadSchedule(f"out of range: {piece}")
    return range(first, last + 1, _number(step) if step else 1)


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text.upper() in _NAMES:
        return _NAMES[text.upper()]
    raise BadSchedule(f"not a number: {text}")
