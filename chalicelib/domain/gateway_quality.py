"""What a gateway's figures say of its operator: plain warnings, from one table of thresholds. Pure.

A network loses messages: handsets are off, numbers are gone, and an answer takes as long as it takes. Who makes up
receipts answers each with a delivery, and each in about the same time.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.status import Status


class Thresholds(NamedTuple):
    """From where on a figure is worth a warning. Documented in docs/admin-reports.md."""

    enough: int = 200  # deliveries (or ends) below which nothing is said: chance does as much
    made_up_share: float = 0.995  # delivered of what ended, from there on
    uniform_share: float = 0.98  # of the deliveries in two neighbouring buckets of time (domain.latency)
    low_share: float = 0.70  # delivered of what ended, below it
    no_receipt_share: float = 0.30  # of what was charged without an end, from there on
    unknown_share: float = 0.10  # of the ends unknown, from there on


DEFAULTS: Final = Thresholds()


def _delivered_share(line: SummaryLine) -> float:
    return line.ends.get(Status.DELIVERED, 0) / max(1, _ended(line))


def _ended(line: SummaryLine) -> int:
    return sum(line.ends.values())


def _close_together(latencies: Sequence[int]) -> float:
    """The share of the two neighbouring buckets that have most: who waits three seconds each time may meet a bound."""
    most = max((sum(latencies[at : at + 2]) for at in range(len(latencies))), default=0)
    return most / max(1, sum(latencies))


class Warn(NamedTuple):
    """A warning: its code, when it holds, what it says."""

    code: str
    holds: Callable[[SummaryLine, Thresholds], bool]
    says: Callable[[SummaryLine], str]


WARNINGS: Final = (
    Warn(
        "all_delivered",
        lambda line, at: _ended(line) >= at.enough and _delivered_share(line) >= at.made_up_share,
        lambda line: f"{_delivered_share(line):.1%} of {_ended(line)} delivered: networks lose more than that",
    ),
    Warn(
        "uniform_latency",
        lambda line, at: sum(line.latency) >= at.enough and _close_together(line.latency) >= at.uniform_share,
        lambda line: f"{_close_together(line.latency):.1%} of {sum(line.latency)} deliveries took about the same time",
    ),
    Warn(
        "made_up_receipts",
        lambda line, at: (
            min(_ended(line), sum(line.latency)) >= at.enough
            and _delivered_share(line) >= at.made_up_share
            and _close_together(line.latency) >= at.uniform_share
        ),
        lambda _: "all are delivered, and each in the same time: these receipts look made up",
    ),
    Warn(
        "few_delivered",
        lambda line, at: _ended(line) >= at.enough and _delivered_share(line) < at.low_share,
        lambda line: f"only {_delivered_share(line):.1%} of {_ended(line)} delivered",
    ),
    Warn(
        "receipts_missing",
        lambda line, at: line.messages >= at.enough and _ended(line) <= (1 - at.no_receipt_share) * line.messages,
        lambda line: f"{line.messages - _ended(line)} of {line.messages} have no end yet",
    ),
    Warn(
        "many_unknown",
        lambda line, at: (
            _ended(line) >= at.enough and line.ends.get(Status.UNKNOWN, 0) >= at.unknown_share * _ended(line)
        ),
        lambda line: f"{line.ends.get(Status.UNKNOWN, 0)} of {_ended(line)} ended unknown",
    ),
)


class Finding(NamedTuple):
    """What is worth a look at a gateway."""

    code: str
    says: str


def findings(line: SummaryLine, thresholds: Thresholds = DEFAULTS) -> tuple[Finding, ...]:
    """What is worth a look, in the table's order."""
    return tuple(Finding(one.code, one.says(line)) for one in WARNINGS if one.holds(line, thresholds))
