"""Tell webhooks: events go on the queue of each endpoint of the account that asked for them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.news import Heard
from chalicelib.domain.webhook import CALLBACKS
from chalicelib.domain.webhook_event import Event, of_inbound, of_message
from chalicelib.store import queues, webhook_health, webhooks
from chalicelib.wire import WebhookBundle

MAX_EVENTS: Final = 10  # a bundle: what an endpoint is given in one go
MAX_BYTES: Final = 100_000

# Account, endpoint (an id, or CALLBACKS), and the URL where it is a message's own.
Target = tuple[str, str, str]


def tell_webhooks(heard: Sequence[Heard], now_ms: int) -> None:
    """Put the events that the news make on the queues of the endpoints that want them. Raises Undelivered.

    An event's id follows from the news: told twice, an endpoint can tell that it is the same.
    """
    events: defaultdict[Target, list[Event]] = defaultdict(list)
    for one in heard:
        event = of_message(one.news.message, one.news.fact, one.content)
        if event is not None:
            for target in _targets(one.news.account, event, one.content.callback_url, now_ms):
                events[target].append(event)
    _send(events, now_ms)


def tell_of_inbound(inbound: Inbound, now_ms: int) -> None:
    """The same for an inbound message."""
    event = of_inbound(inbound)
    _send({target: [event] for target in _targets(inbound.account, event, "", now_ms)}, now_ms)


def send_to(target: Target, event: Event, now_ms: int) -> None:
    """Put one event on the way to one endpoint, whatever it has asked for: a test, or a replay."""
    _send({target: [event]}, now_ms)


def queue_of(account: str, endpoint: str, url: str, now_ms: int) -> str:
    """The lane that the endpoint's events go on."""
    health = webhook_health.cached(health_key(account, endpoint, url), now_ms)
    return queues.WEBHOOKS_SLOW if health.slow_until_ms > now_ms else queues.WEBHOOKS


def health_key(account: str, endpoint: str, url: str) -> str:
    """Under which name its health is kept: callbacks of an account fare by the host that they go to."""
    return f"{account}#{endpoint}#{url.split('/', 3)[2]}" if endpoint == CALLBACKS else endpoint


def _targets(account: str, event: Event, callback_url: str, now_ms: int) -> Iterator[Target]:
    for endpoint in webhooks.cached(account, now_ms).endpoints:
        if endpoint.wants(event.kind):
            yield account, endpoint.id, ""
    if callback_url:
        yield account, CALLBACKS, callback_url


def _send(events: "dict[Target, list[Event]] | defaultdict[Target, list[Event]]", now_ms: int) -> None:
    by_queue: defaultdict[str, list[WebhookBundle]] = defaultdict(list)
    for (account, endpoint, url), of_target in events.items():
        queue = queue_of(account, endpoint, url, now_ms)
        for portion in _portions(of_target):
            bundle = WebhookBundle(
                id=ids.new_ulid(now_ms), account=account, endpoint=endpoint, url=url, events=tuple(portion)
            )
            by_queue[queue].append(bundle)
    for queue, bundles in by_queue.items():
        queues.send_many(queue, bundles)


def _portions(events: Iterable[Event]) -> Iterator[list[Event]]:
    portion: list[Event] = []
    size = 0
    for event in events:
        needs = len(event.body.encode())
        if portion and (len(portion) == MAX_EVENTS or size + needs > MAX_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(event)
        size += needs
    if portion:
        yield portion
