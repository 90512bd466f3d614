"""Refuse losses: what would be sold below cost is neither kept nor published, unless somebody says that it is meant."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.losses import ANYBODY, Loss, losses
from chalicelib.domain.money import format_amount
from chalicelib.domain.pricing import PriceSource
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.routing import RoutingTable
from chalicelib.domain.rules import NumberingPrefix, Route, Rules
from chalicelib.services.faults import Fault, FieldFault, invalid_field
from chalicelib.store import accounts, rule_rows, rules

MAX_TOLD: Final = 100  # losses that one answer names
# Of an account's settings: what can make a loss.
_OF_PRICES: Final = ("default_gateway", "default_price_micros", "below_cost", "rate_plan")
# Where, of all that is in force, a price stands.
_PLACES: Final[dict[PriceSource, str]] = {
    "route": "/routes/{}/price",
    "rate_plan": "/rate_plans/{}",
    "default": "/accounts/{}/default_price",
}


def check_route(route: Route, now_ms: int) -> None:
    """Raises Fault `below_cost` where the route's own price is, at any of its gateways."""
    if route.price_micros is None or route.below_cost or route.state != "active":
        return
    edited = _edited(now_ms)
    others = [other for other in edited.routes if other.id != route.id]
    table = RoutingTable(msgspec.structs.replace(edited, routes=(*others, route)))
    payer = ANYBODY if route.account is None else _account(route.account)
    _refuse([_fault("/price", loss) for loss in _made_by("route", route.id, losses(table, [payer], now_ms))])


def losses_of_plan(plan: RatePlan, now_ms: int) -> list[Loss]:
    """Where accounts with that plan would pay less than the cost; not what is meant so."""
    edited = _edited(now_ms)
    others = [other for other in edited.rate_plans if other.id != plan.id]
    table = RoutingTable(msgspec.structs.replace(edited, rate_plans=(*others, plan)))
    payers = [msgspec.structs.replace(ANYBODY, rate_plan=plan.id), *_special(table, accounts_on(plan.id))]
    return list(_made_by("rate_plan", plan.id, losses(table, payers, now_ms)))


def check_account(account: Account, before: Account | None, now_ms: int) -> None:
    """Raises Fault `below_cost` where the default price, or the plan's prices, are for it. What was so may stay so.

    And `invalid_request` where its rate plan is not in force: its messages would have other prices until it is.
    """
    if before is not None and all(getattr(account, name) == getattr(before, name) for name in _OF_PRICES):
        return
    if account.rate_plan is not None and not _is_in_force(account.rate_plan, now_ms):
        told = f"no rate plan {account.rate_plan} is in force: publish it first"
        raise invalid_field("/rate_plan", "not_found", told)
    fields = {"default": "/default_price", "rate_plan": "/rate_plan"}
    found = losses(RoutingTable(_edited(now_ms)), [account], now_ms)
    _refuse([_fault(fields[loss.source], loss) for loss in found if loss.source in fields])


def check_publication(published: Rules, now_ms: int) -> None:
    """Raises Fault `below_cost` with each price of it that is, and each default price of an account."""
    table = RoutingTable(published)
    plans = [msgspec.structs.replace(ANYBODY, rate_plan=plan.id) for plan in published.rate_plans]
    payers = [ANYBODY, *plans, *_special(table, (account for page in accounts.pages() for account in page))]
    _refuse([_fault(_PLACES[loss.source].format(loss.name), loss) for loss in losses(table, payers, now_ms)])


def candidate(
    routes: Iterable[Route],
    numbering: Iterable[NumberingPrefix],
    rate_plans: Iterable[RatePlan],
    costs: Iterable[GatewayCosts],
    now_ms: int,
) -> Rules:
    """All that says what messages cost and are sold for, as rules that are in force nowhere."""
    return Rules(
        number=0,
        published_ms=now_ms,
        published_by="",
        routes=tuple(routes),
        numbering=tuple(numbering),
        rate_plans=tuple(rate_plans),
        costs=tuple(costs),
    )


def accounts_on(plan: str) -> Iterator[Account]:
    """The accounts whose prices the plan says. It reads them all."""
    return (account for page in accounts.pages() for account in page if account.rate_plan == plan)


def described(loss: Loss) -> str:
    """The loss in a line."""
    price, cost = format_amount(loss.price_micros), format_amount(loss.cost_micros)
    whose = f"{loss.line.operator}, {loss.line.country}" if loss.line.operator else loss.line.country
    return f"{price} for {whose} is below the cost of {cost} at gateway {loss.gateway}"


def refusal(faults: Sequence[FieldFault]) -> Fault:
    """Fault `below_cost` of these."""
    told = f"{len(faults)} of the prices are below cost, as {faults[0].detail}; say below_cost where that is meant"
    return Fault("below_cost", told, tuple(faults[:MAX_TOLD]))


def _special(table: RoutingTable, some: Iterable[Account]) -> Iterator[Account]:
    """Those who may pay other than their plan or the routes for all say: one of each kind."""
    if not table.rules.costs:
        return
    own = {route.account for route in table.rules.routes}
    seen = set()
    for account in some:
        kind = (account.id if account.id in own else "", *(getattr(account, name) for name in _OF_PRICES))
        if account.state != "closed" and (account.id in own or account.default_gateway) and kind not in seen:
            seen.add(kind)
            yield account


def _edited(now_ms: int) -> Rules:
    """Routes, plans and costs as they are edited; of the numbering plan, which is long, what is in force will do."""
    costs = rule_rows.costs.everything()
    if not costs:  # then there can be no loss
        return candidate((), (), (), (), now_ms)
    routes, rate_plans = rule_rows.routes.everything(), rule_rows.rate_plans.everything()
    return candidate(routes, rules.current(now_ms).numbering, rate_plans, costs, now_ms)


def _is_in_force(plan_id: str, now_ms: int) -> bool:
    if any(plan.id == plan_id for plan in rules.current(now_ms).rate_plans):
        return True
    rules.forget()  # it may have been published a second ago
    return any(plan.id == plan_id for plan in rules.current(now_ms).rate_plans)


def _account(account_id: str) -> Account:
    return accounts.get(account_id) or msgspec.structs.replace(ANYBODY, id=account_id)


def _made_by(source: PriceSource, name: str, found: Iterable[Loss]) -> Iterator[Loss]:
    return (loss for loss in found if (loss.source, loss.name) == (source, name))


def _fault(field: str, loss: Loss) -> FieldFault:
    return FieldFault(field=field, code="below_cost", detail=described(loss))


def _refuse(faults: Sequence[FieldFault]) -> None:
    if faults:
        raise refusal(faults)
