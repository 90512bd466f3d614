"""Amounts: exact both ways, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.money import MAX_MICROS, BadAmount, format_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("12.5", 12_500_000),
        ("0.000001", 1),
        ("-0.5", -500_000),
        ("100", 100_000_000),
        ("999999999999.999999", MAX_MICROS),
    ],
)
def test_an_amount_is_read_and_written_exactly(text: str, micros: int) -> None:
    assert parse_amount(text) == micros
    assert format_amount(micros) == text


@pytest.mark.parametrize(("text", "micros"), [("1.50", 1_500_000), ("0.0", 0), ("-0", 0), ("3.000000", 3_000_000)])
def test_trailing_zeros_are_read_but_not_written(text: str, micros: int) -> None:
    assert parse_amount(text) == micros
    assert len(format_amount(micros)) < len(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e3",
        "1E3",
        "NaN",
        "Infinity",
        "+1",
        "1.",
        ".5",
        "1,5",
        "1.0000001",
        "0x10",
        "1 ",
        " 1",
        "1\n",
        "--1",
        "-",
        "1000000000000",
        "9" * 5000,
        "٣",
        "１",
        "1_000",
        "007",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_amount(text)
    assert refused.value.code == "invalid_amount"


@given(st.integers(-MAX_MICROS, MAX_MICROS))
def test_every_amount_comes_back(micros: int) -> None:
    assert parse_amount(format_amount(micros)) == micros
