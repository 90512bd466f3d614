"""What lasts is told of as it begins and after each pause until it is over; days are the customer's."""

from datetime import date

import pytest

from chalicelib.domain.alert import (
    GATEWAY_DOWN,
    LOW_CREDIT,
    Alert,
    Patience,
    is_due,
    judged,
    name_of,
    span_of,
    summary_day,
    told_of,
)

HOUR_MS = 3_600_000
AT_MS = 1_790_000_000_000  # Monday 2026-09-21, 14:13 UTC


def looks(patience: Patience, *seen: tuple[float, bool]) -> list[float]:
    """At which of these hours it is told of, looked at whether it holds."""
    alert, told = Alert(id="x"), []
    for hours, holds in seen:
        now_ms = AT_MS + int(hours * HOUR_MS)
        alert = judged(alert, holds=holds, now_ms=now_ms)
        if is_due(alert, patience, now_ms):
            told.append(hours)
            alert = told_of(alert, now_ms)
    return told


@pytest.mark.parametrize(
    ("patience", "seen", "told"),
    [
        pytest.param(LOW_CREDIT, [(0, False), (1, False)], [], id="never"),
        pytest.param(
            LOW_CREDIT,
            [(0, True), (0.1, True), (23.9, True), (24, True), (47, True), (48, True)],
            [0, 24, 48],
            id="daily",
        ),
        pytest.param(LOW_CREDIT, [(0, True), (2, False), (3, True)], [0, 3], id="cured and low again"),
        pytest.param(LOW_CREDIT, [(0, True), (0.2, False), (0.4, True), (1, True)], [0, 1], id="no flapping"),
        pytest.param(
            GATEWAY_DOWN, [(0, True), (0.05, True), (0.08, True), (6, True), (6.1, True)], [0.08, 6.1], id="lasting"
        ),
        pytest.param(GATEWAY_DOWN, [(0, True), (0.05, False), (0.1, True), (0.15, False)], [], id="a restart"),
    ],
)
def test_it_is_told_of_with_a_pause_until_it_is_over(
    patience: Patience, seen: list[tuple[float, bool]], told: list[float]
) -> None:
    assert looks(patience, *seen) == told


def test_each_telling_has_a_name_of_its_own_that_stays_until_it_is_noted() -> None:
    alert = judged(Alert(id="low/acc"), holds=True, now_ms=AT_MS)
    assert name_of(alert) == name_of(judged(alert, holds=True, now_ms=AT_MS + 1))
    assert name_of(alert) != name_of(told_of(alert, AT_MS))


@pytest.mark.parametrize(
    ("zone", "hours", "day"),
    [
        ("UTC", 0, date(2026, 9, 20)),
        ("UTC", -8, date(2026, 9, 19)),  # it is six in the morning: yesterday is not told yet
        ("Pacific/Kiritimati", 0, date(2026, 9, 20)),  # 04:13 on Tuesday
        ("Pacific/Kiritimati", 3, date(2026, 9, 21)),
        ("America/Los_Angeles", 0, date(2026, 9, 20)),  # 07:13
        ("America/Los_Angeles", -1, date(2026, 9, 19)),
        ("Nowhere/AtAll", 0, date(2026, 9, 20)),
    ],
)
def test_a_day_is_summed_up_in_the_morning_after_where_the_customer_is(zone: str, hours: int, day: date) -> None:
    assert summary_day(zone, AT_MS + hours * HOUR_MS) == day


@pytest.mark.parametrize(
    ("first", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)]
)
def test_a_day_has_as_many_hours_as_its_clocks_make(first: date, hours: int) -> None:
    since_ms, until_ms = span_of(first, 1, "Europe/Madrid")
    assert until_ms - since_ms == hours * HOUR_MS
