"""Look after endpoints: who is slow, who wants rest, who fails and is told of, who is gone; and whose time has come."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.webhook import CALLBACKS, FAILING_MS, Answer, Health, Webhooks, rest_ms
from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.services.notify import notify
from chalicelib.services.tell_webhooks import health_key, queue_of
from chalicelib.store import queues, webhook_deliveries, webhook_health, webhooks
from chalicelib.wire import WebhookBundle

log: Final = logging.getLogger(__name__)
SLOW_MS: Final = 600_000  # for so long who timed out stays in the slow lane; then it is given another chance
DUE_AT_ONCE: Final = 250  # of a shard, by one run, which has 20 s for a write each: the next finds what is left


def note_health(tried: Sequence[tuple[WebhookBundle, Answer]], now_ms: int) -> None:
    """Note what the answers say of their endpoints. Writes only where that is news."""
    by_endpoint: defaultdict[str, list[tuple[WebhookBundle, Answer]]] = defaultdict(list)
    for bundle, answer in tried:
        by_endpoint[health_key(bundle.account, bundle.endpoint, bundle.url)].append((bundle, answer))
    for key, of_endpoint in by_endpoint.items():
        _note(key, of_endpoint[0][0], [answer for _, answer in of_endpoint], now_ms)


def _note(key: str, bundle: WebhookBundle, answers: Sequence[Answer], now_ms: int) -> None:
    health = webhook_health.cached(key, now_ms)
    if any(answer.timed_out for answer in answers) and health.slow_until_ms < now_ms + SLOW_MS // 2:
        webhook_health.is_slow(key, now_ms + SLOW_MS)
    until_ms = now_ms + max(rest_ms(answer, now_ms) for answer in answers)
    if until_ms > max(now_ms, health.rest_until_ms):
        webhook_health.rests(key, until_ms)
    if any(answer.taken for answer in answers):
        if health.failing_since_ms:
            webhook_health.is_well(key)
        return
    _note_failure(key, bundle, health, answers[-1], now_ms)
    gone = next((answer for answer in answers if answer.gone), None)
    if gone is not None and bundle.endpoint != CALLBACKS:
        # Told before it is disabled, as above; by its day, since several may answer so at once.
        notify(_failing(key, bundle, health, gone, now_ms, event=f"gone {ids.day_at(now_ms)}"), now_ms)
        disable(bundle.account, bundle.endpoint, "it answered 410 Gone")


def _note_failure(key: str, bundle: WebhookBundle, health: Health, answer: Answer, now_ms: int) -> None:
    if not health.failing_since_ms:
        webhook_health.fails(key, now_ms)
        return
    if now_ms - health.failing_since_ms < FAILING_MS or health.told_ms:
        return
    # Told before it is noted that it was: done again, it is the same mail.
    notify(_failing(key, bundle, health, answer, now_ms, event=str(health.failing_since_ms)), now_ms)
    if webhook_health.tell_failing(key, now_ms):
        since = {"failing_since_ms": health.failing_since_ms}
        log.error("webhook failing", extra={"account": bundle.account, "webhook": bundle.endpoint, **since})


def _failing(key: str, bundle: WebhookBundle, health: Health, answer: Answer, now_ms: int, *, event: str) -> Notice:
    """The mail of it, under the event's name. What stands behind the `?` of a URL is often a secret: it is left out."""
    endpoint = webhooks.cached(bundle.account, now_ms).endpoint(bundle.endpoint)
    url = bundle.url or (endpoint.url if endpoint else "")
    values = {
        "webhook": bundle.endpoint,
        "url": url.partition("?")[0],
        "since_ms": str(health.failing_since_ms or now_ms),
        "reason": answer.reason or f"HTTP {answer.status}",
    }
    return Notice(Kind.WEBHOOK_FAILING, f"{key}/{event}", account=bundle.account, values=values)


def disable(account: str, endpoint: str, why: str) -> None:
    """The endpoint is told nothing any more, until the customer sets it to active again."""

    def disabled(held: Webhooks) -> Webhooks:
        changed = tuple(
            msgspec.structs.replace(one, state="disabled", disabled_why=why)
            if one.id == endpoint and one.state == "active"
            else one
            for one in held.endpoints
        )
        return msgspec.structs.replace(held, endpoints=changed)

    webhooks.change(account, disabled)
    log.warning("webhook disabled", extra={"account": account, "webhook": endpoint, "reason": why})


def send_due(now_ms: int) -> int:
    """Put the deliveries whose time has come on their lanes; how many. Twice does no harm: an event may come twice."""
    sent = 0
    for shard in range(webhook_deliveries.SHARDS):
        due = webhook_deliveries.due(shard, now_ms, DUE_AT_ONCE)
        by_queue: defaultdict[str, list[WebhookBundle]] = defaultdict(list)
        for delivery, _ in due:
            queue = queue_of(delivery.account, delivery.endpoint, delivery.url, now_ms)
            by_queue[queue].append(_again(delivery, now_ms))
        for queue, bundles in by_queue.items():
            queues.send_many(queue, bundles)
        for delivery, due_ms in due:
            webhook_deliveries.release(delivery, due_ms)
        sent += len(due)
    return sent


def _again(delivery: Delivery, now_ms: int) -> WebhookBundle:
    return WebhookBundle(
        id=ids.new_ulid(now_ms),
        account=delivery.account,
        endpoint=delivery.endpoint,
        url=delivery.url,
        events=(delivery.event,),
        attempts=delivery.attempts,
    )
