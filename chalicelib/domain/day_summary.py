"""A closed day's traffic in lines that reports add up: by account, gateway, operator, who sent it, sender and hour."""

from collections.abc import Iterable
from typing import Final

import msgspec

from chalicelib.domain.cdr import Cdr
from chalicelib.domain.ids import day_at
from chalicelib.domain.latency import EMPTY, Histogram, merge
from chalicelib.domain.latency import add as counted

HOUR_MS: Final = 3_600_000
MAX_LINES: Final = 20_000  # of an account's day; what is beyond them is told without its sender
OTHERS: Final = "*"  # stands for such senders

Key = tuple[str, str, str, str, str, str, int]


class SummaryLine(msgspec.Struct, kw_only=True, array_like=True):
    """What was sent in an hour (0-23, UTC) of a day, by when each message counts (Cdr.at_ms). It is added up in place.

    `messages` to `costed`, and `ends`, are of what was charged, as usage has it; `errors` also of what was refused,
    whose gateway and operator are ''.
    """

    account: str
    gateway: str
    country: str
    operator: str
    by: str
    sender: str
    hour: int
    messages: int = 0
    parts: int = 0
    credits_micros: int = 0
    refunded_micros: int = 0
    cost_micros: int = 0
    costed: int = 0  # messages whose cost is known
    refused: int = 0  # ended, and never charged
    records: int = 0  # all of them: charged, refused, and neither (yet)
    ends: dict[str, int] = {}  # by status
    errors: dict[str, int] = {}  # by error code
    latency: Histogram = EMPTY  # of the deliveries
    submits: dict[str, int] = {}  # parts that SMSCs took, by submit_name: what operators put on their invoices
    invoices: dict[str, int] = {}  # what they ask for these, in micros, as far as it is known

    @property
    def key(self) -> Key:
        return self.account, self.gateway, self.country, self.operator, self.by, self.sender, self.hour

    def add(self, other: "SummaryLine") -> None:
        """Count the other line in."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.ends = _added(self.ends, other.ends)
        self.errors = _added(self.errors, other.errors)
        self.latency = merge((self.latency, other.latency))
        self.submits = _added(self.submits, other.submits)
        self.invoices = _added(self.invoices, other.invoices)


_SUMS: Final = ("messages", "parts", "credits_micros", "refunded_micros", "cost_micros", "costed", "refused", "records")


class DaySummary:
    """An account's day as it is added up: a bounded number of lines, whatever its senders are called."""

    def __init__(self, lines: Iterable[SummaryLine] = ()) -> None:
        self._lines: dict[Key, SummaryLine] = {}
        for line in lines:
            self.add(line)

    def add(self, line: SummaryLine) -> None:
        """Count a line in."""
        held = self._lines.get(line.key)
        if held is None and len(self._lines) >= MAX_LINES and line.sender != OTHERS:
            self.add(msgspec.structs.replace(line, sender=OTHERS))
        elif held is None:
            self._lines[line.key] = msgspec.structs.replace(line)
        else:
            held.add(line)

    @property
    def lines(self) -> list[SummaryLine]:
        """In order of their keys."""
        return [self._lines[key] for key in sorted(self._lines)]


def line_of(cdr: Cdr) -> SummaryLine:
    """What one message adds."""
    charged, ended = cdr.charged_ms is not None, cdr.done_ms is not None
    took_ms = cdr.delivered_ms
    taken = "" if cdr.submitted_ms is None else submit_name(cdr.submitted_ms, cdr.submitted_to)
    return SummaryLine(
        account=cdr.account,
        gateway=cdr.gateway,
        country=cdr.country,
        operator=cdr.operator,
        by=cdr.by,
        sender=cdr.sender,
        hour=cdr.at_ms // HOUR_MS % 24,
        messages=int(charged),
        parts=cdr.parts if charged else 0,
        credits_micros=cdr.credit_micros,
        refunded_micros=cdr.refunded_micros,
        cost_micros=cdr.cost_micros or 0,
        costed=int(cdr.cost_micros is not None),
        refused=int(ended and not charged),
        records=1,
        ends={cdr.status: 1} if ended and charged else {},
        errors={cdr.error_code: 1} if cdr.error_code else {},
        latency=EMPTY if took_ms is None else counted(EMPTY, took_ms),
        submits={taken: len(cdr.smsc_ids)} if taken else {},
        invoices={taken: cdr.cost_micros} if taken and cdr.cost_micros else {},
    )


def added_up_ends(of: Iterable[dict[str, int]]) -> dict[str, int]:
    """Ends of lines in one, by status."""
    ends: dict[str, int] = {}
    for some in of:
        ends = _added(ends, some)
    return ends


def submit_name(at_ms: int, gateway: str) -> str:
    """Where a submit is counted: by its own UTC day and its own gateway, `YYYY-MM-DD#gateway`."""
    return f"{day_at(at_ms)}#{gateway}"


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted(one.keys() | other.keys())}
