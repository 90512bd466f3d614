"""Lines of CSV for spreadsheets: read back as they were, and no cell that a spreadsheet would reckon with."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.csv_lines import guarded, line, unguarded


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+34600000001", "+34600000001"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("-0.05", "-0.05"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("+346\n=1", "'+346\n=1"),
        ("Ana", "Ana"),
        ("", ""),
        ("'=1", "'=1"),
    ],
)
def test_what_would_be_a_formula_is_guarded(text: str, safe: str) -> None:
    assert guarded(text) == safe


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=2))
def test_cells_are_read_back_as_they_were(cells: list[str]) -> None:
    (read,) = csv.reader(io.StringIO(line(cells), newline=""))
    assert read == [guarded(cell) for cell in cells]
    assert [unguarded(guarded(cell)) for cell in cells if not cell.startswith("'")] == [
        cell for cell in cells if not cell.startswith("'")
    ]
