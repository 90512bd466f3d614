"""Files of prices and costs: every fault of every line at once, or all of it; and harmless to spreadsheets."""

import pytest

from chalicelib.domain.tariff import TariffLine
from chalicelib.services.faults import Fault
from chalicelib.services.import_prices import COSTS, MAX_LINES, PRICES, export_csv, merged, parse_csv
from tests.chalicelib.domain.test_tariff import line

HEAD = "country,operator,price,effective_from,below_cost\n"
DECEMBER_MS = 1_764_547_200_000  # 2025-12-01, UTC


def test_a_file_is_read_by_its_columns_whatever_their_order_and_delimiter() -> None:
    told = parse_csv("\ufeffprice;country;operator\n0.045;ES;Movistar\n0.04;ES;\n".encode(), PRICES)
    assert told == [line("ES", "Movistar", 45_000), line("ES", None, 40_000)]


@pytest.mark.parametrize("text", ["2025-12-01", "2025-12-01T00:00:00Z", "2025-12-01T01:00:00+01:00"])
def test_a_line_begins_on_a_day_or_at_an_instant(text: str) -> None:
    (told,) = parse_csv(f"country,cost,effective_from\nES,1,{text}\n".encode(), COSTS)
    assert told.from_ms == DECEMBER_MS


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("es,,1,,", "country"),
        ("ESP,,1,,", "country"),
        ("ES,a#b,1,,", "operator"),
        ("ES,,0.0000001,,", "price"),
        ("ES,,-1,,", "price"),
        ('ES,,"0,045",,', "price"),
        ("ES,,1e3,,", "price"),
        ("ES,,,,", "price"),
        ("ES,,1,2025-02-30,", "effective_from"),
        ("ES,,1,2025-12-01T00:00:00,", "effective_from"),
        ("ES,,1,1969-12-31,", "effective_from"),
        ("ES,,1,9999-12-31T23:59:59-10:00,", "effective_from"),
        ("ES,,1,,perhaps", "below_cost"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_column(row: str, column: str) -> None:
    with pytest.raises(Fault) as told:
        parse_csv(f"{HEAD}ES,,1,,\n{row}\nXXX,,1,,\n".encode(), PRICES)
    fields = {field.field: field.detail for field in told.value.fields}
    assert set(fields) == {f"/1/{column}", "/2/country"}
    assert fields[f"/1/{column}"].startswith("line 3: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"country\nES\n",
        b"country,price,colour\nES,1,red\n",
        b"country,price,price\nES,1,1\n",
        b"country,price\nES\n",
        b"country,price\nES,1,2\n",
        b'country,price\n"ES,1\n',
        b"country,price\nES,\xff\n",
    ],
)
def test_what_is_no_such_file_is_refused(raw: bytes) -> None:
    with pytest.raises(Fault) as told:
        parse_csv(raw, PRICES)
    assert told.value.code == "invalid_request"


def test_what_is_exported_is_no_formula_and_imported_as_it_was() -> None:
    lines = [
        line("ES", '=cmd("calc")', 45_000, DECEMBER_MS),
        line("ES", "@SUM(A1)", 1),
        line("ES", "+1+2", 2),
        line("ES", "-3", 3),  # a number, no formula
        TariffLine(country="ES", operator=None, amount_micros=40_000, from_ms=DECEMBER_MS + 1, below_cost=True),
    ]
    text = export_csv(lines, PRICES)
    assert not [row for row in text.splitlines() for cell in row.split(",") if cell.startswith(("=", "@", "+", '"='))]
    assert parse_csv(text.encode(), PRICES) == lines


def test_lines_go_over_those_of_the_same_operator_and_instant_or_in_place_of_all() -> None:
    held = [line("ES", None, 1), line("ES", "Movistar", 2), line("ES", "Movistar", 3, 9)]
    given = [line("ES", "Movistar", 4, 9), line("AR", None, 5)]
    assert merged(held, given, replace=False) == (given[1], held[0], held[1], given[0])
    assert merged(held, given, replace=True) == (given[1], given[0])


def test_a_line_that_stands_there_twice_is_refused_and_so_are_too_many() -> None:
    with pytest.raises(Fault) as told:
        merged([], [line("ES", None, 1), line("ES", "A", 1), line("ES", None, 2)], replace=False)
    assert [field.field for field in told.value.fields] == ["/2"]
    with pytest.raises(Fault) as told:
        merged([], [line("ES", None, 1, at_ms) for at_ms in range(MAX_LINES + 1)], replace=False)
    assert told.value.code == "list_too_long"
