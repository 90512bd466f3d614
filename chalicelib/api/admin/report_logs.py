"""Logs over all accounts: how sessions came and went, and how events fared on their way to webhooks."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.report_types import Cursor, Limit, Page, name_of, span
from chalicelib.api.admin.types import AccountId
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.bind_event import BindEvent, BindKind, BindMode, Side
from chalicelib.domain.webhook import EventType
from chalicelib.domain.webhook_delivery import Delivery, DeliveryState
from chalicelib.services import read_bind_log, read_webhook_log

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")


class BindRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A session, toward an SMSC or of a customer's client, that came, was refused, or ended."""

    id: str
    at: datetime
    side: Side
    name: Annotated[str, Meta(description="The gateway's id, or the login's system_id.")]
    kind: BindKind
    mode: BindMode
    session: str
    account: str
    bridge: str
    address: str
    command_status: Annotated[str | None, Meta(description="Of the bind's answer.", examples=["0x0D"])]
    reason: str
    bound_at: Annotated[datetime | None, Meta(description="Of what ended: since when it was bound.")]


class BindQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events of the bind log."""

    side: Annotated[Side, Meta(description="gateway: toward SMSCs; customer: of customers' clients.")] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=40, description="Of that side.")] | None = None
    kind: BindKind | None = None
    account: AccountId | None = None


class WebhookRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One event's way to one endpoint."""

    account: str
    endpoint: str
    delivery: str
    event_id: str
    type: EventType
    state: DeliveryState
    attempts: int
    url: Annotated[str, Meta(description="Where it went, if not to the endpoint's own URL.")]
    created_at: datetime
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    http_status: int | None
    reason: str
    milliseconds: int | None


class WebhookQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which deliveries of the webhook log, which holds thirty days."""

    account: AccountId | None = None
    endpoint: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    state: DeliveryState | None = None
    event: Annotated[str, Meta(min_length=1, max_length=100, description="The webhook-id header.")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


@endpoints.get("/v1/admin/reports/binds", faults=("invalid_cursor",))
def read_binds(call: AdminCall, query: BindQuery) -> Listing[BindRecord]:
    """Read the bind log, newest first: what became of sessions on both sides of the bridge."""
    days = span(query, call.now_ms)
    name = name_of("binds", query, days)
    found, after = read_bind_log.read(binds_by(query), days, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(map(bind_record, found)), next_cursor=seal(call, name, after))


@endpoints.get("/v1/admin/reports/webhooks", faults=("invalid_cursor", "not_found"))
def read_webhook_deliveries(call: AdminCall, query: WebhookQuery) -> Listing[WebhookRecord]:
    """Read the webhook log over all accounts, endpoint by endpoint, newest event first."""
    name = name_of("webhooks", query)
    found, after = read_webhook_log.read(deliveries_by(query), unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(map(webhook_record, found)), next_cursor=seal(call, name, after))


def binds_by(query: BindQuery) -> read_bind_log.Wanted:
    """What the query looks for. Raises Fault `invalid_request`."""
    return read_bind_log.check(
        read_bind_log.Wanted(side=query.side, name=query.name, kind=query.kind, account=query.account)
    )


def deliveries_by(query: WebhookQuery) -> read_webhook_log.Wanted:
    """What the query looks for."""
    return read_webhook_log.Wanted(account=query.account, endpoint=query.endpoint, state=query.state, event=query.event)


def bind_record(event: BindEvent) -> BindRecord:
    """A line of the bind log."""
    return BindRecord(
        id=event.id,
        at=instant(event.at_ms),
        side=event.side,
        name=event.name,
        kind=event.kind,
        mode=event.mode,
        session=event.session,
        account=event.account,
        bridge=event.bridge,
        address=event.address,
        command_status=None if event.status is None else f"0x{event.status:02X}",
        reason=event.reason,
        bound_at=instant(event.bound_ms),
    )


def webhook_record(delivery: Delivery) -> WebhookRecord:
    """A line of the webhook log; what was sent is not in it."""
    answer = delivery.answer
    return WebhookRecord(
        account=delivery.account,
        endpoint=delivery.endpoint,
        delivery=delivery.id,
        event_id=delivery.event.id,
        type=delivery.event.kind,
        state=delivery.state,
        attempts=delivery.attempts,
        url=delivery.url,
        created_at=instant(delivery.event.at_ms),
        attempted_at=instant(delivery.at_ms) if delivery.at_ms else None,
        next_attempt_at=instant(delivery.next_ms),
        http_status=answer.status if answer else None,
        reason=answer.reason if answer else "",
        milliseconds=answer.milliseconds if answer else None,
    )
