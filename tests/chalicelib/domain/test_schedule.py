"""When jobs are due: by the clock on the wall of their zone, whatever happens to it."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from chalicelib.domain.schedule import BadZone, Hours, Timing, closes_at, next_start, open_from, starts, zone

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def told(*instants: int | None) -> list[str | None]:
    return [
        None if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M") for at in instants
    ]


@pytest.mark.parametrize(
    ("label", "timing", "expected"),
    [
        ("once", Timing(start_ms=ms("2026-03-01T09:00")), ["2026-03-01T09:00"]),
        (
            "daily across the change to summer time",
            Timing(start_ms=ms("2026-03-28T08:00"), zone="Europe/Madrid", repeat="daily"),
            ["2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"],
        ),
        (
            "daily at a time that the change leaves out",
            Timing(start_ms=ms("2026-03-28T01:30"), zone="Europe/Madrid", repeat="daily"),
            ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"],
        ),
        (
            "daily at a time that there is twice",
            Timing(start_ms=ms("2026-10-24T00:30"), zone="Europe/Madrid", repeat="daily"),
            ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
        ),
        (
            "weekly",
            Timing(start_ms=ms("2026-12-28T12:00"), repeat="weekly"),
            ["2026-12-28T12:00", "2027-01-04T12:00", "2027-01-11T12:00"],
        ),
        (
            "monthly on the 31st",
            Timing(start_ms=ms("2027-01-31T12:00"), repeat="monthly"),
            ["2027-01-31T12:00", "2027-02-28T12:00", "2027-03-31T12:00"],
        ),
        (
            "until",
            Timing(start_ms=ms("2026-03-01T09:00"), repeat="daily", until_ms=ms("2026-03-02T09:00")),
            ["2026-03-01T09:00", "2026-03-02T09:00"],
        ),
        ("at once", Timing(), []),
    ],
)
def test_starts_go_by_the_clock_on_the_wall(label: str, timing: Timing, expected: list[str]) -> None:
    assert told(*islice(starts(timing), 3)) == expected, label


@pytest.mark.parametrize("repeat", ["daily", "weekly", "monthly"])
def test_the_next_start_is_found_after_years_as_by_counting(repeat: str) -> None:
    timing = Timing(start_ms=ms("2020-01-31T09:00"), zone="America/Lima", repeat=repeat)  # type: ignore[arg-type]
    after_ms = ms("2026-07-05T11:00")
    assert next_start(timing, after_ms) == next(at for at in starts(timing) if at > after_ms)


@pytest.mark.parametrize(
    ("hours", "now", "opens", "closes"),
    [
        (Hours(540, 1260), "2026-03-02T07:59", "2026-03-02T08:00", None),
        (Hours(540, 1260), "2026-03-02T08:00", "2026-03-02T08:00", "2026-03-02T20:00"),
        (Hours(540, 1260), "2026-03-02T20:00", "2026-03-03T08:00", None),
        (Hours(1320, 480), "2026-03-02T21:00", "2026-03-02T21:00", "2026-03-03T07:00"),
        (Hours(1320, 480), "2026-03-02T07:00", "2026-03-02T21:00", None),
    ],
)
def test_delivery_hours_are_those_of_the_zone(hours: Hours, now: str, opens: str, closes: str | None) -> None:
    assert told(open_from(hours, "Europe/Madrid", ms(now))) == [opens]
    if closes is not None:
        assert told(closes_at(hours, "Europe/Madrid", ms(now))) == [closes]


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "Europe/Madrid\n", "\0", "."])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadZone):
        zone(name)
