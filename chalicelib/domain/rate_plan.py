"""Rate plans: prices by operator that accounts share, with the instants from which on they hold."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from chalicelib.domain.tariff import Tariff, TariffLine


class RatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of the accounts that name it. What no line is for has the price of its route."""

    id: str
    name: str
    lines: tuple[TariffLine, ...] = ()


class PriceChange(NamedTuple):
    """A price of a plan that is, or will be, another one. None: the plan says nothing of it, but the route does."""

    country: str
    operator: str | None
    from_ms: int
    before_micros: int | None
    after_micros: int | None


def price_changes(before: Sequence[TariffLine], after: Sequence[TariffLine], now_ms: int) -> Iterator[PriceChange]:
    """What accounts with the plan will pay otherwise than they would have, from now on; by country, operator, time.

    What an operator's own line no longer says, or says anew, is compared with what its country's line says.
    """
    old, new = Tariff(before), Tariff(after)
    cells = {line.cell for line in (*before, *after)}
    for country, operator in sorted(cells, key=lambda cell: (cell[0], cell[1] or "")):
        told: tuple[int | None, int | None] | None = None
        changes = old.changes(country, operator, now_ms) | new.changes(country, operator, now_ms)
        for at_ms in sorted({now_ms, *changes}):
            was, now = (_micros(tariff.at(country, operator, at_ms)) for tariff in (old, new))
            if was != now and (was, now) != told:
                yield PriceChange(country, operator, at_ms, was, now)
            told = was, now


def _micros(line: TariffLine | None) -> int | None:
    return None if line is None else line.amount_micros
