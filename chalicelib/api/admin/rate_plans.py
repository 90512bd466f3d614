"""Rate plans: prices by operator that accounts share; created, imported, exported, deleted. In force once published."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.price_previews import PreviewQuestion, PreviewView, preview_view
from chalicelib.api.admin.tariffs import (
    MAX_IMPORT_BYTES,
    ImportQuery,
    PriceLine,
    TakenView,
    file,
    instant_of,
    price_lines,
    taken,
    tariff_lines,
)
from chalicelib.api.admin.types import Deleted, Name, PageQuery, RatePlanId, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, CsvBody, CsvText, Endpoints, Reply
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.services import keep_tariffs
from chalicelib.services.import_prices import PRICES, parse_csv
from chalicelib.services.preview_prices import preview
from chalicelib.store import rule_rows
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Rate plans", role="admin")


class NewRatePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rate plan to open; its prices are imported then."""

    id: RatePlanId
    name: Name


class RatePlanChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name."""

    name: Name
    version: Version


class RatePlanInLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rate plan without its prices."""

    id: str
    name: str
    version: Version
    line_count: int


class RatePlanView(RatePlanInLine, frozen=True, kw_only=True):
    """A rate plan as it is edited."""

    prices: tuple[PriceLine, ...]


class PriceImportQuery(ImportQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take prices in."""

    below_cost: Annotated[
        bool, Meta(description="Prices may lie below cost: those that do are marked as meant. Else they are refused.")
    ] = False


@endpoints.post("/v1/admin/rate-plans", status=201, faults=("already_exists",))
def create_rate_plan(call: AdminCall, body: NewRatePlan) -> RatePlanInLine:
    """Create a rate plan, without prices yet."""
    return _in_line(keep_tariffs.create_plan(RatePlan(id=body.id, name=body.name)))


@endpoints.get("/v1/admin/rate-plans", faults=("invalid_cursor",))
def list_rate_plans(call: AdminCall, query: PageQuery) -> Listing[RatePlanInLine]:
    """List rate plans as they are edited, in no particular order."""
    page = rule_rows.rate_plans.listing(unseal(call, "rate plans", query.cursor), query.limit)
    data = tuple(map(_in_line, page.items))
    return Listing(data=data, next_cursor=seal(call, "rate plans", page.cursor))


@endpoints.get("/v1/admin/rate-plans/{rate_plan}")
def read_rate_plan(call: AdminCall, rate_plan: RatePlanId) -> RatePlanView:
    """Read a rate plan with its prices, as it is edited."""
    held = keep_tariffs.plan(rate_plan)
    told = _in_line(held)
    return RatePlanView(**msgspec.structs.asdict(told), prices=price_lines(held.value.lines))


@endpoints.put("/v1/admin/rate-plans/{rate_plan}", faults=("version_conflict",))
def rename_rate_plan(call: AdminCall, rate_plan: RatePlanId, body: RatePlanChange) -> RatePlanInLine:
    """Give a rate plan another name."""
    return _in_line(keep_tariffs.rename_plan(rate_plan, body.name, body.version))


@endpoints.delete("/v1/admin/rate-plans/{rate_plan}", faults=("in_use",))
def delete_rate_plan(call: AdminCall, rate_plan: RatePlanId) -> Deleted:
    """Delete a rate plan that no account pays by; it goes with the next publishing."""
    keep_tariffs.delete_plan(rate_plan)
    return Deleted(rate_plan)


@endpoints.post(
    "/v1/admin/rate-plans/{rate_plan}/prices",
    faults=("version_conflict", "list_too_long", "below_cost"),
    max_body_bytes=MAX_IMPORT_BYTES,
)
def import_prices(
    call: AdminCall, rate_plan: RatePlanId, body: tuple[PriceLine, ...] | CsvBody, query: PriceImportQuery
) -> TakenView:
    """Import prices into a rate plan.

    As a JSON array, or as text/csv whose first line names the columns country, operator, price, effective_from,
    below_cost. Every line is checked first: bad ones are named by their number (from 0), and then nothing is imported.
    """
    given = parse_csv(body.raw, PRICES) if isinstance(body, CsvBody) else tariff_lines(body)
    return taken(
        keep_tariffs.take_prices(rate_plan, given, call.now_ms, replace=query.replace, below_cost=query.below_cost)
    )


@endpoints.get("/v1/admin/rate-plans/{rate_plan}/file")
def export_prices(call: AdminCall, rate_plan: RatePlanId) -> Reply[CsvText]:
    """Export a rate plan's prices, as a CSV file that can be imported again."""
    return file(keep_tariffs.plan(rate_plan).value.lines, PRICES, f"rate-plan-{rate_plan}")


@endpoints.post(
    "/v1/admin/rate-plans/{rate_plan}/preview",
    faults=("list_too_long",),
    max_body_bytes=MAX_IMPORT_BYTES,
    right="admin.costs:read",
    changes=False,
)
def preview_rate_plan(call: AdminCall, rate_plan: RatePlanId, body: PreviewQuestion) -> PreviewView:
    """Preview what a rate plan, or a change of it, would mean for an account.

    Its traffic of the last 30 days, by operator, as it was charged, by the prices in force, and by the plan as it is
    edited, with `prices` taken in where they are given. Nothing is changed. Routes by prefix do not count.
    """
    at_ms = None if body.at is None else instant_of(body.at, "/at")
    given = None if body.prices is None else tariff_lines(body.prices)
    return preview_view(
        body.account, preview(rate_plan, body.account, call.now_ms, given=given, replace=body.replace, at_ms=at_ms)
    )


def _in_line(row: Row[RatePlan]) -> RatePlanInLine:
    return RatePlanInLine(id=row.value.id, name=row.value.name, version=row.version, line_count=len(row.value.lines))
