"""An account with a webhook to a server that listens, and what is on the lanes, for tests of webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Final
from chalicelib.domain.news import Heard, News
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.webhook import SUBSCRIBABLE, Endpoint, EventType
from chalicelib.services.deliver_webhooks import FAST, SLOW, Lane, deliver
from chalicelib.services.keep_webhooks import Settings, Told, open_webhook
from chalicelib.services.tell_webhooks import tell_webhooks
from chalicelib.settings import settings
from chalicelib.store import queues, webhook_deliveries
from chalicelib.wire import WebhookBundle
from infra.local.echo import Echo, listening
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

DAY_MS = 86_400_000


@dataclass
class Hooks:
    """`echo` is the customer's server."""

    echo: Echo
    port: int
    told: dict[str, Told] = field(default_factory=dict)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def open(
        self, path: str = "/hook", account: str = ACCOUNT, events: tuple[EventType, ...] = SUBSCRIBABLE
    ) -> Endpoint:
        made = open_webhook(account, Settings(url=self.url(path), events=events), NOW_MS)
        self.echo.know(made.secret)
        self.told[made.endpoint.id] = made
        return made.endpoint


@contextmanager
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    """An account, and a server for its webhooks; in an AWS of the test's."""
    monkeypatch.setenv("CHASQUI_WEBHOOKS_LOCAL", "1")
    settings.cache_clear()
    world.open_account()
    with listening() as (echo, port):
        yield Hooks(echo, port)


def news(status: Status = Status.DELIVERED, *, callback_url: str = "", account: str = ACCOUNT) -> Heard:
    """The end of a message of its own."""
    content = Content(
        to="+34600000001",
        country="ES",
        sender="ACME",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=NOW_MS,
        text="hi",
        callback_url=callback_url,
    )
    fact = Final(at_ms=NOW_MS, status=status)
    return Heard(News(account=account, message=ids.new_message_id(NOW_MS), fact=fact), content)


def tell(*heard: Heard, now_ms: int = NOW_MS) -> None:
    tell_webhooks(heard, now_ms)


def pump(lane: Lane = FAST, now_ms: int = NOW_MS) -> int:
    """Deliver what is on a lane now; how many bundles that were."""
    records = queues.receive(lane.queue, wait_seconds=0)
    bundles = [bundle for record in records if isinstance(bundle := wire.decode(record.body), WebhookBundle)]
    deliver(bundles, now_ms, lane)
    queues.delete_many(lane.queue, [record.handle for record in records])
    return len(bundles)


def pump_slow(now_ms: int = NOW_MS) -> int:
    return pump(SLOW, now_ms)


def log_of(endpoint: str, account: str = ACCOUNT) -> list[tuple[str, int]]:
    """State and attempts of each delivery, newest first."""
    found = webhook_deliveries.listing(account, endpoint).items
    return [(delivery.state, delivery.attempts) for delivery in found]
