"""Days as time zones have them."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from chalicelib.domain.local_days import Days, Period, begins_ms, day_of, hours, latest_first, utc_days
from chalicelib.domain.schedule import zone
from chalicelib.domain.usage import SLOT_MS

HOUR_MS = 3_600_000


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("name", "day", "begins", "long"),
    [
        ("UTC", "2026-11-23", "2026-11-23T00:00", 24),
        ("America/Lima", "2026-11-23", "2026-11-23T05:00", 24),
        ("Europe/Madrid", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Madrid", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00", 25),
        ("Asia/Kolkata", "2026-11-23", "2026-11-22T18:30", 24),
        ("Asia/Kathmandu", "2026-11-23", "2026-11-22T18:15", 24),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", 24.5),
        pytest.param("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", 23, id="midnight is skipped"),
        pytest.param("America/Havana", "2026-11-01", "2026-11-01T04:00", 25, id="midnight comes twice"),
    ],
)
def test_a_day_begins_with_its_zones_clocks_and_lasts_until_the_next(
    name: str, day: str, begins: str, long: float
) -> None:
    first = date.fromisoformat(day)
    whole = Days(first=first, last=first, time_zone=name).whole
    assert whole == Period("", utc(begins), utc(begins) + round(long * HOUR_MS))
    assert whole.since_ms % SLOT_MS == whole.until_ms % SLOT_MS == 0  # it is made of whole slots
    assert day_of(whole.since_ms, zone(name)) == day_of(whole.until_ms - 1, zone(name)) == first
    assert day_of(whole.since_ms - 1, zone(name)) < first
    assert len(hours(whole, zone(name), SLOT_MS)) == int(long)  # the half hour is the rest of one that comes twice


def test_an_hour_that_comes_twice_is_told_by_its_offset() -> None:
    first = date(2026, 10, 25)
    told = hours(Days(first=first, last=first, time_zone="Europe/Madrid").whole, zone("Europe/Madrid"), SLOT_MS)
    assert [hour.isoformat() for hour in told[2:4]] == ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("date", ["2026-12-01", "2026-11-30", "2026-11-29"]),
        ("month", ["2026-12", "2026-11"]),
    ],
)
def test_periods_go_backwards_without_a_gap(by: str, names: list[str]) -> None:
    madrid = zone("Europe/Madrid")
    told = list(latest_first(date(2026, 11, 29), date(2026, 12, 1), madrid, by))  # type: ignore[arg-type]
    assert [one.name for one in told] == names
    assert told[0].until_ms == begins_ms(date(2026, 12, 2), madrid)
    assert told[-1].since_ms == begins_ms(date(2026, 11, 29), madrid)
    assert all(later.since_ms == earlier.until_ms for later, earlier in pairwise(told))


def test_the_utc_days_of_a_span_are_those_that_an_instant_of_it_lies_in() -> None:
    since, until = utc("2026-11-22T23:59"), utc("2026-11-24T00:00")
    assert utc_days(since, until) == ["2026-11-23", "2026-11-22"]
    assert utc_days(since, until + 1)[0] == "2026-11-24"
    assert utc_days(until, until) == []
