"""What gateways' operators ask for a part: import, read, export, delete. In force once published."""

from typing import Final

import msgspec

from chalicelib.api.admin.tariffs import (
    MAX_IMPORT_BYTES,
    CostLine,
    ImportQuery,
    TakenView,
    cost_lines,
    file,
    taken,
    tariff_lines,
)
from chalicelib.api.admin.types import Deleted, GatewayId, PageQuery, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, CsvBody, CsvText, Endpoints, Reply
from chalicelib.services import keep_tariffs
from chalicelib.services.import_prices import COSTS, parse_csv
from chalicelib.store import rule_rows

endpoints: Final = Endpoints(__name__, tag="Costs", role="admin")


class CostsInLine(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway whose costs are known, in a line."""

    gateway: str
    version: Version
    line_count: int


class CostsView(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway costs, as it is edited."""

    gateway: str
    version: Version
    lines: tuple[CostLine, ...]


@endpoints.get("/v1/admin/costs", faults=("invalid_cursor",))
def list_costs(call: AdminCall, query: PageQuery) -> Listing[CostsInLine]:
    """List the gateways whose costs are known, in no particular order."""
    page = rule_rows.costs.listing(unseal(call, "costs", query.cursor), query.limit)
    data = tuple(
        CostsInLine(gateway=row.value.gateway, version=row.version, line_count=len(row.value.lines))
        for row in page.items
    )
    return Listing(data=data, next_cursor=seal(call, "costs", page.cursor))


@endpoints.get("/v1/admin/costs/{gateway}")
def read_costs(call: AdminCall, gateway: GatewayId) -> CostsView:
    """Read what a gateway costs, as it is edited."""
    held = keep_tariffs.costs(gateway)
    return CostsView(gateway=gateway, version=held.version, lines=cost_lines(held.value.lines))


@endpoints.post(
    "/v1/admin/costs/{gateway}",
    faults=("version_conflict", "list_too_long"),
    max_body_bytes=MAX_IMPORT_BYTES,
)
def import_costs(
    call: AdminCall, gateway: GatewayId, body: tuple[CostLine, ...] | CsvBody, query: ImportQuery
) -> TakenView:
    """Import what a gateway costs.

    As a JSON array, or as text/csv whose first line names the columns country, operator, cost, effective_from. Every
    line is checked first: bad ones are named by their number (from 0), and then nothing is imported. Where prices lie
    below the new costs, the next publishing says so.
    """
    given = parse_csv(body.raw, COSTS) if isinstance(body, CsvBody) else tariff_lines(body)
    return taken(keep_tariffs.take_costs(gateway, given, call.now_ms, replace=query.replace))


@endpoints.get("/v1/admin/costs/{gateway}/file")
def export_costs(call: AdminCall, gateway: GatewayId) -> Reply[CsvText]:
    """Export what a gateway costs, as a CSV file that can be imported again."""
    return file(keep_tariffs.costs(gateway).value.lines, COSTS, f"costs-{gateway}")


@endpoints.delete("/v1/admin/costs/{gateway}")
def delete_costs(call: AdminCall, gateway: GatewayId) -> Deleted:
    """Forget what a gateway costs; in force with the next publishing."""
    keep_tariffs.delete_costs(gateway)
    return Deleted(gateway)
