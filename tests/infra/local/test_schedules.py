"""When rate(…) and cron(…) are due."""

from datetime import UTC, datetime

import pytest
from chalice.app import Cron, Rate

from infra.local import schedules

# A Sunday.
NOON = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 minute)", datetime(2026, 11, 22, 12, 1, 30, tzinfo=UTC)),
        ("rate(5 minutes)", datetime(2026, 11, 22, 12, 5, 30, tzinfo=UTC)),
        ("rate(1 day)", datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)),
        (Rate(2, unit=Rate.HOURS).to_string(), datetime(2026, 11, 22, 14, 0, 30, tzinfo=UTC)),
        ("cron(* * * * ? *)", datetime(2026, 11, 22, 12, 1, tzinfo=UTC)),
        ("cron(0/15 * * * ? *)", datetime(2026, 11, 22, 12, 15, tzinfo=UTC)),
        ("cron(30 3 * * ? *)", datetime(2026, 11, 23, 3, 30, tzinfo=UTC)),
        ("cron(0 0 1 * ? *)", datetime(2026, 12, 1, tzinfo=UTC)),
        ("cron(0 8 ? * MON-FRI *)", datetime(2026, 11, 23, 8, tzinfo=UTC)),
        ("cron(0 8 ? * 1 *)", datetime(2026, 11, 29, 8, tzinfo=UTC)),
        ("cron(0 8 ? JAN,MAR * *)", datetime(2027, 1, 1, 8, tzinfo=UTC)),
        (Cron(10, "1-3", "*", "*", "?", "*").to_string(), datetime(2026, 11, 23, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_schedule_is_due_when_eventbridge_would_fire_it(expression: str, due: datetime) -> None:
    assert schedules.parse(expression).next_after(NOON) == due


def test_a_schedule_of_the_past_is_never_due() -> None:
    assert schedules.parse("cron(0 0 1 1 ? 2020)").next_after(NOON) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "every day",
        "rate(x minutes)",
        "cron(* * * *)",
        "cron(61 * * * ? *)",
        "cron(0 0 L * ? *)",
        "cron(9-3 * * * ? *)",
    ],
)
def test_what_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(schedules.BadSchedule):
        schedules.parse(expression)
