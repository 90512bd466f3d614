"""The functions that look after what waits: a round begins every five minutes; the one behind ⟨visits⟩ makes it."""

import logging
import time
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.services import join
from chalicelib.services import look_after as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import Visit
from functions import logs, records

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)


# On the clock's fives, as domain.waiting.windows cuts the time: rate() would drift across them.
@bp.schedule(Cron("0/5", "*", "*", "*", "?", "*"))
def rounds(event: CloudWatchEvent) -> None:
    """Begin a round; send what bridges that died left of messages in parts."""
    logs.start()
    now_ms = time.time_ns() // 1_000_000
    visited = service.start_round(now_ms)
    log.info("round begun", extra={"accounts": visited, "left_behind": join.sweep(now_ms)})


# One at a time: each may take some seconds. The queue's name is needed when Chalice packages.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.VISITS}", batch_size=1)
def visit(event: SQSEvent) -> None:
    """Make the event's visits."""
    records.process(event, queues.VISITS, Visit, service.look_after)
