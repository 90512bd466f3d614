"""Keep an account's webhooks: open, change, rotate the secret, test, replay, delete."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chalicelib.domain import ids, webhook_event
from chalicelib.domain.webhook import (
    CALLBACKS,
    MAX_ENDPOINTS,
    ROTATION_SECONDS,
    BadUrl,
    Endpoint,
    EventType,
    Health,
    Secret,
    Webhooks,
    check_url,
)
from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.domain.webhook_event import Event
from chalicelib.domain.webhook_signature import new_secret
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.listen import listen
from chalicelib.services.tell_webhooks import send_to
from chalicelib.settings import settings
from chalicelib.store import webhook_deliveries, webhook_health, webhooks
from chalicelib.store.page import Page

WEBHOOK: Final = "webhook"
MAX_SECRETS: Final = 5  # in force at once: one rotated again and again within the day loses the oldest


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer sets of an endpoint."""

    url: str
    events: tuple[EventType, ...]
    description: str = ""
    active: bool = True


class Told(msgspec.Struct, frozen=True):
    """An endpoint with a secret that is told this once."""

    endpoint: Endpoint
    secret: str


def open_webhook(account: str, given: Settings, now_ms: int) -> Told:
    """A new endpoint with its secret. Raises Fault `invalid_request`, `too_many`."""
    _check(given)
    _check_room(webhooks.get(account))
    made = _made(Endpoint(id=ids.new_id("whk", now_ms), url="", created_ms=now_ms), given)
    secret = new_secret()

    def added(held: Webhooks) -> Webhooks:
        _check_room(held)
        return msgspec.structs.replace(held, endpoints=(*held.endpoints, made))

    # In this order: who is told of events can sign them, and no event is missed once the endpoint is there.
    webhooks.put_secrets(made.id, (Secret(secret),))
    listen(account, now_ms)
    webhooks.change(account, added)
    record_change.changed(WEBHOOK, made.id, None, made)
    return Told(made, secret)


def change_webhook(account: str, id_: str, given: Settings) -> Endpoint:
    """The endpoint with these settings. Raises Fault `not_found`, `invalid_request`."""
    _check(given)
    endpoint = _found(webhooks.get(account), id_)
    if given.active and endpoint.state == "disabled":
        webhook_health.forget(id_)  # it begins anew
    changed = _change(account, id_, lambda held: _made(held, given))
    record_change.changed(WEBHOOK, id_, endpoint, changed)
    return changed


def rotate_secret(account: str, id_: str, now_ms: int) -> Told:
    """A new secret for the endpoint; those of before sign beside it for another day. Raises Fault `not_found`."""
    _found(webhooks.get(account), id_)
    until_ms = now_ms + ROTATION_SECONDS * 1000
    before = tuple(
        msgspec.structs.replace(secret, until_ms=secret.until_ms or until_ms)
        for secret in webhooks.secrets_of(id_) or ()
        if secret.until_ms is None or secret.until_ms > now_ms
    )
    secret = new_secret()
    webhooks.put_secrets(id_, (Secret(secret), *before)[:MAX_SECRETS])
    rotated = _change(account, id_, lambda held: msgspec.structs.replace(held, rotated_ms=now_ms))
    record_change.changed(WEBHOOK, id_, {"secrets": len(before)}, {"secrets": len(before) + 1})
    return Told(rotated, secret)


def delete_webhook(account: str, id_: str) -> None:
    """The endpoint is gone; what waits for it is dropped when its time comes. Raises Fault `not_found`."""

    def without(held: Webhooks) -> Webhooks:
        _found(held, id_)
        return msgspec.structs.replace(held, endpoints=tuple(one for one in held.endpoints if one.id != id_))

    endpoint = _found(webhooks.get(account), id_)
    webhooks.change(account, without)
    record_change.changed(WEBHOOK, id_, endpoint, None)
    webhooks.forget_secrets(id_)
    webhook_health.forget(id_)


def read_webhook(account: str, id_: str) -> tuple[Endpoint, Health]:
    """The endpoint and how it fares. Raises Fault `not_found`."""
    return _found(webhooks.get(account), id_), webhook_health.get(id_)


def all_webhooks(account: str) -> Sequence[Endpoint]:
    """The account's endpoints, oldest first."""
    return webhooks.get(account).endpoints


def test_webhook(account: str, id_: str, now_ms: int) -> Delivery:
    """Send the endpoint a test event, whatever it asked for. Raises Fault `not_found`, `webhook_disabled`."""
    _active(webhooks.get(account), id_)
    return _send(account, id_, "", webhook_event.of_test(id_, ids.new_ulid(now_ms), now_ms), now_ms)


def replay(account: str, id_: str, delivery_id: str, now_ms: int) -> Delivery:
    """Send a delivery again from its first attempt on. Raises Fault `not_found`, `webhook_disabled`."""
    held = read_delivery(account, id_, delivery_id)
    _active(webhooks.get(account), id_)
    return _send(account, id_, held.url, held.event, now_ms)


def read_delivery(account: str, id_: str, delivery_id: str) -> Delivery:
    """The delivery. Raises Fault `not_found`."""
    held = webhook_deliveries.get(account, id_, delivery_id)
    if held is None:
        raise not_found("delivery")
    return held


def deliveries(account: str, id_: str, cursor: Any, limit: int) -> Page[Delivery]:
    """The endpoint's deliveries, newest event first; of one that was deleted too, while they are kept.

    Raises Fault `not_found`.
    """
    page = webhook_deliveries.listing(account, id_, cursor, limit)
    if not page.items and cursor is None and id_ != CALLBACKS:
        _found(webhooks.get(account), id_)
    return page


def check_callback(account: str, url: str, now_ms: int) -> None:
    """A message's own callback URL. Raises Fault `invalid_request`, and `webhooks_off`: nobody could sign."""
    try:
        check_url(url, local=settings().webhooks_local)
    except BadUrl as error:
        raise invalid_field("/callback_url", "invalid_url", str(error)) from None
    known = webhooks.cached(account, now_ms).endpoint(CALLBACKS) or webhooks.get(account).endpoint(CALLBACKS)
    if known is None:
        raise Fault("webhooks_off", "open a webhook first: callbacks are signed with its secret")


def _send(account: str, id_: str, url: str, event: Event, now_ms: int) -> Delivery:
    waiting = Delivery(account=account, endpoint=id_, event=event, state="waiting", url=url, next_ms=now_ms)
    webhook_deliveries.put([waiting])
    send_to((account, id_, url), event, now_ms)
    return waiting


def _change(account: str, id_: str, changed: Any) -> Endpoint:
    def with_it(held: Webhooks) -> Webhooks:
        _found(held, id_)
        endpoints = tuple(changed(one) if one.id == id_ else one for one in held.endpoints)
        return msgspec.structs.replace(held, endpoints=endpoints)

    return _found(webhooks.change(account, with_it), id_)


def _made(endpoint: Endpoint, given: Settings) -> Endpoint:
    return msgspec.structs.replace(
        endpoint,
        url=given.url,
        events=tuple(dict.fromkeys(given.events)),
        description=given.description,
        state="active" if given.active else "disabled",
        disabled_why="",
    )


def _check_room(held: Webhooks) -> None:
    if len(held.endpoints) >= MAX_ENDPOINTS:
        raise Fault("too_many", f"an account has at most {MAX_ENDPOINTS} webhooks")


def _check(given: Settings) -> None:
    try:
        check_url(given.url, local=settings().webhooks_local)
    except BadUrl as error:
        raise invalid_field("/url", "invalid_url", str(error)) from None


def _found(held: Webhooks, id_: str) -> Endpoint:
    endpoint = None if id_ == CALLBACKS else held.endpoint(id_)
    if endpoint is None:
        raise not_found(WEBHOOK)
    return endpoint


def _active(held: Webhooks, id_: str) -> Endpoint:
    endpoint = held.endpoint(id_) if id_ == CALLBACKS else _found(held, id_)
    if endpoint is None or endpoint.state != "active":
        raise Fault("webhook_disabled", "the webhook is disabled: set it to active first")
    return endpoint
