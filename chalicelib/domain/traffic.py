"""Traffic of days added up by what administrators ask for, and what the sums say: shares, margin, times. Pure."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from chalicelib.domain import latency
from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine

GroupBy = Literal["account", "gateway", "country", "operator", "user", "sender", "hour", "day", "month"]
UNKNOWN: Final = ""  # who sent it, and as whom: known once the day is closed
OTHERS: Final = "*"  # stands for the groups beyond MAX_GROUPS
MAX_GROUPS: Final = 20_000  # of one question: some 10 MB
_MONTH: Final = 7  # characters of YYYY-MM-DD

Group = tuple[str, ...]  # a value for each thing that is grouped by


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be added up: UTC days (YYYY-MM-DD, both included), by what, of which traffic (None: all)."""

    first: str
    last: str
    group_by: tuple[GroupBy, ...]
    account: str | None = None
    gateway: str | None = None
    country: str | None = None
    operator: str | None = None

    def asks_for(self, line: SummaryLine) -> bool:
        """Whether the line is part of it."""
        asked = (
            (self.account, line.account),
            (self.gateway, line.gateway),
            (self.country, line.country),
            (self.operator, line.operator),
        )
        return all(want is None or want == has for want, has in asked)

    def group_of(self, day: str, line: SummaryLine) -> Group:
        """The group that the line's traffic is of."""
        values = {
            "account": line.account,
            "gateway": line.gateway,
            "country": line.country,
            "operator": line.operator,
            "user": line.by,
            "sender": line.sender,
            "hour": f"{line.hour:02}",
            "day": day,
            "month": day[:_MONTH],
        }
        return tuple(values[name] for name in self.group_by)


class Sums:
    """Groups with their lines added up; bounded, whatever customers call themselves."""

    def __init__(self, question: Question, groups: Iterable[tuple[Group, SummaryLine]] = ()) -> None:
        self._question = question
        self._groups: dict[Group, SummaryLine] = dict(groups)

    def add(self, day: str, lines: Iterable[SummaryLine]) -> None:
        """Count a day's lines in, as far as they are asked for."""
        for line in lines:
            if self._question.asks_for(line):
                self._add(self._question.group_of(day, line), line)

    def _add(self, group: Group, line: SummaryLine) -> None:
        held = self._groups.get(group)
        if held is None and len(self._groups) >= MAX_GROUPS:
            group = (OTHERS,) * len(group)
            held = self._groups.get(group)
        if held is None:
            held = self._groups[group] = nothing()
        held.add(line)

    @property
    def groups(self) -> list[tuple[Group, SummaryLine]]:
        """By group."""
        return sorted(self._groups.items())


def nothing() -> SummaryLine:
    """A line to add others to."""
    return SummaryLine(account="", gateway="", country="", operator="", by="", sender="", hour=0)


def of_usage(account: str, line: UsageLine) -> SummaryLine:
    """A line of usage as one of a day that is not closed: it does not know who sent, and why what failed did."""
    return SummaryLine(
        account=account,
        gateway=line.gateway,
        country=line.country,
        operator=line.operator,
        by=UNKNOWN,
        sender=UNKNOWN,
        hour=int(line.slot[11:13]),
        messages=line.messages,
        parts=line.parts,
        credits_micros=line.credits_micros,
        refunded_micros=line.refunded_micros,
        cost_micros=line.cost_micros,
        costed=line.costed,
        refused=line.refused,
        ends={str(status): count for status, count in line.ends.items()},
        latency=line.latencies,
    )


def says_something(line: SummaryLine) -> bool:
    """Whether it is of messages: usage also has lines of grants, and of refunds by when they were made."""
    return bool(line.messages or line.refused or line.refunded_micros or line.ends)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a group's sums say. Of charged messages, but for `refused`. Shares are of 1; None: nothing to say it of."""

    messages: int
    parts: int
    refused: int
    credit_micros: int
    refunded_micros: int
    cost_micros: int  # as far as it is known
    costed: int  # messages of which it is
    margin_micros: int  # credit less what was given back and what it cost
    ended: int
    delivered: int
    delivered_share: float | None  # of those that ended
    p50_milliseconds: int | None  # from charge to the news of delivery
    p95_milliseconds: int | None
    ends: dict[str, int]
    errors: dict[str, int]  # by error code; of closed days


def figures(line: SummaryLine) -> Figures:
    """The figures of added-up lines."""
    ended = sum(line.ends.values())
    delivered = line.ends.get(Status.DELIVERED, 0)
    return Figures(
        messages=line.messages,
        parts=line.parts,
        refused=line.refused,
        credit_micros=line.credits_micros,
        refunded_micros=line.refunded_micros,
        cost_micros=line.cost_micros,
        costed=line.costed,
        margin_micros=line.credits_micros - line.refunded_micros - line.cost_micros,
        ended=ended,
        delivered=delivered,
        delivered_share=round(delivered / ended, 4) if ended else None,
        p50_milliseconds=latency.quantile(line.latency, 0.5),
        p95_milliseconds=latency.quantile(line.latency, 0.95),
        ends={status: count for status, count in line.ends.items() if count},
        errors=line.errors,
    )
