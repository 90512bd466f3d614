"""The times of SMPP 3.4, section 7.1.1, YYMMDDhhmmsstnnp: absolute with a quarter-hour offset, or relative."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FORM: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])", re.ASCII)
_MAX_QUARTERS: Final = 48  # nn: quarters of an hour from UTC
# 7.1.1.2 counts years and months too, which are no fixed time: these are what they are taken for.
_YEAR_DAYS: Final = 365
_MONTH_DAYS: Final = 30


class BadTime(ValueError):
    """The text is no time as section 7.1.1 has it."""


def read_time(text: str, now_ms: int) -> int:
    """The instant in epoch milliseconds. Raises BadTime."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadTime("not YYMMDDhhmmsstnnp")
    years, months, days, hours, minutes, seconds, tenths, quarters = map(int, found.groups()[:8])
    sign = found[9]
    if sign == "R":
        passes = timedelta(
            days=years * _YEAR_DAYS + months * _MONTH_DAYS + days, hours=hours, minutes=minutes, seconds=seconds
        )
        return now_ms + passes // timedelta(milliseconds=1)
    if quarters > _MAX_QUARTERS:
        raise BadTime("an offset from UTC of over twelve hours")
    try:
        at = datetime(2000 + years, months, days, hours, minutes, seconds, tenths * 100_000, UTC)
    except ValueError as error:
        raise BadTime(str(error)) from None
    offset = timedelta(minutes=15 * quarters) * (-1 if sign == "-" else 1)
    return (at - offset - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def write_time(at_ms: int) -> str:
    """An instant in UTC, absolute."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.strftime("%y%m%d%H%M%S") + f"{at.microsecond // 100_000}00+"
