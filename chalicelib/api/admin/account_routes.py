"""An account's routes and prices in one view; its own routes, made and changed there."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.routes import RouteChange, RouteSettings, RouteView, route_of, route_view
from chalicelib.api.admin.types import AccountId, RouteId
from chalicelib.api.amounts import Price
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.decision import Decision
from chalicelib.services.faults import not_found
from chalicelib.services.keep_route import change_route, create_route
from chalicelib.services.price_list import OperatorPrice, own_routes, price_list
from chalicelib.store import accounts, rule_rows

endpoints: Final = Endpoints(__name__, tag="Routes", role="admin")


class OperatorPriceView(msgspec.Struct, frozen=True, kw_only=True):
    """What the account would pay now for a part to an operator, and where it would go; or why it would not."""

    country: str
    operator: str
    prefix: Annotated[str, Meta(description="The operator's first one, which it was asked with.")]
    price: Price | None
    cost: Annotated[Price, Meta(description="What the part costs us there. Null: nobody has said.")] | None
    gateway: str | None
    failover: tuple[str, ...]
    route: Annotated[str, Meta(description="`default`: the account's default gateway.")] | None
    why: str
    refusal: Annotated[str, Meta(description="Why it would go nowhere, for programs.")] | None


class AccountRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """An account's routes and prices: as it pays by the published rules, and its own routes as they are edited."""

    account: str
    rate_plan: str | None
    default_gateway: str | None
    default_price: Price | None
    prices: tuple[OperatorPriceView, ...]
    routes: tuple[RouteView, ...]


@endpoints.get("/v1/admin/accounts/{account}/routes")
def read_routes_of_account(call: AdminCall, account: AccountId) -> AccountRoutes:
    """See what an account pays to each operator, by which route, and its own routes."""
    held = _held(account)
    default = held.default_price_micros
    return AccountRoutes(
        account=account,
        rate_plan=held.rate_plan,
        default_gateway=held.default_gateway,
        default_price=None if default is None else Price(default),
        prices=tuple(map(_price, price_list(held, call.now_ms))),
        routes=tuple(map(route_view, own_routes(account))),
    )


@endpoints.post("/v1/admin/accounts/{account}/routes", status=201, faults=("already_exists", "below_cost"))
def create_route_of_account(call: AdminCall, account: AccountId, body: RouteSettings) -> RouteView:
    """Create a route of the account's own, whatever account the body names; used once it is published."""
    _held(account)
    route = route_of(ids.new_id("rte", call.now_ms), msgspec.structs.replace(body, account=account))
    return route_view(create_route(route, call.now_ms))


@endpoints.put("/v1/admin/accounts/{account}/routes/{route}", faults=("version_conflict", "below_cost"))
def change_route_of_account(call: AdminCall, account: AccountId, route: RouteId, body: RouteChange) -> RouteView:
    """Change a route of the account's own; used once it is published."""
    row = rule_rows.routes.get(route, consistent=True)
    if row is None or row.value.account != account:
        raise not_found("route")
    changed = route_of(route, msgspec.structs.replace(body, account=account))
    return route_view(change_route(changed, body.version, call.now_ms))


def _held(account: str) -> Account:
    held = accounts.get(account)
    if held is None:
        raise not_found("account")
    return held


def _price(one: OperatorPrice) -> OperatorPriceView:
    decided = one.decided
    if isinstance(decided, Decision):
        return OperatorPriceView(
            country=one.country,
            operator=one.operator,
            prefix=one.number,
            price=Price(decided.price_micros),
            cost=None if decided.cost_micros is None else Price(decided.cost_micros),
            gateway=decided.gateway,
            failover=decided.failover,
            route=decided.route,
            why=decided.why,
            refusal=None,
        )
    return OperatorPriceView(
        country=one.country,
        operator=one.operator,
        prefix=one.number,
        price=None,
        cost=None,
        gateway=None,
        failover=(),
        route=None,
        why=decided.error.title,
        refusal=decided.error.code,
    )
