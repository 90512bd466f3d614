"""Report today: what was sent in a day, by state and by hour; out of usage, so that its size does not matter."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import msgspec

from chalicelib.domain import local_days
from chalicelib.domain.local_days import Days
from chalicelib.domain.status import Status
from chalicelib.domain.usage import SLOT_MS, UsageLine, added_up, begins_ms
from chalicelib.store import usage

WAITING = "waiting"  # charged, and not ended yet
REFUSED = "refused"  # ended instead of being charged


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What was charged in a while, and what became of it. `states` has what was refused, too."""

    messages: int
    parts: int
    credits_micros: int  # without what was given back
    states: Mapping[str, int]


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """A day's sums, and those of each of its hours."""

    whole: Sums
    hours: tuple[tuple[datetime, Sums], ...]


def report_today(account: str, day: Days) -> Today:
    """The sums of the day."""
    lines = usage.between(account, day.whole.since_ms, day.whole.until_ms)
    by_hour: dict[str, list[UsageLine]] = defaultdict(list)
    for line in lines:
        by_hour[local_days.hour_of(begins_ms(line.slot), day.zone).isoformat()].append(line)
    hours = local_days.hours(day.whole, day.zone, SLOT_MS)
    return Today(whole=_sums(lines), hours=tuple((hour, _sums(by_hour[hour.isoformat()])) for hour in hours))


def _sums(lines: list[UsageLine]) -> Sums:
    line = added_up(lines)
    waiting = line.messages - sum(line.ends.values())
    states = {
        WAITING: waiting,
        **{status.value: line.ends.get(status, 0) for status in Status if status in line.ends},
        REFUSED: line.refused,
    }
    return Sums(
        messages=line.messages,
        parts=line.parts,
        credits_micros=line.credits_micros - line.refunded_micros,
        states={state: count for state, count in states.items() if count},
    )
