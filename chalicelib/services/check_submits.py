"""Check what SMSCs took against what was charged, by gateway and day: what an operator's invoice is held against.

Parts are counted where and when an SMSC took them, charges at the gateway and on the day of the charge. So the two
differ by what failed over to another gateway, by what waited over midnight, and by what was charged and never taken,
which is what to look at. Told of closed days only: an invoice comes later than that.
"""

import time
from collections import Counter
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.traffic import nothing
from chalicelib.services.faults import Fault
from chalicelib.services.read_messages import Span
from chalicelib.store import day_summaries

# A message is taken up to so many days after its charge; more wait so long only where a gateway was off for days.
LOOKBACK_DAYS: Final = 3
SECONDS: Final = 6.0  # after which a call gives what it has: a day of all accounts is some megabytes


class SubmitCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's UTC day."""

    day: str
    gateway: str
    charged_messages: int
    charged_parts: int
    submitted_parts: int  # that its SMSC took
    difference_parts: int  # submitted less charged
    credit_micros: int
    refunded_micros: int
    cost_micros: int  # of what its SMSC took, as far as it is known: what the invoice should come to


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the report goes on: with this day."""

    day: str


class _Day:
    """A day's summaries added up by gateway; None where the day is not closed."""

    def __init__(self, day: str) -> None:
        self.charged: dict[str, SummaryLine] = {}
        self.submits: Counter[str] = Counter()  # parts by gateway and day of the submit
        self.invoices: Counter[str] = Counter()
        self.closed = False
        for _, lines in day_summaries.of_accounts(day):
            self.closed = True
            for line in lines:
                self.submits.update(line.submits)
                self.invoices.update(line.invoices)
                if line.gateway:
                    self.charged.setdefault(line.gateway, nothing()).add(line)


class _Days:
    """Days that are read once in a call."""

    def __init__(self) -> None:
        self._held: dict[str, _Day] = {}

    def get(self, day: date) -> _Day:
        name = day.isoformat()
        if name not in self._held:
            self._held[name] = _Day(name)
        return self._held[name]


def check(gateway: str | None, days: Span, position: Any, limit: int) -> tuple[list[SubmitCheck], Position | None]:
    """Whole days, the latest first, until there are `limit` lines; and where to go on (None: that was all).

    `position`: None, or from before. Raises Fault `invalid_cursor`.
    """
    at, read, ends = _first(days, position), _Days(), time.monotonic() + SECONDS
    found: list[SubmitCheck] = []
    while at >= days.first:
        found += [one for one in _checked(at, read) if gateway in (None, one.gateway)]
        at -= timedelta(days=1)
        if len(found) >= limit or time.monotonic() > ends:
            break
    return found, Position(day=at.isoformat()) if at >= days.first else None


def _checked(day: date, read: _Days) -> list[SubmitCheck]:
    """The day's gateways, by their ids; none where the day is not closed."""
    charged = read.get(day)
    if not charged.closed:
        return []
    submits, invoices = Counter[str](), Counter[str]()
    for back in range(LOOKBACK_DAYS + 1):
        before = read.get(day - timedelta(days=back))
        submits.update(before.submits)
        invoices.update(before.invoices)
    begins = f"{day.isoformat()}#"
    taken = {name.removeprefix(begins) for name in submits if name.startswith(begins)}
    return [
        _told(day.isoformat(), gateway, charged.charged.get(gateway) or nothing(), submits, invoices)
        for gateway in sorted(charged.charged.keys() | taken)
    ]


def _told(day: str, gateway: str, charged: SummaryLine, submits: Counter[str], invoices: Counter[str]) -> SubmitCheck:
    name = f"{day}#{gateway}"
    return SubmitCheck(
        day=day,
        gateway=gateway,
        charged_messages=charged.messages,
        charged_parts=charged.parts,
        submitted_parts=submits[name],
        difference_parts=submits[name] - charged.parts,
        credit_micros=charged.credits_micros,
        refunded_micros=charged.refunded_micros,
        cost_micros=invoices[name],
    )


def _first(days: Span, position: Any) -> date:
    if position is None:
        return days.last
    try:
        return date.fromisoformat(msgspec.convert(position, Position).day)
    except (msgspec.ValidationError, ValueError):
        raise Fault("invalid_cursor", "the cursor is of another time") from None
