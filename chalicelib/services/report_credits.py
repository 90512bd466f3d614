"""Report credits: what moved an account's balance in each day, and what it had before and after; out of usage."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final

import msgspec

from chalicelib.domain import local_days
from chalicelib.domain.local_days import Days, Period
from chalicelib.domain.usage import UsageLine, added_up, begins_ms
from chalicelib.services.faults import not_found
from chalicelib.store import usage, wallets

_TOGETHER: Final = 31  # days that are read at a time
_LOOKS: Final = 3


class CreditDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day's movements: `opening_micros` and they make `closing_micros`."""

    day: str
    opening_micros: int
    granted_micros: int
    adjusted_micros: int  # negative: taken back
    charged_micros: int
    refunded_micros: int
    closing_micros: int
    read: int  # how many lines of usage it was made of


class Position(msgspec.Struct, frozen=True):
    """Where a history goes on: before that day, which began with this balance."""

    day: date
    balance_micros: int


def report_credits(account: str, days: Days, position: Position | None, now_ms: int) -> Iterator[CreditDay]:
    """The days up to today, the latest first, as they are asked for; also those after the last one that was asked for,
    since the balance is counted back from what it is now. Raises Fault `not_found`.

    Between the reading of the balance and of today's usage money may move: then both are read again, a few times.
    """
    today = local_days.day_of(now_ms, days.zone)
    last = position.day - timedelta(days=1) if position else max(today, days.last)
    periods = local_days.latest_first(days.first, last, days.zone, "date")
    closing = position.balance_micros if position else None
    while together := list(islice(periods, _TOGETHER)):
        if closing is None:
            closing, lines = _settled(account, together)
        else:
            lines = _lines(account, together)
        for one in _days(together, lines, closing):
            closing = one.opening_micros
            yield one


def _settled(account: str, periods: list[Period]) -> tuple[int, list[UsageLine]]:
    balance = _balance_micros(account)
    for _ in range(_LOOKS):
        lines, before = _lines(account, periods), balance
        balance = _balance_micros(account)
        if balance == before:
            break
    return balance, lines


def _lines(account: str, periods: list[Period]) -> list[UsageLine]:
    return usage.between(account, periods[-1].since_ms, periods[0].until_ms, ends=False)


def _days(periods: list[Period], lines: list[UsageLine], closing: int) -> Iterator[CreditDay]:
    at = len(lines)
    for period in periods:
        until = at
        while at and begins_ms(lines[at - 1].slot) >= period.since_ms:
            at -= 1
        moved = added_up(lines[at:until])
        yield CreditDay(
            day=period.name,
            opening_micros=closing - moved.moved_micros,
            granted_micros=moved.granted_micros,
            adjusted_micros=moved.adjusted_micros,
            charged_micros=moved.credits_micros,
            refunded_micros=moved.paid_back_micros,
            closing_micros=closing,
            read=until - at,
        )
        closing -= moved.moved_micros


def _balance_micros(account: str) -> int:
    wallet = wallets.get(account, consistent=True)
    if wallet is None:
        raise not_found("account")
    return wallet.balance_micros
