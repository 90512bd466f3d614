"""Tariffs: the operator's line in force, else the country's; and what a changed plan changes."""

import pytest

from chalicelib.domain.rate_plan import price_changes
from chalicelib.domain.tariff import Tariff, TariffLine


def line(country: str, operator: str | None, amount_micros: int, from_ms: int = 0) -> TariffLine:
    return TariffLine(country=country, operator=operator, amount_micros=amount_micros, from_ms=from_ms)


ES, MOVISTAR, LATER = line("ES", None, 40), line("ES", "Movistar", 50), line("ES", "Movistar", 60, 1_000)


@pytest.mark.parametrize(
    ("country", "operator", "at_ms", "amount_micros"),
    [
        ("ES", "Movistar", 0, 50),
        ("ES", "Movistar", 999, 50),
        ("ES", "Movistar", 1_000, 60),
        ("ES", "Orange", 5_000, 40),
        ("ES", "", 0, 40),
        ("FR", "Orange", 0, None),
        ("PT", "MEO", 1_999, 8),  # its own is not in force yet
        ("PT", "MEO", 2_000, 9),
        ("PT", "NOS", 2_000, 8),
    ],
)
def test_the_operators_line_in_force_counts_else_the_countrys(
    country: str, operator: str, at_ms: int, amount_micros: int | None
) -> None:
    lines = [ES, LATER, MOVISTAR, line("PT", None, 8), line("PT", "MEO", 9, 2_000)]
    found = Tariff(lines).at(country, operator, at_ms)
    assert (found.amount_micros if found else None) == amount_micros


NOW_MS = 500


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([ES], [ES], []),
        ([ES, MOVISTAR], [ES, MOVISTAR, LATER], [("ES", "Movistar", 1_000, 50, 60)]),
        ([ES, MOVISTAR, LATER], [ES, MOVISTAR], [("ES", "Movistar", 1_000, 60, 50)]),
        ([ES, MOVISTAR], [ES], [("ES", "Movistar", NOW_MS, 50, 40)]),
        ([ES], [], [("ES", None, NOW_MS, 40, None)]),
        ([line("ES", None, 1, 0), line("ES", None, 40, 400)], [ES], []),  # what was before now is no news
        ([ES], [line("ES", None, 41)], [("ES", None, NOW_MS, 40, 41)]),
    ],
)
def test_what_will_be_paid_otherwise_is_told_from_when_on(
    before: list[TariffLine], after: list[TariffLine], told: list[tuple[object, ...]]
) -> None:
    assert [tuple(change) for change in price_changes(before, after, NOW_MS)] == told
