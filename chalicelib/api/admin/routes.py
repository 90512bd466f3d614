"""Routes with prices: create, read, change, list, delete. They are used as they were when last published."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Country, Deleted, GatewayId, PageQuery, Prefix, RouteId, Version
from chalicelib.api.amounts import Price
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.domain import ids
from chalicelib.domain.rules import Route, Target
from chalicelib.services.drop_row import drop_row
from chalicelib.services.faults import not_found
from chalicelib.services.keep_route import change_route, create_route
from chalicelib.store import rule_rows
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Routes", role="admin")
MAX_TARGETS: Final = 20


class TargetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway of a route: lower `priority` first; among equals by weight."""

    gateway: GatewayId
    priority: Annotated[int, Meta(ge=0, le=1000)] = 0
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages go where, at what price. What is null matches anything; the most specific route wins."""

    targets: Annotated[tuple[TargetSettings, ...], Meta(min_length=1, max_length=MAX_TARGETS)]
    price: (
        Annotated[
            Price,
            Meta(description="Per part. Null: as the account's rate plan says, else the next route that matches."),
        ]
        | None
    ) = None
    account: AccountId | None = None
    country: Country | None = None
    operator: (
        Annotated[str, Meta(min_length=1, max_length=60, description="As the numbering plan names it.")] | None
    ) = None
    prefix: Prefix | None = None
    state: Literal["active", "paused"] = "active"
    below_cost: Annotated[bool, Meta(description="The price may lie below cost: else such a one is refused.")] = False


class RouteChange(RouteSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default."""

    version: Version


class PublishedRoute(RouteSettings, frozen=True, kw_only=True):
    """A route of a snapshot."""

    id: str


class RouteView(PublishedRoute, frozen=True, kw_only=True):
    """A route as it is edited."""

    version: int


@endpoints.post("/v1/admin/routes", status=201, faults=("already_exists", "below_cost"))
def create_a_route(call: AdminCall, body: RouteSettings) -> RouteView:
    """Create a route.

    It is used once it is published.
    """
    return route_view(create_route(route_of(ids.new_id("rte", call.now_ms), body), call.now_ms))


@endpoints.get("/v1/admin/routes", faults=("invalid_cursor",))
def list_routes(call: AdminCall, query: PageQuery) -> Listing[RouteView]:
    """List routes as they are edited, in no particular order."""
    page = rule_rows.routes.listing(unseal(call, "routes", query.cursor), query.limit)
    return Listing(data=tuple(route_view(row) for row in page.items), next_cursor=seal(call, "routes", page.cursor))


@endpoints.get("/v1/admin/routes/{route}")
def read_route(call: AdminCall, route: RouteId) -> RouteView:
    """Read a route as it is edited."""
    held = rule_rows.routes.get(route, consistent=True)
    if held is None:
        raise not_found("route")
    return route_view(held)


@endpoints.put("/v1/admin/routes/{route}", faults=("version_conflict", "below_cost"))
def change_a_route(call: AdminCall, route: RouteId, body: RouteChange) -> RouteView:
    """Change a route; used once it is published."""
    return route_view(change_route(route_of(route, body), body.version, call.now_ms))


@endpoints.delete("/v1/admin/routes/{route}")
def delete_a_route(call: AdminCall, route: RouteId) -> Deleted:
    """Delete a route; it goes with the next publishing."""
    drop_row("route", rule_rows.routes, route)
    return Deleted(route)


def published(route: Route) -> PublishedRoute:
    """The route as a snapshot has it."""
    return PublishedRoute(
        id=route.id,
        targets=tuple(TargetSettings(**msgspec.structs.asdict(target)) for target in route.targets),
        price=None if route.price_micros is None else Price(route.price_micros),
        account=route.account,
        country=route.country,
        operator=route.operator,
        prefix=route.prefix,
        state=route.state,
        below_cost=route.below_cost,
    )


def route_view(row: Row[Route]) -> RouteView:
    """The route as it is edited."""
    told = published(row.value)
    return RouteView(**{name: getattr(told, name) for name in told.__struct_fields__}, version=row.version)


def route_of(route_id: str, given: RouteSettings) -> Route:
    """The route with these settings."""
    return Route(
        id=route_id,
        targets=tuple(Target(**msgspec.structs.asdict(target)) for target in given.targets),
        price_micros=given.price.micros if given.price else None,
        account=given.account,
        country=given.country,
        operator=given.operator,
        prefix=given.prefix,
        state=given.state,
        below_cost=given.below_cost,
    )
