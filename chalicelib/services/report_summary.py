"""Report a summary: what was sent to each operator, by date or by month; out of usage."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from chalicelib.domain import local_days
from chalicelib.domain.local_days import By, Days, Period
from chalicelib.domain.usage import UsageLine, added_up, begins_ms
from chalicelib.store import usage

_TOGETHER: Final = 31  # days that are read at a time
MOST_LINES: Final = 20_000  # of usage that a page reads: some seconds; then it is short


class SummaryLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent to an operator in a day or month."""

    period: str
    country: str
    operator: str
    messages: int
    parts: int
    credits_micros: int  # without what was given back

    @property
    def a_message_micros(self) -> int:
        """What one message cost, on average: rounded to a millionth, half up."""
        return (2 * self.credits_micros + self.messages) // (2 * self.messages)


class Summed(NamedTuple):
    """A period with its lines, and how much had to be read for it."""

    name: str
    lines: tuple[SummaryLine, ...]
    read: int


def report_summary(account: str, days: Days, by: By, before: str) -> Iterator[Summed]:
    """The periods before the one named ('': all), the latest first, as they are asked for; those without lines too."""
    periods = (
        one for one in local_days.latest_first(days.first, days.last, days.zone, by) if one.name < (before or "~")
    )
    while together := list(islice(periods, _TOGETHER if by == "date" else 1)):
        lines = usage.between(account, together[-1].since_ms, together[0].until_ms, ends=False)
        yield from _summed(together, lines)


def _summed(periods: list[Period], lines: list[UsageLine]) -> Iterator[Summed]:
    """Both in order of time, of which the periods go backwards."""
    at = len(lines)
    for period in periods:
        until = at
        while at and begins_ms(lines[at - 1].slot) >= period.since_ms:
            at -= 1
        yield Summed(period.name, _by_operator(period.name, lines[at:until]), until - at)


def _by_operator(period: str, lines: list[UsageLine]) -> tuple[SummaryLine, ...]:
    of: dict[tuple[str, str], list[UsageLine]] = defaultdict(list)
    for line in lines:
        if line.messages:
            of[line.country, line.operator].append(line)
    return tuple(_line(period, *key, added_up(some)) for key, some in sorted(of.items()))


def _line(period: str, country: str, operator: str, line: UsageLine) -> SummaryLine:
    return SummaryLine(
        period=period,
        country=country,
        operator=operator,
        messages=line.messages,
        parts=line.parts,
        credits_micros=line.credits_micros - line.refunded_micros,
    )
