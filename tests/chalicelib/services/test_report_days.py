"""Whose days a report is of: those that were asked for, else the person's, else the account's."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.user import User
from chalicelib.services.authenticate import Customer
from chalicelib.services.faults import Fault
from chalicelib.services.report_days import between, today

NOW_MS = round(datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp() * 1000)
KEY = ApiKey(id="k", role="customer", account="a", mode="live", name="n", secret_sha256="", created_ms=0)
ACCOUNT = Account(id="a", name="A", created_ms=0, time_zone="America/Lima")
PERSON = User(id="usr_1", account="a", role="owner", email="ana@example.com", name="Ana", created_ms=0)
PROGRAM = Customer(key=KEY, account=ACCOUNT)


def person(time_zone: str | None) -> Customer:
    return msgspec.structs.replace(PROGRAM, user=msgspec.structs.replace(PERSON, time_zone=time_zone))


@pytest.mark.parametrize(
    ("caller", "asked", "zone", "day"),
    [
        (PROGRAM, None, "America/Lima", 23),
        (PROGRAM, "Asia/Kathmandu", "Asia/Kathmandu", 24),
        (person(None), None, "America/Lima", 23),
        (person("Europe/Madrid"), None, "Europe/Madrid", 24),
        (person("Europe/Madrid"), "UTC", "UTC", 23),
    ],
)
def test_today_is_that_of_the_nearest_clock(caller: Customer, asked: str | None, zone: str, day: int) -> None:
    found = today(caller, asked, NOW_MS)
    assert (found.time_zone, found.first, found.last) == (zone, date(2026, 11, day), date(2026, 11, day))


@pytest.mark.parametrize(
    ("first", "last", "month", "found"),
    [
        (None, None, False, ("2026-11-23", "2026-11-23")),
        (None, None, True, ("2026-11-01", "2026-11-23")),
        ("2026-11-20", None, False, ("2026-11-20", "2026-11-23")),
        (None, "2026-10-05", False, ("2026-10-05", "2026-10-05")),
        (None, "2026-10-05", True, ("2026-10-01", "2026-10-05")),
        ("2025-11-23", "2026-11-23", False, ("2025-11-23", "2026-11-23")),
        ("2025-11-22", "2026-11-23", False, None),
    ],
)
def test_what_is_not_named_is_today_or_this_month_and_a_year_is_the_most(
    first: str | None, last: str | None, month: bool, found: tuple[str, str] | None
) -> None:
    given = [None if day is None else date.fromisoformat(day) for day in (first, last)]
    if found is None:
        with pytest.raises(Fault, match="366"):
            between(PROGRAM, given[0], given[1], None, NOW_MS, month=month)
        return
    days = between(PROGRAM, given[0], given[1], None, NOW_MS, month=month)
    assert (days.first.isoformat(), days.last.isoformat()) == found
