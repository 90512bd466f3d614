"""Read an account's statement: what moved its money, newest first, each with what the account had after it."""

from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from chalicelib.domain.charging import LedgerEntry, place_from
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.store import ledger, wallets

_DAY_MS: Final = 86_400_000
# What is newer than the days asked for is read and passed over, since the balance follows from it: some at a time.
_PASSED_OVER: Final = 1_000
_MAX_READS: Final = 10
_OLDEST: Final = "0"  # before every place: they begin with a digit
_NEWEST: Final = ":"  # after every place


class Line(msgspec.Struct, frozen=True):
    """A movement, and what the account had after it."""

    entry: LedgerEntry
    balance_micros: int


class Position(msgspec.Struct, frozen=True):
    """Where a statement goes on: after the line at this place (None: at the newest); the balance before that line."""

    after: str | None
    balance_micros: int


class Places(msgspec.Struct, frozen=True):
    """The part of a statement that is asked for: from place `since` to just before `until`."""

    since: str
    until: str


def places(first: date | None, last: date | None) -> Places:
    """Those of the days (UTC), both included; None is without end. Raises Fault `invalid_request`."""
    if first and last and first > last:
        raise invalid_field("date_from", "reversed_range", "date_from is after date_to")
    return Places(
        since=place_from(_midnight_ms(first)) if first else _OLDEST,
        until=place_from(_midnight_ms(last) + _DAY_MS) if last else _NEWEST,
    )


def statement(account: str, asked: Places, position: Any, limit: int) -> tuple[list[Line], Position | None]:
    """Up to `limit` lines, and where to go on (None: that was all). `position`: None, or from before.

    The balances are counted back from the wallet, which is read after the newest entries: what was posted in between,
    or is not in the index yet, is in the balance of the newest line before it is a line. Raises Fault `not_found`,
    `invalid_cursor`.
    """
    at = None if position is None else _position(position)
    lines: list[Line] = []
    for _ in range(_MAX_READS):
        passing_over = ((at and at.after) or _NEWEST) > asked.until
        page = ledger.posted(
            account,
            since=asked.since,
            after=at.after if at else None,
            limit=_PASSED_OVER if passing_over else limit,
        )
        at = at or Position(None, _balance_micros(account))
        for entry in page.items:
            if len(lines) == limit:
                return lines, at
            if entry.place < asked.until:
                lines.append(Line(entry, at.balance_micros))
            at = Position(entry.place, at.balance_micros - entry.amount_micros)
        if page.cursor is None:
            return lines, None
    return lines, at


def _balance_micros(account: str) -> int:
    wallet = wallets.get(account, consistent=True)
    if wallet is None:
        raise not_found("account")
    return wallet.balance_micros


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
