"""Tell of changed prices: accounts hear what they will pay from when on, once for each publishing or setting."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.account import Account
from chalicelib.domain.mail import MAX_LINES, Kind, Notice
from chalicelib.domain.money import format_amount
from chalicelib.domain.rate_plan import PriceChange, RatePlan, price_changes
from chalicelib.domain.rules import Rules
from chalicelib.services.notify import notify_all
from chalicelib.services.price_list import RouteChanges
from chalicelib.store import accounts, rules
from chalicelib.store.queues import Undelivered

_OF_AWS: Final = (ClientError, BotoCoreError, Undelivered)
_NOTHING: Final = "–"
_ANYWHERE: Final = "*"  # in place of a country
_NO_PLAN: Final = RatePlan(id="", name=_NOTHING)

log: Final = logging.getLogger(__name__)


def of_publishing(before: Rules, after: Rules, now_ms: int) -> None:
    """Tell the accounts whose rate plans' or routes' prices are others now, or have others to come.

    It is published by now: where they cannot be told, that is noted, and nothing else fails.
    """
    plans = {plan.id: (plan, told) for plan, told in _changed(before, after, now_ms)}
    routes = RouteChanges(before, after)
    if not plans and not routes:
        return
    event = f"rules {after.number}"
    try:
        for page in accounts.pages():
            notices = [_of_rules(one, event, plans.get(one.rate_plan or ""), routes, now_ms) for one in page]
            notify_all([one for one in notices if one is not None], now_ms)
    except _OF_AWS:
        log.exception("accounts were not told of changed prices", extra={"rules": after.number})


def of_account(before: Account, after: Account, version: int, now_ms: int) -> None:
    """Tell an account that its rate plan, or its default price, is another one. It is so by now, as above."""
    plans = {plan.id: plan for plan in rules.current(now_ms).rate_plans}
    was, now = plans.get(before.rate_plan or "", _NO_PLAN), plans.get(after.rate_plan or "", _NO_PLAN)
    changes = list(price_changes(was.lines, now.lines, now_ms))
    prices = before.default_price_micros, after.default_price_micros
    if prices[0] != prices[1]:
        changes.append(PriceChange(_ANYWHERE, None, now_ms, *prices))
    if not changes:
        return
    try:
        notify_all([_notice(after, f"version {version}", now, changes)], now_ms)
    except _OF_AWS:
        log.exception("an account was not told of changed prices", extra={"account": after.id})


def _of_rules(
    account: Account,
    event: str,
    of_plan: tuple[RatePlan, Sequence[PriceChange]] | None,
    routes: RouteChanges,
    now_ms: int,
) -> Notice | None:
    """What the account is told of a publishing; None: it pays what it paid, or pays nothing any more."""
    if account.state == "closed":
        return None
    plan, changes = of_plan or (_NO_PLAN, ())
    told = {(change.country, change.operator) for change in changes}
    others = routes.for_account(account, now_ms)
    changes = [*changes, *(change for change in others if (change.country, change.operator) not in told)]
    return _notice(account, event, plan, changes) if changes else None


def _changed(before: Rules, after: Rules, now_ms: int) -> Iterator[tuple[RatePlan, Sequence[PriceChange]]]:
    old = {plan.id: plan for plan in before.rate_plans}
    for plan in after.rate_plans:
        was = old.get(plan.id)
        told = list(price_changes(was.lines if was else (), plan.lines, now_ms))
        if told:
            yield plan, told


def _notice(account: Account, event: str, plan: RatePlan, changes: Sequence[PriceChange]) -> Notice:
    return Notice(
        kind=Kind.PRICE_CHANGED,
        name=f"{account.id}/{event}",
        account=account.id,
        values={
            "plan": plan.name,
            "starts_ms": str(min(change.from_ms for change in changes)),
            "changes_lines": "\n".join(_lines(changes)),
        },
    )


def _lines(changes: Sequence[PriceChange]) -> Iterable[str]:
    """A line a change, without words: mails are in several languages."""
    shown = [_line(change) for change in changes[: MAX_LINES - 1]]
    return shown if len(changes) < MAX_LINES else [*shown, f"… (+{len(changes) - len(shown)})"]


def _line(change: PriceChange) -> str:
    whose = f"{change.country or _ANYWHERE} {change.operator or '*'}"
    begins = datetime.fromtimestamp(change.from_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{whose}: {_amount(change.before_micros)} → {_amount(change.after_micros)} ({begins} UTC)"


def _amount(micros: int | None) -> str:
    return _NOTHING if micros is None else format_amount(micros)
