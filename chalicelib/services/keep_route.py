"""Keep routes: which messages go where, at what price; used once published."""

from chalicelib.domain.rules import Route
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, not_found
from chalicelib.services.refuse_losses import check_route
from chalicelib.store import rule_rows
from chalicelib.store.rows import MUST_BE_NEW, Row


def create_route(route: Route, now_ms: int) -> Row[Route]:
    """The route. Raises Fault `below_cost`, `already_exists`."""
    check_route(route, now_ms)
    if not rule_rows.routes.put(route, expected=MUST_BE_NEW):
        raise Fault("already_exists", f"there is a route {route.id}")
    record_change.changed("route", route.id, None, route, account=route.account)
    return Row(route, 1)


def change_route(route: Route, expected_version: int, now_ms: int) -> Row[Route]:
    """The route over that version of it. Raises Fault `not_found`, `below_cost`, `version_conflict`."""
    held = rule_rows.routes.get(route.id, consistent=True)
    if held is None:
        raise not_found("route")
    check_route(route, now_ms)
    if not rule_rows.routes.put(route, expected=expected_version):
        raise Fault("version_conflict", f"the route is at version {held.version}")
    record_change.changed("route", route.id, held.value, route, account=route.account)
    return Row(route, expected_version + 1)
