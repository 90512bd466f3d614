"""Who is not to be written to: by category, list and hour."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.content import Category, Content
from chalicelib.domain.rules import CountryRule
from chalicelib.domain.suppression import BadZone, Known, suppressed, within_hours, zone
from chalicelib.domain.text import Encoding

ACCOUNT, NUMBER = "acc_1", "+34600111222"
NOON_MS = 1_760_000_000_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000
CLOSED = CountryRule(country="ES", time_zone="UTC", from_minute=0, until_minute=60)
DND = Known(dnd={NUMBER})
LEFT = Known(opted_out={(ACCOUNT, NUMBER)})
BOTH = Known(dnd={NUMBER}, opted_out={(ACCOUNT, NUMBER)})


def content(category: Category) -> Content:
    return Content(
        to=NUMBER,
        country="ES",
        sender="A",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=1,
        text="x",
        category=category,
    )


ROWS: list[tuple[Category, Known, CountryRule | None, str | None]] = [
    ("promotional", Known(), None, None),
    ("promotional", DND, None, "dnd"),
    ("promotional", LEFT, None, "opted_out"),
    ("promotional", BOTH, CLOSED, "opted_out"),
    ("promotional", DND, CLOSED, "dnd"),
    ("promotional", Known(), CLOSED, "outside_hours"),
    ("promotional", Known(opted_out={("acc_2", NUMBER)}), None, None),
    ("transactional", DND, CLOSED, None),
    ("transactional", LEFT, None, "opted_out"),
    ("confirmation", BOTH, CLOSED, None),
]


@pytest.mark.parametrize(("category", "known", "country", "code"), ROWS)
def test_each_category_is_held_back_by_what_it_must_mind(
    category: Category, known: Known, country: CountryRule | None, code: str | None
) -> None:
    told = suppressed(content(category), ACCOUNT, known, country, NOON_MS)
    assert (told.error.code if told else None) == code


def at(zone_name: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone_name)).timestamp() * 1000)  # type: ignore[arg-type,misc]


def rule(time_zone: str = "Europe/Madrid", opens: int = 9 * 60, closes: int = 21 * 60, **more: Any) -> CountryRule:
    return CountryRule(country="ES", time_zone=time_zone, from_minute=opens, until_minute=closes, **more)


HOURS = [
    ("before it opens", rule(), at("Europe/Madrid", 2026, 7, 1, 8, 59), False),
    ("as it opens", rule(), at("Europe/Madrid", 2026, 7, 1, 9, 0), True),
    ("in winter as it opens", rule(), at("Europe/Madrid", 2026, 1, 1, 9, 0), True),
    ("just before it closes", rule(), at("Europe/Madrid", 2026, 7, 1, 20, 59), True),
    ("as it closes", rule(), at("Europe/Madrid", 2026, 7, 1, 21, 0), False),
    ("at nine elsewhere", rule(), at("America/Lima", 2026, 7, 1, 9, 0), True),
    ("at sixteen elsewhere", rule(), at("America/Lima", 2026, 7, 1, 16, 0), False),
    ("on a weekday", rule(days=(1, 2, 3, 4, 5)), at("Europe/Madrid", 2026, 11, 23, 12, 0), True),
    ("on a Sunday", rule(days=(1, 2, 3, 4, 5, 6)), at("Europe/Madrid", 2026, 11, 22, 12, 0), False),
    ("on the local day", rule("Pacific/Auckland", 0, 1440, days=(1,)), at("UTC", 2026, 11, 22, 20, 0), True),
    ("all day", rule(opens=0, closes=1440), at("Europe/Madrid", 2026, 7, 1, 23, 59), True),
    ("never", rule(opens=600, closes=600), at("Europe/Madrid", 2026, 7, 1, 10, 0), False),
    ("over midnight, in the evening", rule(opens=1320, closes=120, days=(6,)), at("UTC", 2026, 11, 21, 22, 0), True),
    (
        "over midnight, in the small hours of the day after",
        rule("UTC", 1320, 120, days=(6,)),
        at("UTC", 2026, 11, 22, 1, 59),
        True,
    ),
    (
        "over midnight, in the small hours of the day itself",
        rule("UTC", 1320, 120, days=(6,)),
        at("UTC", 2026, 11, 21, 1, 0),
        False,
    ),
    (
        "in the small hours of Monday after Sunday",
        rule("UTC", 1320, 120, days=(7,)),
        at("UTC", 2026, 11, 23, 1, 0),
        True,
    ),
    ("over midnight, at noon", rule("UTC", 1320, 120), at("UTC", 2026, 11, 22, 12, 0), False),
]


@pytest.mark.parametrize(("label", "given", "at_ms", "allowed"), HOURS, ids=[row[0] for row in HOURS])
def test_promotional_hours_go_by_the_countrys_clock(label: str, given: CountryRule, at_ms: int, allowed: bool) -> None:
    assert within_hours(given, at_ms) is allowed


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "x\x00y", "Europe/" * 100]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadZone):
        zone(name)
