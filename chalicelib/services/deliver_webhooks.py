"""Deliver: events are signed and sent to their endpoints; what is not taken is tried again, for three days."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from chalicelib.domain import ids, webhook_signature
from chalicelib.domain.webhook import CALLBACKS, Answer, Webhooks, wait_ms
from chalicelib.domain.webhook_delivery import Delivery, DeliveryState
from chalicelib.domain.webhook_event import Event
from chalicelib.outward import calls
from chalicelib.outward.calls import Call, Pace
from chalicelib.outward.post import Limits
from chalicelib.services.look_after_webhooks import note_health
from chalicelib.services.tell_webhooks import health_key
from chalicelib.settings import settings
from chalicelib.store import queues, webhook_deliveries, webhook_health, webhooks
from chalicelib.store.queues import MAX_DELAY_SECONDS
from chalicelib.wire import WebhookBundle

log: Final = logging.getLogger(__name__)
# A function has 20 s. Who does not answer in five leaves the fast lane; in the slow one there is time for fifteen.
_FAST: Final = Limits(connect=3, read=5, total=5)
_SLOW: Final = Limits(connect=5, read=15, total=15)
_PUT_BACK_SECONDS: Final = 1  # what there was no time for is not taken at once by the same busy function


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """A queue with the patience that its function has."""

    queue: str
    pace: Pace


FAST: Final = Lane(queue=queues.WEBHOOKS, pace=Pace(limits=_FAST, begin_seconds=9, end_seconds=16))
SLOW: Final = Lane(queue=queues.WEBHOOKS_SLOW, pace=Pace(limits=_SLOW, begin_seconds=1, end_seconds=17))


class Tried(NamedTuple):
    """An event of a bundle, and what came of it; None: it was not begun."""

    bundle: WebhookBundle
    event: Event
    answer: Answer | None


class _Ready(NamedTuple):
    """A bundle whose endpoint takes calls now."""

    bundle: WebhookBundle
    url: str
    secrets: tuple[str, ...]


def deliver(bundles: Sequence[WebhookBundle], now_ms: int, lane: Lane = FAST) -> None:
    """Try each event once. When this returns, each is delivered, or waits somewhere durable, or was given up.

    Doing it again may deliver an event again, under the same webhook-id. Raises Undelivered, dynamo.Overloaded.
    """
    ready = [one for bundle in bundles if (one := _ready(bundle, now_ms, lane)) is not None]
    tried = _tried(ready, now_ms, lane)
    note_health([(one.bundle, one.answer) for one in tried if one.answer is not None], now_ms)
    _put_back([one for one in tried if one.answer is None], now_ms, lane)
    _try_later([one for one in tried if one.answer is not None and not one.answer.taken], now_ms, lane)
    _note_delivered([one for one in tried if one.answer is not None and one.answer.taken], now_ms)


def _ready(bundle: WebhookBundle, now_ms: int, lane: Lane) -> _Ready | None:
    """The bundle, if it can be tried now; else it is dropped, or sent where it belongs."""
    known = webhooks.cached(bundle.account, now_ms)
    endpoint = known.endpoint(bundle.endpoint)
    if endpoint is None or endpoint.state != "active":
        _drop(bundle, _why_not(known, bundle), now_ms)
        return None
    health = webhook_health.cached(health_key(bundle.account, bundle.endpoint, bundle.url), now_ms)
    if health.rest_until_ms > now_ms:
        rest_seconds = (health.rest_until_ms - now_ms) // 1000 + 1
        queues.send(lane.queue, bundle, delay_seconds=min(rest_seconds, MAX_DELAY_SECONDS))
        return None
    if lane.queue == queues.WEBHOOKS and health.slow_until_ms > now_ms:
        queues.send(queues.WEBHOOKS_SLOW, bundle)
        return None
    secrets = webhooks.secrets_in_force(endpoint.id, now_ms)
    if not secrets:
        log.error("a webhook endpoint has no secret", extra={"account": bundle.account, "webhook": endpoint.id})
        _drop(bundle, "there is no signing secret", now_ms)
        return None
    return _Ready(bundle, bundle.url or endpoint.url, secrets)


def _why_not(known: Webhooks, bundle: WebhookBundle) -> str:
    if bundle.endpoint == CALLBACKS:
        return "the account has no active webhook, whose secret would sign"
    return "the webhook is disabled" if known.endpoint(bundle.endpoint) else "the webhook was deleted"


def _drop(bundle: WebhookBundle, why: str, now_ms: int) -> None:
    for event in bundle.events:
        webhook_deliveries.note(_delivery(Tried(bundle, event, Answer(reason=why)), "dropped", bundle.attempts, now_ms))


def _tried(ready: Sequence[_Ready], now_ms: int, lane: Lane) -> list[Tried]:
    """Each event's one attempt, all at once as far as their servers' bounds allow."""
    asked = [(one, event) for one in ready for event in one.bundle.events]
    made = [
        Call(
            server=health_key(one.bundle.account, one.bundle.endpoint, one.bundle.url),
            url=one.url,
            body=event.body,
            headers=webhook_signature.headers(one.secrets, event.id, now_ms // 1000, event.body),
        )
        for one, event in asked
    ]
    answers = calls.make(made, _pace(lane))
    return [Tried(one.bundle, event, answer) for (one, event), answer in zip(asked, answers, strict=True)]


def _pace(lane: Lane) -> Pace:
    limits = msgspec.structs.replace(lane.pace.limits, local=settings().webhooks_local)
    return msgspec.structs.replace(lane.pace, limits=limits)


def _put_back(left: Iterable[Tried], now_ms: int, lane: Lane) -> None:
    """What was not begun goes on its endpoint's lane again: it is no attempt."""
    for bundle, events in _by_bundle(left):
        again = msgspec.structs.replace(bundle, id=ids.new_ulid(now_ms), events=events)
        health = webhook_health.cached(health_key(bundle.account, bundle.endpoint, bundle.url), now_ms)
        queue = queues.WEBHOOKS_SLOW if health.slow_until_ms > now_ms else lane.queue
        queues.send(queue, again, delay_seconds=_PUT_BACK_SECONDS)


def _try_later(failed: Sequence[Tried], now_ms: int, lane: Lane) -> None:
    """What failed waits: on the queue if SQS can delay for so long, else in the table, for `send_due` to find."""
    soon: defaultdict[str, list[tuple[Tried, int]]] = defaultdict(list)
    for one in failed:
        bundle, event, answer = one
        attempts = bundle.attempts + 1
        wait = wait_ms(attempts, answer or Answer(), now_ms, random.random())  # noqa: S311 - no secret
        if wait is None:
            webhook_deliveries.note(_delivery(one, "failed", attempts, now_ms))
            told = {"account": bundle.account, "webhook": bundle.endpoint, "event": event.id, "attempts": attempts}
            log.warning("a webhook was given up", extra=told)
        elif wait <= MAX_DELAY_SECONDS * 1000:
            webhook_deliveries.note(_delivery(one, "waiting", attempts, now_ms, now_ms + wait))
            soon[bundle.id].append((one, wait))
        else:
            webhook_deliveries.note(_delivery(one, "waiting", attempts, now_ms, now_ms + wait), due_ms=now_ms + wait)
    for waiting in soon.values():
        bundle = waiting[0][0].bundle
        again = msgspec.structs.replace(
            bundle,
            id=ids.new_ulid(now_ms),
            events=tuple(one.event for one, _ in waiting),
            attempts=bundle.attempts + 1,
        )
        seconds = -(-max(wait for _, wait in waiting) // 1000)
        queues.send(lane.queue, again, delay_seconds=seconds)


def _note_delivered(taken: Sequence[Tried], now_ms: int) -> None:
    """The log lines of what was delivered. Where they cannot be written, only they are lost: it is not sent again."""
    done = [_delivery(one, "delivered", one.bundle.attempts + 1, now_ms) for one in taken]
    try:
        webhook_deliveries.put(done)
    except Exception:
        log.exception("deliveries were not noted", extra={"events": [one.event.id for one in done]})


def _delivery(tried: Tried, state: DeliveryState, attempts: int, now_ms: int, next_ms: int | None = None) -> Delivery:
    bundle, event, answer = tried
    return Delivery(
        account=bundle.account,
        endpoint=bundle.endpoint,
        event=event,
        state=state,
        attempts=attempts,
        url=bundle.url,
        at_ms=now_ms,
        answer=answer,
        next_ms=next_ms,
    )


def _by_bundle(tried: Iterable[Tried]) -> list[tuple[WebhookBundle, tuple[Event, ...]]]:
    found: defaultdict[str, list[Tried]] = defaultdict(list)
    for one in tried:
        found[one.bundle.id].append(one)
    return [(group[0].bundle, tuple(one.event for one in group)) for group in found.values()]
