"""Days, months and hours as a time zone has them: of 23, 24 or 25 hours, beginning by its own clocks. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.domain import schedule

By = Literal["date", "month"]
_DAY = timedelta(days=1)


class Period(NamedTuple):
    """A day (YYYY-MM-DD) or a month (YYYY-MM): the instants [since_ms, until_ms)."""

    name: str
    since_ms: int
    until_ms: int


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """Days of a time zone (IANA), both included."""

    first: date
    last: date
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        return schedule.zone(self.time_zone)

    @property
    def whole(self) -> Period:
        """All of them."""
        return Period("", begins_ms(self.first, self.zone), begins_ms(self.last + _DAY, self.zone))


def begins_ms(day: date, zone: ZoneInfo) -> int:
    """The day's first instant: of two midnights the first; where midnight is skipped, what the clocks go on to."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The day that an instant lies in."""
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def instant(at_ms: int, zone: ZoneInfo) -> datetime:
    """The instant as the zone's clocks show it, with their offset."""
    return datetime.fromtimestamp(at_ms / 1000, zone)


def hour_of(at_ms: int, zone: ZoneInfo) -> datetime:
    """The beginning of the hour on the zone's clocks; of an hour that comes twice, the offset tells which."""
    local = instant(at_ms, zone)
    return local.replace(minute=0, second=0, microsecond=0)


def hours(period: Period, zone: ZoneInfo, step_ms: int) -> list[datetime]:
    """The hours of a period, each once, in order. `step_ms`: no hour is shorter."""
    found = (hour_of(at_ms, zone) for at_ms in range(period.since_ms, period.until_ms, step_ms))
    return list({hour.isoformat(): hour for hour in found}.values())


def latest_first(first: date, last: date, zone: ZoneInfo, by: By) -> Iterator[Period]:
    """The days from `first` to `last`, both included, or the parts of months that they make up; the latest first."""
    until = last + _DAY
    while until > first:
        since = until - _DAY if by == "date" else max(first, (until - _DAY).replace(day=1))
        name = since.isoformat() if by == "date" else since.isoformat()[:7]
        yield Period(name, begins_ms(since, zone), begins_ms(until, zone))
        until = since


def utc_days(since_ms: int, until_ms: int) -> list[str]:
    """The UTC days (YYYY-MM-DD) that an instant of [since_ms, until_ms) lies in, the latest first."""
    if since_ms >= until_ms:
        return []
    first, day = day_at(since_ms), day_at(until_ms - 1)
    found = []
    while day >= first:
        found.append(day.isoformat())
        day -= _DAY
    return found


def day_at(at_ms: int) -> date:
    """The UTC day of an instant."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
