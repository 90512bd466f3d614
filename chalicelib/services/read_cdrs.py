"""Read call detail records: those that count on an account's UTC day, out of the log."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.facts import AnyFact
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.store import hash_keys, messages
from chalicelib.store.message_days import facts_of
from chalicelib.store.messages import LATE_MS

DAY_MS: Final = 86_400_000
FINAL_AFTER_DAYS: Final = 3  # nights after which a day is archived for good: few receipts come later
# And nights after which those few are looked for: receipts find their messages for seven days, and a message may be
# valid for thirty.
AGAIN_AFTER_DAYS: Final = (10, 33)
LONGEST_WAIT_MS: Final = 31 * DAY_MS  # from when a message is made to its charge: it is scheduled 30 days ahead at most
_AT_ONCE: Final = 200  # late messages whose facts are read together


class Looked(NamedTuple):
    """A message that was looked at: its place, and its record where it counts on the day."""

    place: str
    cdr: Cdr | None


def starts_ms(day: str) -> int:
    """The first instant of a UTC day (YYYY-MM-DD)."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def day_after(day: str) -> str:
    """The day (YYYY-MM-DD) that follows."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def days_between(first: str, last: str) -> Iterator[str]:
    """The days (YYYY-MM-DD), both included."""
    while first <= last:
        yield first
        first = day_after(first)


def look(account: Account, day: str, after: str = "") -> Iterator[Looked]:
    """The messages that may count on the day, behind a place ('': all), read as they are asked for.

    First those that were made on it or shortly before, by their ids; then those that had waited for longer, by when
    they were decided. Each is looked at once.
    """
    key = hash_keys.of(account.id)
    for place, message_id, facts in _seen(account, day, after):
        cdr = cdr_of(message_id, account.id, facts, key)
        counts = cdr is not None and ids.day_at(cdr.at_ms) == day
        yield Looked(place, cost_as_taken(cdr) if cdr is not None and counts else None)


def expires_ms(account: Account, day: str, waited_ms: int = LATE_MS) -> int:
    """When the first facts of what counts on the day, and had waited for so long, may be gone from the log."""
    return starts_ms(day) - waited_ms + account.retention_days * DAY_MS


def _seen(account: Account, day: str, after: str) -> Iterator[tuple[str, str, tuple[AnyFact, ...]]]:
    """Place, id and facts; a late one's place is not an id."""
    since_ms = starts_ms(day) - LATE_MS
    is_late = bool(after) and not after.startswith(ids.MESSAGE_PREFIX)
    if not is_late:
        made = messages.made(account.id, account.shards, since_ms, starts_ms(day) + DAY_MS, after)
        yield from ((one.message_id, *one) for one in made)
    late = messages.decided_late(account.id, day, account.shards, after if is_late else "")
    earlier = ((place, id_) for place, id_ in late if ids.created_ms_of(id_) < since_ms)
    while some := list(islice(earlier, _AT_ONCE)):
        found = facts_of(account.id, [id_ for _, id_ in some])
        yield from ((place, id_, found.get(id_, ())) for place, id_ in some)
