"""Read messages back: one with its facts, or those of some days, newest first."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.message import Message, fold, timeline
from chalicelib.domain.status import Status
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.store import messages

MAX_DAYS: Final = 366
# Days without messages, and messages of another status, cost a read each and give nothing: then the page is short.
_MAX_READS: Final = 20


class Told(msgspec.Struct, frozen=True):
    """A message and the facts that it is the fold of, in order of time."""

    message: Message
    facts: tuple[AnyFact, ...]


class Span(msgspec.Struct, frozen=True):
    """Days (UTC), both included."""

    first: date
    last: date


class Position(msgspec.Struct, frozen=True):
    """Where a listing goes on: in this day's log, before this message (None: at the newest)."""

    day: date
    before: str | None


def read(account: Account, message_id: str) -> Told:
    """The message as it is this moment. Raises Fault `not_found`, also where it is another account's."""
    try:
        ids.check_message_id(message_id)
    except ids.BadId:
        raise not_found("message") from None
    facts = messages.facts_of(account.id, message_id)
    message = fold(message_id, facts)
    if message is None:
        raise not_found("message")
    return Told(message, timeline(facts))


def span(first: date | None, last: date | None, now_ms: int) -> Span:
    """The days that were asked for; today where none was named. Raises Fault `invalid_request`."""
    today = date.fromisoformat(ids.day_at(now_ms))
    asked = Span(first or last or today, last or today)
    if asked.first > asked.last:
        raise invalid_field("date_from", "reversed_range", "date_from is after date_to")
    if (asked.last - asked.first).days >= MAX_DAYS:
        raise invalid_field("date_from", "out_of_range", f"at most {MAX_DAYS} days at a time")
    return asked


def listing(
    account: Account, days: Span, status: Status | None, position: Any, limit: int
) -> tuple[list[Message], Position | None]:
    """Up to `limit` messages, newest first, and where to go on (None: all were seen). `position`: None, or from before.

    Raises Fault `invalid_cursor`.
    """
    at: Position | None = Position(days.last, None) if position is None else _position(position)
    found: list[Message] = []
    for _ in range(_MAX_READS):
        if at is None or len(found) >= limit:
            break
        cursor = {"before": at.before} if at.before else None
        page = messages.day(account.id, at.day.isoformat(), account.shards, cursor, limit)
        at = _after(at, page.cursor, days)
        for message_id, facts in page.items:
            if len(found) == limit:
                at = Position(date.fromisoformat(ids.day_of(found[-1].id)), found[-1].id)
                break
            message = fold(message_id, facts)
            if message is not None and status in (None, message.status):
                found.append(message)
    return found, at


def _after(at: Position, cursor: dict[str, Any] | None, days: Span) -> Position | None:
    """The rest of the day; else the day before, while it is in the span."""
    if cursor is not None:
        return Position(at.day, cursor["before"])
    return Position(at.day - timedelta(days=1), None) if at.day > days.first else None


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
