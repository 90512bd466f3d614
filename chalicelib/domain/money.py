"""Amounts: integers of a millionth of a credit inside, decimal strings outside. No floats anywhere."""

import re
from typing import Final

Micros = int  # a millionth of a credit

MICROS_PER_CREDIT: Final = 1_000_000
MAX_MICROS: Final = 10**18 - 1  # under a signed 64-bit integer, with room to add up; 12 digits before the point

_AMOUNT: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,6}))?", re.ASCII)


class BadAmount(ValueError):
    """The text is no amount."""

    code: Final = "invalid_amount"


def parse_amount(text: str) -> Micros:
    """'12.5' → 12500000. At most 12 digits before the point and 6 after; no exponent, no plus, no spaces.

    Raises BadAmount.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise BadAmount("an amount is a decimal string with at most 6 decimals, as 12.5")
    sign, whole, decimals = found.groups()
    micros = int(whole) * MICROS_PER_CREDIT + int((decimals or "").ljust(6, "0"))
    return -micros if sign else micros


def format_amount(micros: Micros) -> str:
    """12500000 → '12.5'; no trailing zeros, no exponent."""
    whole, decimals = divmod(abs(micros), MICROS_PER_CREDIT)
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{decimals:06}".rstrip("0").rstrip(".")
