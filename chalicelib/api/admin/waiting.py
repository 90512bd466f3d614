"""What waits at a gateway: order that it be moved to another one, or ended and paid back, and see how far that is."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, GatewayId, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.job_types import JobId
from chalicelib.domain.waiting_order import Deed, OrderState, WaitingOrder
from chalicelib.services import order_waiting as service
from chalicelib.services.faults import not_found
from chalicelib.store import waiting_orders
from chalicelib.store.waiting_orders import Progress

endpoints: Final = Endpoints(__name__, tag="Gateways", role="admin")
OrderId = Annotated[str, Meta(pattern="^ord_[0-9A-Z]{26}$(?!\\n)", description="An order's id.")]


class PurgeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages are to end, canceled and paid back."""

    account: Annotated[AccountId, Meta(description="Null: everybody's.")] | None = None
    job: Annotated[JobId, Meta(description="Of the account; null: whatever made them.")] | None = None
    why: Annotated[str, Meta(min_length=1, max_length=200, description="For those who look at it later.")]


class MoveSettings(PurgeSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages are to go to which gateway. Their price stays; test messages go to simulators only."""

    to: GatewayId


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order for what waited at a gateway when it was given, and how far it is."""

    id: str
    gateway: str
    deed: Deed
    to: str | None
    account: str | None
    job: str | None
    why: str
    by: str
    created_at: datetime
    state: Annotated[OrderState, Meta(description="open: it is followed. done: nothing is left that it could be for.")]
    messages: Annotated[int, Meta(description="Done with, about: what a bridge did before it died is not counted.")]
    last_at: datetime | None
    closed_at: datetime | None


@endpoints.post("/v1/admin/gateways/{gateway}/waiting/move", status=202)
def move_waiting(call: AdminCall, gateway: GatewayId, body: MoveSettings) -> OrderView:
    """Move what waits at a gateway to another one.

    What its SMSC has, or may have, stays. It is done with as it is come by, session or none; see how far it is at its
    id.
    """
    wanted = _wanted(call, gateway, "move", body)
    return _view(service.order(msgspec.structs.replace(wanted, to=body.to), call.now_ms))


@endpoints.post("/v1/admin/gateways/{gateway}/waiting/purge", status=202)
def purge_waiting(call: AdminCall, gateway: GatewayId, body: PurgeSettings) -> OrderView:
    """End what waits at a gateway, as canceled, and pay it back.

    What its SMSC has, or may have, stays.
    """
    return _view(service.order(_wanted(call, gateway, "purge", body), call.now_ms))


@endpoints.get("/v1/admin/gateways/{gateway}/waiting", faults=("invalid_cursor",))
def list_orders(call: AdminCall, gateway: GatewayId, query: PageQuery) -> Listing[OrderView]:
    """List the orders for what waits at a gateway, newest first."""
    listing = f"orders of {gateway}"
    page = waiting_orders.of_gateway(gateway, unseal(call, listing, query.cursor), query.limit)
    return Listing(data=tuple(map(_view, page.items)), next_cursor=seal(call, listing, page.cursor))


@endpoints.get("/v1/admin/gateways/{gateway}/waiting/{order}")
def read_order(call: AdminCall, gateway: GatewayId, order: OrderId) -> OrderView:
    """See how far an order is."""
    return _view(_of(gateway, order))


@endpoints.delete("/v1/admin/gateways/{gateway}/waiting/{order}")
def withdraw_order(call: AdminCall, gateway: GatewayId, order: OrderId) -> OrderView:
    """Have an order followed no longer; what was done stays done."""
    _of(gateway, order)
    return _view(service.withdraw(order, call.now_ms))


def _of(gateway: str, order: str) -> Progress:
    held = service.read(order)
    if held.order.gateway != gateway:
        raise not_found("order")
    return held


def _wanted(call: AdminCall, gateway: str, deed: Deed, given: PurgeSettings) -> WaitingOrder:
    return WaitingOrder(
        id="",  # the service knows
        gateway=gateway,
        deed=deed,
        at_ms=call.now_ms,
        by=call.caller.who,
        account=given.account,
        job=given.job,
        why=given.why,
    )


def _view(progress: Progress) -> OrderView:
    given = progress.order
    return OrderView(
        id=given.id,
        gateway=given.gateway,
        deed=given.deed,
        to=given.to or None,
        account=given.account,
        job=given.job,
        why=given.why,
        by=given.by,
        created_at=instant(given.at_ms),
        state=progress.state,
        messages=progress.messages,
        last_at=instant(progress.last_ms),
        closed_at=instant(progress.closed_ms),
    )
