"""Summarize: what an account sent in a day or a week of its own time zone, as a mail tells it."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import msgspec

from chalicelib.domain.alert import span_of
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.money import format_amount
from chalicelib.domain.usage import UsageLine
from chalicelib.store import accounts, usage, wallets

DAYS: Final = {Kind.SUMMARY_DAILY: 1, Kind.SUMMARY_WEEKLY: 7}
MOST_COUNTRIES: Final = 10
_DASH: Final = " – "


def notice_of(kind: Kind, account: str, last: date) -> Notice:
    """What is told of the day, or of the week that ends with it. The sums are made when it is addressed."""
    days = DAYS[kind]
    first = last - timedelta(days=days - 1)
    period = last.isoformat() if days == 1 else f"{first.isoformat()}{_DASH}{last.isoformat()}"
    return Notice(kind, f"{account}/{last.isoformat()}", account=account, values={"period": period})


def summarized(notice: Notice, now_ms: int) -> Notice | None:
    """A summary with its sums, None where nothing was sent; any other notice as it is."""
    days = DAYS.get(notice.kind)
    if days is None:
        return notice
    account = accounts.cached(notice.account or "", now_ms)
    if account is None:
        return None
    since_ms, until_ms = span_of(date.fromisoformat(notice.values["period"][:10]), days, account.time_zone)
    lines = usage.between(account.id, since_ms, until_ms)
    if not any(line.messages or line.refused for line in lines):
        return None
    wallet = wallets.get(account.id)
    values = {
        **notice.values,
        "messages": str(sum(line.messages for line in lines)),
        "parts": str(sum(line.parts for line in lines)),
        "credits": format_amount(_credits(lines)),
        "ends_lines": _ends(lines),
        "countries_lines": _countries(lines),
        "balance": format_amount(wallet.balance_micros) if wallet else "",
    }
    return msgspec.structs.replace(notice, values=values)


def _credits(lines: Iterable[UsageLine]) -> int:
    """What was charged and not given back."""
    return sum(line.credits_micros - line.refunded_micros for line in lines)


def _ends(lines: Iterable[UsageLine]) -> str:
    ends = Counter[str]()
    for line in lines:
        ends.update({status.value: count for status, count in line.ends.items()})
        ends["refused"] += line.refused
    return "\n".join(f"{status}: {count}" for status, count in ends.most_common() if count)


def _countries(lines: Iterable[UsageLine]) -> str:
    messages, paid = Counter[str](), Counter[str]()
    for line in lines:
        if line.messages:
            messages[line.country or "?"] += line.messages
            paid[line.country or "?"] += line.credits_micros - line.refunded_micros
    told = messages.most_common(MOST_COUNTRIES)
    return "\n".join(f"{country}: {count} / {format_amount(paid[country])}" for country, count in told)
