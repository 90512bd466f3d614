"""Published rules: publish what is edited, list and read the snapshots, publish an old one again."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin import gateways, routes
from chalicelib.api.admin.gateways import PublishedGateway
from chalicelib.api.admin.routes import PublishedRoute
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.rules import Rules
from chalicelib.services.publish import publish, roll_back, snapshot
from chalicelib.store import rules

endpoints: Final = Endpoints(__name__, tag="Published rules", role="admin")

RulesNumber = Annotated[int, Meta(ge=1, le=9_999_999_999, description="A snapshot's number.")]


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What changed, for those who read the list."""

    note: Annotated[str, Meta(max_length=rules.MAX_NOTE)] = ""


class Publishing(Note, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to publish with."""

    below_cost: Annotated[bool, Meta(description="Prices may lie below cost: else such rules are refused.")] = False


class SnapshotQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of the list."""

    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=20)] = 20


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A published snapshot, in a line."""

    number: int
    published_at: datetime
    published_by: Annotated[str, Meta(description="Which administrator: `user:…` or `key:…`.")]
    note: str


class SnapshotSize(Snapshot, frozen=True, kw_only=True):
    """A published snapshot, and how much is in it."""

    gateway_count: int
    route_count: int
    numbering_count: int
    content_rule_count: int
    sender_rule_count: int
    country_count: int
    rate_plan_count: int
    cost_count: Annotated[int, Meta(description="Gateways whose costs are known.")]


class SnapshotContent(SnapshotSize, frozen=True, kw_only=True):
    """A published snapshot with its gateways and routes. Its numbering plan may be too long to show: it is counted."""

    gateways: tuple[PublishedGateway, ...]
    routes: tuple[PublishedRoute, ...]


@endpoints.post("/v1/admin/rules/publish", status=201, faults=("rules_invalid", "below_cost"))
def publish_rules(call: AdminCall, body: Publishing) -> SnapshotSize:
    """Publish gateways, routes, rate plans, costs, numbering plan, content and sender rules and hours as they are now.

    Everything goes by them within some seconds.
    """
    return _size(publish(call.caller.who, body.note, call.now_ms, below_cost=body.below_cost))


@endpoints.get("/v1/admin/rules", faults=("invalid_cursor",))
def list_published_rules(call: AdminCall, query: SnapshotQuery) -> Listing[Snapshot]:
    """List the published snapshots, newest first."""
    page = rules.listing(unseal(call, "rules", query.cursor), query.limit)
    data = tuple(
        Snapshot(
            number=one.number, published_at=instant(one.published_ms), published_by=one.published_by, note=one.note
        )
        for one in page.items
    )
    return Listing(data=data, next_cursor=seal(call, "rules", page.cursor))


@endpoints.get("/v1/admin/rules/{number}")
def read_published_rules(call: AdminCall, number: RulesNumber) -> SnapshotContent:
    """Read a published snapshot."""
    held = snapshot(number)
    told = _size(held)
    return SnapshotContent(
        **{name: getattr(told, name) for name in told.__struct_fields__},
        gateways=tuple(gateways.published(gateway) for gateway in held.gateways),
        routes=tuple(routes.published(route) for route in held.routes),
    )


@endpoints.post("/v1/admin/rules/{number}/rollback", status=201)
def roll_back_rules(call: AdminCall, number: RulesNumber, body: Note) -> SnapshotSize:
    """Publish an old snapshot's content again, under a new number.

    What is edited stays as it is: the next publishing is of that.
    """
    return _size(roll_back(number, call.caller.who, body.note, call.now_ms))


def _size(held: Rules) -> SnapshotSize:
    return SnapshotSize(
        number=held.number,
        published_at=instant(held.published_ms),
        published_by=held.published_by,
        note=held.note,
        gateway_count=len(held.gateways),
        route_count=len(held.routes),
        numbering_count=len(held.numbering),
        content_rule_count=len(held.spam),
        sender_rule_count=len(held.senders),
        country_count=len(held.countries),
        rate_plan_count=len(held.rate_plans),
        cost_count=len(held.costs),
    )
