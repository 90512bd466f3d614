"""Alerts: what lasts is told of when it begins, and again after a pause, until it is over; and days by their zone."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
CALM_MS: Final = _HOUR_MS  # what is over and begins anew sooner is not news
SUMMARY_HOUR: Final = 7  # of the reader's day: yesterday's is told from then on


class Patience(NamedTuple):
    """When something that lasts is told of: how long it must have lasted, and how long it is quiet about it then."""

    lasts_ms: int
    pause_ms: int


LOW_CREDIT: Final = Patience(0, 24 * _HOUR_MS)
GATEWAY_DOWN: Final = Patience(4 * _MINUTE_MS, 6 * _HOUR_MS)  # a bridge that is replaced is away for less


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """How far the telling of something has got. `id` is what it is about: 'low_credit/acc_…'."""

    id: str
    since_ms: int = 0  # when it was first seen; 0: it is not so now
    told: int = 0  # how often it was told of since
    told_ms: int = 0  # when last, also of an earlier time
    day: str = ""  # of summaries: the last day that was told of


def judged(alert: Alert, *, holds: bool, now_ms: int) -> Alert:
    """The alert, now that it was looked whether it holds."""
    if not holds:
        return alert if not alert.since_ms else msgspec.structs.replace(alert, since_ms=0, told=0)
    return alert if alert.since_ms else msgspec.structs.replace(alert, since_ms=now_ms, told=0)


def is_due(alert: Alert, patience: Patience, now_ms: int) -> bool:
    """Whether it is to be told of: as it begins, and again whenever the pause is over."""
    if not alert.since_ms or now_ms - alert.since_ms < patience.lasts_ms:
        return False
    return now_ms - alert.told_ms >= (patience.pause_ms if alert.told else CALM_MS)


def name_of(alert: Alert) -> str:
    """What the next telling is called. The same until it is noted as told: so it is told once."""
    return f"{alert.id}/{alert.since_ms}/{alert.told}"


def told_of(alert: Alert, now_ms: int) -> Alert:
    """The alert once it was told of."""
    return msgspec.structs.replace(alert, told=alert.told + 1, told_ms=now_ms)


def zone_of(name: str) -> tzinfo:
    """The time zone; UTC for a name that is none (any more)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def summary_day(time_zone: str, now_ms: int) -> date:
    """The last day that is to be summed up by now: yesterday, once SUMMARY_HOUR has come; before, the day before it."""
    here = datetime.fromtimestamp(now_ms / 1000, zone_of(time_zone))
    return here.date() - timedelta(days=1 if here.hour >= SUMMARY_HOUR else 2)


def span_of(first: date, days: int, time_zone: str) -> tuple[int, int]:
    """The instants (epoch ms) between which `days` days lie in a time zone, whatever its clocks do meanwhile."""
    zone = zone_of(time_zone)
    begins = datetime(first.year, first.month, first.day, tzinfo=zone)
    last = first + timedelta(days=days)
    ends = datetime(last.year, last.month, last.day, tzinfo=zone)
    return int(begins.timestamp() * 1000), int(ends.timestamp() * 1000)
