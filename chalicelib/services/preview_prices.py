"""Preview prices: what an account's last 30 days of traffic would have come to by a changed rate plan."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.routing import Line, RoutingTable
from chalicelib.domain.tariff import TariffLine
from chalicelib.domain.usage import UsageLine
from chalicelib.services.faults import not_found
from chalicelib.services.import_prices import merged
from chalicelib.services.keep_tariffs import plan as kept_plan
from chalicelib.services.refuse_losses import candidate
from chalicelib.store import accounts, rule_rows, rules, usage

DAYS: Final = 30
_DAY_MS: Final = 86_400_000


class PreviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent to an operator, and what it comes to. Prices are a part's; None: nothing says."""

    country: str
    operator: str
    messages: int
    parts: int
    paid_micros: int  # as it was charged then
    price_now_micros: int | None  # by what is in force
    price_then_micros: int | None  # by the change
    cost_micros: int  # of all parts, as costs are edited
    costed_parts: int  # whose cost is known

    @property
    def now_micros(self) -> int:
        return self.parts * (self.price_now_micros or 0)

    @property
    def then_micros(self) -> int:
        return self.parts * (self.price_then_micros or 0)


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The lines, by country and operator, of [since, until); the change as of `at_ms`."""

    since_ms: int
    until_ms: int
    at_ms: int
    lines: tuple[PreviewLine, ...]


def preview(
    plan_id: str,
    account_id: str,
    now_ms: int,
    *,
    given: Sequence[TariffLine] | None = None,
    replace: bool = False,
    at_ms: int | None = None,
) -> Preview:
    """What the account would have paid, were this its rate plan, as it is edited, or with the `given` lines taken in.

    `at_ms` is the instant whose prices and costs count, now at first. Routes count as they are edited; those by prefix
    do not, since usage does not tell prefixes apart. Raises Fault `not_found`, `invalid_request`, `list_too_long`.
    """
    plan = kept_plan(plan_id).value
    if given is not None:
        plan = msgspec.structs.replace(plan, lines=merged(plan.lines, given, replace=replace))
    account = accounts.get(account_id)
    if account is None:
        raise not_found("account")
    change = _Prices(
        _with(plan, now_ms), msgspec.structs.replace(account, rate_plan=plan.id), now_ms if at_ms is None else at_ms
    )
    force = _Prices(RoutingTable(rules.current(now_ms)), account, now_ms)
    since_ms = now_ms - DAYS * _DAY_MS
    sent = usage.between(account.id, since_ms, now_ms, ends=False)
    lines = tuple(_line(line, some, force, change) for line, some in sorted(_by_operator(sent, force).items()))
    return Preview(since_ms=since_ms, until_ms=now_ms, at_ms=change.at_ms, lines=lines)


class _Prices:
    """What an account pays, and what it costs, at an instant by a table."""

    def __init__(self, table: RoutingTable, account: Account, at_ms: int) -> None:
        self.table, self.account, self.at_ms = table, account, at_ms

    def price_micros(self, line: Line) -> int | None:
        routes = self.table.routes_for(self.account.id, "", line)
        priced = self.table.priced(self.account, next(routes, None), "", line, self.at_ms)
        return priced.micros if priced else None

    def cost_micros(self, gateway: str, line: Line) -> int | None:
        return self.table.cost_micros(gateway, line, self.at_ms)


def _with(plan: RatePlan, now_ms: int) -> RoutingTable:
    """The rules as they are edited, with the plan in them. Of the numbering plan nothing is asked here."""
    routes, costs = rule_rows.routes.everything(), rule_rows.costs.everything()
    return RoutingTable(candidate(routes, (), [plan], costs, now_ms))


def _by_operator(sent: Iterable[UsageLine], force: _Prices) -> dict[Line, list[UsageLine]]:
    """Without what test keys sent: it went to simulators, and was free."""
    found: dict[Line, list[UsageLine]] = {}
    for line in sent:
        gateway = force.table.gateways.get(line.gateway)
        if line.parts and (line.credits_micros or gateway is None or not gateway.simulator):
            found.setdefault(Line(line.country, line.operator), []).append(line)
    return found


def _line(line: Line, sent: Sequence[UsageLine], force: _Prices, change: _Prices) -> PreviewLine:
    costs = [(one.parts, change.cost_micros(one.gateway, line)) for one in sent]
    return PreviewLine(
        country=line.country,
        operator=line.operator,
        messages=sum(one.messages for one in sent),
        parts=sum(one.parts for one in sent),
        paid_micros=sum(one.credits_micros for one in sent),
        price_now_micros=force.price_micros(line),
        price_then_micros=change.price_micros(line),
        cost_micros=sum(parts * (cost or 0) for parts, cost in costs),
        costed_parts=sum(parts for parts, cost in costs if cost is not None),
    )
