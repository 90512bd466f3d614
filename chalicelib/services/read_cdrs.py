"""Read call detail records: those of an account's UTC day out of the log, or out of the archive."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.store import cdrs, hash_keys, messages

DAY_MS: Final = 86_400_000
FINAL_AFTER_DAYS: Final = 3  # nights after which a day is archived for good: few receipts come later


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
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)


def look(account: Account, day: str, after: str = "") -> Iterator[Looked]:
    """The messages that may count on the day, behind the one named, by when they were made; read as asked for."""
    key, since_ms = hash_keys.of(account.id), starts_ms(day)
    made = messages.made(account.id, account.shards, since_ms - _lookback_ms(account), since_ms + DAY_MS, after)
    for message_id, facts in made:
        cdr = cdr_of(message_id, account.id, facts, key)
        counts = cdr is not None and ids.day_at(cdr.at_ms) == day
        yield Looked(message_id, cost_as_taken(cdr) if cdr is not None and counts else None)


def is_archived(account: Account, day: str, now_ms: int) -> bool:
    """Whether the archive knows the day better than the log: it is closed for good, or the log has expired."""
    closed = cdrs.closed(day, account.id)
    return closed is not None and (closed.final or expires_ms(account, day) <= now_ms)


def expires_ms(account: Account, day: str) -> int:
    """When the first facts of what counts on the day may be gone from the log."""
    return starts_ms(day) + account.retention_days * DAY_MS


def _lookback_ms(account: Account) -> int:
    """How long a message may have waited when it was charged."""
    return account.max_validity_seconds * 1000 + DAY_MS
