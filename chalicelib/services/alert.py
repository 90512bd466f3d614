"""Alert: what lasts is told of until it is over, days and weeks are summed up, and mails that were lost are sent on.

A round every five minutes. It reads a row an account or gateway by the hundred, and writes where there is news: first
how far it got, so that whoever dies in between tells it again under the name that it had.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

import msgspec

from chalicelib.domain import alert as domain
from chalicelib.domain.account import Account, Wallet
from chalicelib.domain.alert import Alert, Patience
from chalicelib.domain.gateway_beat import GatewayBeat, live
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.money import format_amount
from chalicelib.domain.rules import Gateway
from chalicelib.services.address_notice import send_on
from chalicelib.services.notify import notify_all
from chalicelib.services.summarize import notice_of
from chalicelib.store import accounts, alerts, gateway_beats, mails, rules, wallets
from chalicelib.store.rows import Row

LOST_MS: Final = 20 * 60_000  # a mail that waits for longer has no record any more: SQS delays by 15 minutes at most
LOST_AT_ONCE: Final = 100
NO_BRIDGE: Final = "no bridge tells of it"


class _Watched(NamedTuple):
    """Something that holds, or does not, and what is told of it if it does."""

    id: str
    holds: bool
    notice: Notice


def alert(now_ms: int) -> dict[str, int]:
    """Make a round; how much was told and sent on. Two at once tell nothing twice."""
    told = {"low_credit": 0, "summaries": 0}
    for some in accounts.pages():
        active = [account for account in some if account.state == "active"]
        told["low_credit"] += _tell(_low_credit(active), domain.LOW_CREDIT, now_ms)
        told["summaries"] += _sum_up(active, now_ms)
    told["gateways"] = _tell(_gateways(now_ms), domain.GATEWAY_DOWN, now_ms)
    lost = mails.waiting(now_ms - LOST_MS, LOST_AT_ONCE)
    send_on(lost, None, now_ms)
    return {**told, "lost": len(lost)}


def _tell(watched: Sequence[_Watched], patience: Patience, now_ms: int) -> int:
    """Tell of what is due; how much that is."""
    rows = alerts.get_all([one.id for one in watched])
    due = [(one, row) for one in watched if (row := _judged(one, rows[one.id], now_ms)) is not None]
    due = [(one, row) for one, row in due if domain.is_due(row.value, patience, now_ms)]
    notify_all([_named(one.notice, row.value) for one, row in due], now_ms)
    for _, row in due:
        alerts.put(domain.told_of(row.value, now_ms), row.version)
    return len(due)


def _judged(one: _Watched, row: Row[Alert], now_ms: int) -> Row[Alert] | None:
    """The alert as it is by now, written where that is news; None where another round was here."""
    now = domain.judged(row.value, holds=one.holds, now_ms=now_ms)
    if now == row.value:
        return row
    return Row(now, row.version + 1) if alerts.put(now, row.version) else None


def _named(notice: Notice, told: Alert) -> Notice:
    values = {**notice.values, "since_ms": str(told.since_ms)}
    return msgspec.structs.replace(notice, name=domain.name_of(told), values=values)


def _low_credit(some: Iterable[Account]) -> list[_Watched]:
    asked = {account.id: account.low_credit_micros for account in some if account.low_credit_micros is not None}
    held = wallets.get_all(asked)
    return [_credit_of(held[id_], threshold) for id_, threshold in asked.items() if id_ in held]


def _credit_of(wallet: Wallet, threshold_micros: int) -> _Watched:
    values = {"balance": format_amount(wallet.balance_micros), "threshold": format_amount(threshold_micros)}
    notice = Notice(Kind.LOW_CREDIT, "", account=wallet.account, values=values)
    return _Watched(f"low_credit/{wallet.account}", wallet.balance_micros < threshold_micros, notice)


def _gateways(now_ms: int) -> list[_Watched]:
    """Those that ought to be bound: who paused one knows."""
    beats: dict[str, list[GatewayBeat]] = {}
    for beat in gateway_beats.everyone():
        beats.setdefault(beat.gateway, []).append(beat)
    return [_bound(one, beats, now_ms) for one in rules.current(now_ms).gateways if one.state != "paused"]


def _bound(gateway: Gateway, beats: Mapping[str, Sequence[GatewayBeat]], now_ms: int) -> _Watched:
    now = live(beats.get(gateway.id, ()), now_ms)
    reason = NO_BRIDGE if not now.bridges else now.failure.reason if now.failure else ""
    values = {"gateway": gateway.id, "gateway_name": gateway.name, "reason": reason}
    return _Watched(f"gateway/{gateway.id}", now.bound == 0, Notice(Kind.GATEWAY_DOWN, "", values=values))


def _sum_up(some: Sequence[Account], now_ms: int) -> int:
    """Tell of the days and weeks that are over since the round before; of how many accounts."""
    rows = alerts.get_all([_summary_id(account) for account in some])
    due = [
        (account, row, day)
        for account in some
        if (row := rows[_summary_id(account)]).value.day
        < (day := domain.summary_day(account.time_zone, now_ms)).isoformat()
    ]
    notify_all([notice for account, row, day in due for notice in _summaries(account, row.value.day, day)], now_ms)
    for _, row, day in due:
        alerts.put(msgspec.structs.replace(row.value, day=day.isoformat()), row.version)
    return len(due)


def _summaries(account: Account, before: str, day: date) -> list[Notice]:
    """Of the day, and of the last week that ended since `before`; none for an account that is new here."""
    if not before:
        return []
    told = [notice_of(Kind.SUMMARY_DAILY, account.id, day)]
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)  # weeks begin on Monday (ISO 8601)
    if sunday.isoformat() > before:
        told.append(notice_of(Kind.SUMMARY_WEEKLY, account.id, sunday))
    return told


def _summary_id(account: Account) -> str:
    return f"summary/{account.id}"
