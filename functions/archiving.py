"""The archive's functions: every night one begins what is due; the one behind ⟨archives⟩ has each go on by a step."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.services import blank_texts, close_day, export_cdrs, forget_number
from chalicelib.services.begin_archiving import begin_archiving
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import ArchiveWork
from functions import logs, records

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)

# What a work is → its next step, and the work that is left then.
_STEPS: Final[dict[str, Callable[[ArchiveWork, int], ArchiveWork | None]]] = {
    "close": close_day.close,
    "blank": blank_texts.blank,
    "export": export_cdrs.export,
    "erase": forget_number.go_on,
}


# After the nightly audit, and long enough after midnight (UTC) for the day's last charges to be noted.
@bp.schedule(Cron(15, 4, "*", "*", "?", "*"))
def archive_nightly(event: CloudWatchEvent) -> None:
    """Begin to close the last days, to take out texts whose time is over, and to look again for erased numbers."""
    logs.start()
    now_ms = time.time_ns() // 1_000_000
    begun, erasures = begin_archiving(now_ms), forget_number.start_due(now_ms)
    log.info("archiving begun", extra={"days": begun["close"], "texts": begun["blank"], "erasures": erasures})


# One at a time: each takes some seconds. The queue's name is needed when Chalice packages.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.ARCHIVES}", batch_size=1)
def archive(event: SQSEvent) -> None:
    """Have the event's works go on."""
    records.process(event, queues.ARCHIVES, ArchiveWork, _go_on)


def _go_on(works: Sequence[ArchiveWork], now_ms: int) -> None:
    for work in works:
        left = _STEPS[work.what](work, now_ms)
        if left is not None:
            queues.send(queues.ARCHIVES, left)
