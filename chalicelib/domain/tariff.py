"""A tariff: amounts a part by country and operator, each from an instant on. Rate plans and costs are such."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

ALWAYS_MS: Final = 0  # the instant from which on a line holds that names none

# What a line's country and operator look like. '#' separates the keys of usage.
COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
OPERATOR: Final = re.compile(r"[^\x00-\x1f\x7f#]{1,60}")

Cell = tuple[str, str | None]  # country, operator; None: whichever has no line of its own


class TariffLine(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a part to that operator comes to from an instant on, until a later line of the same operator begins.

    Kept as an array, since a snapshot has thousands of them: a new field goes to the end, with a default.
    """

    country: str  # ISO 3166-1 alpha-2
    operator: str | None  # as the numbering plan names it; None: of all in the country that have no line in force
    amount_micros: int
    from_ms: int = ALWAYS_MS  # [from, the next one's)
    below_cost: bool = False  # of a price: somebody has said that it may lie below cost

    @property
    def cell(self) -> Cell:
        return self.country, self.operator

    @property
    def key(self) -> tuple[str, str, int]:
        """No two lines of a tariff have the same one; their order."""
        return self.country, self.operator or "", self.from_ms


class Tariff:
    """Lines indexed for lookups: build it once, ask it often."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[TariffLine]) -> None:
        self._lines: dict[Cell, tuple[TariffLine, ...]] = {}
        for line in sorted(lines, key=lambda line: line.from_ms, reverse=True):
            self._lines[line.cell] = (*self._lines.get(line.cell, ()), line)

    def at(self, country: str, operator: str | None, at_ms: int) -> TariffLine | None:
        """The line in force then: the operator's, else the country's."""
        for cell in ((country, operator), (country, None)):
            for line in self._lines.get(cell, ()):
                if line.from_ms <= at_ms:
                    return line
        return None

    def changes(self, country: str, operator: str | None, after_ms: int) -> set[int]:
        """The instants after that one at which its answer for the operator may change."""
        cells = {(country, operator), (country, None)}
        return {line.from_ms for cell in cells for line in self._lines.get(cell, ()) if line.from_ms > after_ms}


class Tariffs:
    """Tariffs by name, each indexed when it is first asked for: most processes need a few of many."""

    def __init__(self, lines: Mapping[str, Iterable[TariffLine]]) -> None:
        self._lines = lines
        self._made: dict[str, Tariff] = {}

    def get(self, name: str) -> Tariff | None:
        """The tariff, or None where there is none of that name."""
        made = self._made.get(name)
        if made is None and (lines := self._lines.get(name)) is not None:
            made = self._made[name] = Tariff(lines)
        return made

    def at(self, name: str, country: str, operator: str | None, at_ms: int) -> TariffLine | None:
        """The line in force then in the tariff of that name."""
        tariff = self.get(name)
        return tariff.at(country, operator, at_ms) if tariff is not None else None

    def __contains__(self, name: str) -> bool:
        return name in self._lines
