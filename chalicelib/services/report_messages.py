"""Report messages: each with what it cost and what became of it, by the day on which it was charged or refused.

However large the day is, a page costs the same: it is read backwards from where the page before ended. What a filter
passes over costs a read, too, so a page may end early, and the next one goes on there.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.local_days import Days
from chalicelib.services.control_job import read as read_job
from chalicelib.store import message_days, messages
from chalicelib.store.message_days import Reach, Seen

# How much a page looks at before it ends: messages, of which those to a number take a request each, and days.
MOST_SEEN: Final = 2_000
_TO_A_NUMBER: Final = 10
_A_DAY: Final = 40
_FILTERED: Final = 150  # messages that are read at a time where some of them will not be told
_AHEAD_MS: Final = 40 * 86_400_000  # messages are made at most so long before they are charged


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which messages: of those days, to that number (E.164 with +), of that sender, status, job, operator."""

    days: Days
    number: str | None = None
    sender: str | None = None
    status: str | None = None
    job: str | None = None
    operator: str | None = None

    def has(self, cdr: Cdr) -> bool:
        """Whether the message is one of them, as far as it is not a matter of days."""
        return (
            self.number in (None, cdr.mobile_number)
            and self.sender in (None, cdr.sender)
            and self.status in (None, cdr.status)
            and self.job in (None, cdr.job)
            and self.operator in (None, cdr.operator)
        )


class Step(NamedTuple):
    """How far the reading has got, with the message that it has come by; None: it came by none that was asked for."""

    place: str
    cdr: Cdr | None
    cost: int


def report_messages(account: Account, asked: Asked, before: str, size: int) -> Iterator[Step]:
    """The messages that were asked for, those before a place ('': all), the newest first, as they are asked for.

    In order of when they were made; but what was decided over an hour later, stands where it was decided. Those of a
    number or of a job are all in order of when they were made. `size`: how many are wanted. Raises Fault `not_found`.
    """
    period, each = asked.days.whole, 1 if asked.number is None else _TO_A_NUMBER
    for seen in _seen(account, asked, before, size):
        cdr = cdr_of(seen.message_id, account.id, seen.facts) if seen.message_id else None
        counts = (
            cdr is not None
            and period.since_ms <= cdr.at_ms < period.until_ms
            and seen.place in (seen.message_id, message_days.place_of(seen.message_id, cdr.at_ms))
            and asked.has(cdr)
        )
        yield Step(seen.place, cdr if counts else None, each if seen.message_id else _A_DAY)


def _seen(account: Account, asked: Asked, before: str, size: int) -> Iterator[Seen]:
    period = asked.days.whole
    if asked.number is not None:
        return _to(account.id, asked, before, size)
    if asked.job is not None:
        return _of_job(account.id, asked, before, size)
    if (asked.sender, asked.status, asked.operator) != (None, None, None):
        size = max(size, _FILTERED)
    return message_days.backwards(account.id, account.shards, Reach(period.since_ms, period.until_ms, before, size))


def _to(account: str, asked: Asked, before: str, size: int) -> Iterator[Seen]:
    period, number = asked.days.whole, asked.number or ""
    while True:
        found = messages.to_number(
            account, number, period.since_ms - _AHEAD_MS, period.until_ms, before=before, limit=size
        )
        facts = message_days.facts_of(account, found)
        yield from (Seen(message_id, message_id, facts.get(message_id, ())) for message_id in found)
        if len(found) < size:
            return
        before = found[-1]


def _of_job(account: str, asked: Asked, before: str, size: int) -> Iterator[Seen]:
    job, until_ms = read_job(account, asked.job or "").job, asked.days.whole.until_ms
    for run in reversed(job.runs):
        begins = f"{ids.MESSAGE_PREFIX}{run}"
        if ids.created_ms_of(begins) < until_ms and begins <= (before or "~"):
            yield from message_days.of_run(account, run, before, size)
