"""The functions that deliver webhooks: one a lane, and each minute the one that finds whose time has come."""

import logging
import time
from collections.abc import Sequence
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.services import deliver_webhooks as service
from chalicelib.services.look_after_webhooks import send_due
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import WebhookBundle
from functions import logs, records

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)


# The names are needed when Chalice packages, and are what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.WEBHOOKS}", batch_size=queues.BATCH)
def deliver(event: SQSEvent) -> None:
    """Deliver the event's bundles."""
    records.process(event, queues.WEBHOOKS, WebhookBundle, service.deliver)


# One at a time: each may take as long as the function has.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.WEBHOOKS_SLOW}", batch_size=1)
def deliver_slowly(event: SQSEvent) -> None:
    """The same with more patience, to endpoints that timed out."""
    records.process(event, queues.WEBHOOKS_SLOW, WebhookBundle, _slowly)


@bp.schedule(Cron("*", "*", "*", "*", "?", "*"))
def send_due_webhooks(event: CloudWatchEvent) -> None:
    """Begin the attempts that waited for longer than SQS delays."""
    logs.start()
    sent = send_due(time.time_ns() // 1_000_000)
    if sent:
        log.info("webhooks due", extra={"sent": sent})


def _slowly(bundles: Sequence[WebhookBundle], now_ms: int) -> None:
    service.deliver(bundles, now_ms, service.SLOW)
