"""Webhooks: where an account's events go, and what became of each."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Deleted, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.webhook import FAILING_MS, MAX_URL, SUBSCRIBABLE, Endpoint, EventType, Health
from chalicelib.domain.webhook_delivery import Delivery, DeliveryState
from chalicelib.services import keep_webhooks
from chalicelib.services.keep_webhooks import Settings, Told

endpoints: Final = Endpoints(__name__, tag="Webhooks", role="customer")

WebhookId = Annotated[str, Meta(pattern="^whk_[0-7][0-9A-HJKMNP-TV-Z]{25}$(?!\\n)", description="A webhook's id.")]
LogId = Annotated[
    str,
    Meta(
        pattern="^(whk_[0-7][0-9A-HJKMNP-TV-Z]{25}|callbacks)$(?!\\n)",
        description="A webhook's id; `callbacks` for what went to messages' own `callback_url`.",
    ),
]
DeliveryId = Annotated[
    str, Meta(pattern="^[0-9A-HJKMNP-TV-Z]{10}-evt_[0-9A-Za-z_-]{1,120}$(?!\\n)", description="A delivery's id.")
]
Url = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_URL,
        description="https, on the public internet. Redirects are not followed.",
        examples=["https://example.com/chasqui"],
    ),
]
Subscribed = Literal[
    "message.submitted",
    "message.delivered",
    "message.undelivered",
    "message.expired",
    "message.rejected",
    "message.failed",
    "message.canceled",
    "message.unknown",
    "message.received",
]
Events = Annotated[tuple[Subscribed, ...], Meta(min_length=1, max_length=50, description="What to be told of.")]
ALL: Final[tuple[Any, ...]] = tuple(kind.value for kind in SUBSCRIBABLE)


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook to open. Without `events` it is told of everything."""

    url: Url
    events: Events = ALL
    description: Annotated[str, Meta(max_length=200)] = ""


class WebhookChange(NewWebhook, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew."""

    state: Annotated[Literal["active", "disabled"], Meta(description="A disabled one is told nothing.")] = "active"


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook."""

    id: str
    url: str
    events: tuple[EventType, ...]
    description: str
    state: Annotated[
        Literal["active", "failing", "disabled"], Meta(description="failing: it has taken nothing for a day or more.")
    ]
    disabled_why: Annotated[str | None, Meta(description="Where it was not you who disabled it.")]
    slow_until: Annotated[datetime | None, Meta(description="It timed out: its events have a lane of their own.")]
    failing_since: Annotated[datetime | None, Meta(description="The first failure since it last took anything.")]
    created_at: datetime
    secret_rotated_at: datetime | None


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A webhook with the secret that signs for it, told this once."""

    secret: Annotated[str, Meta(examples=["whsec_…"])]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """The last attempt at a delivery."""

    at: datetime
    status: Annotated[int | None, Meta(description="The HTTP status; null where there was no answer.")]
    reason: Annotated[str | None, Meta(description="Why there was none.")]
    excerpt: Annotated[str, Meta(description="The beginning of the answer's body.")]
    milliseconds: int


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook."""

    id: str
    event_id: Annotated[str, Meta(description="The webhook-id header: the same at each attempt, to know it again by.")]
    type: EventType
    state: Annotated[
        DeliveryState, Meta(description="waiting: for its next attempt; failed: it had ten; dropped: nobody to tell.")
    ]
    attempts: int
    url: Annotated[str | None, Meta(description="Where it went, if not to the webhook's own URL.")]
    created_at: datetime
    next_attempt_at: datetime | None
    last_attempt: AttemptView | None


class DeliveryWithBody(DeliveryView, frozen=True, kw_only=True):
    """A delivery with what was, or will be, sent."""

    body: Any


@endpoints.post("/v1/webhooks", status=201, faults=("too_many",))
def open_a_webhook(call: CustomerCall, body: NewWebhook) -> WebhookWithSecret:
    """Open a webhook.

    Its secret is told this once: verify each request with it, by Standard Webhooks 1.0.
    """
    return _with_secret(keep_webhooks.open_webhook(call.caller.account.id, _settings(body), call.now_ms), call.now_ms)


@endpoints.get("/v1/webhooks")
def list_webhooks(call: CustomerCall) -> Listing[WebhookView]:
    """List your webhooks, oldest first."""
    account = call.caller.account.id
    held = keep_webhooks.all_webhooks(account)
    views = (_view(*keep_webhooks.read_webhook(account, one.id), call.now_ms) for one in held)
    return Listing(data=tuple(views))


@endpoints.get("/v1/webhooks/{webhook}")
def read_webhook(call: CustomerCall, webhook: WebhookId) -> WebhookView:
    """Read a webhook, and how it fares."""
    return _view(*keep_webhooks.read_webhook(call.caller.account.id, webhook), call.now_ms)


@endpoints.put("/v1/webhooks/{webhook}")
def change_a_webhook(call: CustomerCall, webhook: WebhookId, body: WebhookChange) -> WebhookView:
    """Change a webhook.

    What waits for its next attempt goes to the new URL.
    """
    account = call.caller.account.id
    keep_webhooks.change_webhook(account, webhook, _settings(body, active=body.state == "active"))
    return _view(*keep_webhooks.read_webhook(account, webhook), call.now_ms)


@endpoints.delete("/v1/webhooks/{webhook}")
def delete_a_webhook(call: CustomerCall, webhook: WebhookId) -> Deleted:
    """Delete a webhook.

    What waits for it is dropped. Its deliveries can be read until they expire.
    """
    keep_webhooks.delete_webhook(call.caller.account.id, webhook)
    return Deleted(webhook)


@endpoints.post("/v1/webhooks/{webhook}/rotate-secret")
def rotate_webhook_secret(call: CustomerCall, webhook: WebhookId) -> WebhookWithSecret:
    """Give a webhook a new secret, told this once.

    For 24 hours both sign: the header then has two signatures, of which one is to match.
    """
    return _with_secret(keep_webhooks.rotate_secret(call.caller.account.id, webhook, call.now_ms), call.now_ms)


@endpoints.post("/v1/webhooks/{webhook}/test", status=202, faults=("webhook_disabled",))
def test_a_webhook(call: CustomerCall, webhook: WebhookId) -> DeliveryView:
    """Send a webhook a test event, of type `webhook.test`."""
    return _delivery(keep_webhooks.test_webhook(call.caller.account.id, webhook, call.now_ms))


@endpoints.get("/v1/webhooks/{webhook}/deliveries", faults=("invalid_cursor",))
def list_deliveries(call: CustomerCall, webhook: LogId, query: PageQuery) -> Listing[DeliveryView]:
    """List a webhook's deliveries, newest event first.

    They are kept for 30 days. One that has not been tried yet is not among them.
    """
    name = f"deliveries {webhook}"
    page = keep_webhooks.deliveries(call.caller.account.id, webhook, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_delivery(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/webhooks/{webhook}/deliveries/{delivery}")
def read_delivery(call: CustomerCall, webhook: LogId, delivery: DeliveryId) -> DeliveryWithBody:
    """Read a delivery with what was, or will be, sent."""
    held = keep_webhooks.read_delivery(call.caller.account.id, webhook, delivery)
    return DeliveryWithBody(**msgspec.structs.asdict(_delivery(held)), body=msgspec.json.decode(held.event.body))


@endpoints.post("/v1/webhooks/{webhook}/deliveries/{delivery}/replay", status=202, faults=("webhook_disabled",))
def replay_delivery(call: CustomerCall, webhook: LogId, delivery: DeliveryId) -> DeliveryView:
    """Send a delivery again, from its first attempt on, under the same id."""
    return _delivery(keep_webhooks.replay(call.caller.account.id, webhook, delivery, call.now_ms))


def _settings(given: NewWebhook, *, active: bool = True) -> Settings:
    kinds = tuple(EventType(kind) for kind in given.events)
    return Settings(url=given.url, events=kinds, description=given.description, active=active)


def _with_secret(told: Told, now_ms: int) -> WebhookWithSecret:
    view = _view(told.endpoint, Health(), now_ms)
    return WebhookWithSecret(**msgspec.structs.asdict(view), secret=told.secret)


def _view(endpoint: Endpoint, health: Health, now_ms: int) -> WebhookView:
    failing = health.failing_since_ms and now_ms - health.failing_since_ms >= FAILING_MS
    return WebhookView(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.events,
        description=endpoint.description,
        state="failing" if failing and endpoint.state == "active" else endpoint.state,
        disabled_why=endpoint.disabled_why or None,
        slow_until=instant(health.slow_until_ms) if health.slow_until_ms > now_ms else None,
        failing_since=_or_none(health.failing_since_ms),
        created_at=instant(endpoint.created_ms),
        secret_rotated_at=_or_none(endpoint.rotated_ms),
    )


def _delivery(delivery: Delivery) -> DeliveryView:
    answer = delivery.answer
    last = (
        None
        if answer is None
        else AttemptView(
            at=instant(delivery.at_ms),
            status=answer.status,
            reason=answer.reason or None,
            excerpt=answer.excerpt,
            milliseconds=answer.milliseconds,
        )
    )
    return DeliveryView(
        id=delivery.id,
        event_id=delivery.event.id,
        type=delivery.event.kind,
        state=delivery.state,
        attempts=delivery.attempts,
        url=delivery.url or None,
        created_at=instant(delivery.event.at_ms),
        next_attempt_at=instant(delivery.next_ms),
        last_attempt=last,
    )


def _or_none(at_ms: int) -> datetime | None:
    return instant(at_ms) if at_ms else None
