"""The jobs' functions: the one behind ⟨jobs⟩ has each go on by a step; one looks every minute what is due."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.services import export_admin_report, export_contacts, export_report, import_contacts
from chalicelib.services.feed_job import feed
from chalicelib.services.keep_groups import forget
from chalicelib.services.prepare_job import prepare
from chalicelib.services.report_job import report
from chalicelib.services.send_scheduled import send_due
from chalicelib.services.start_job import start_when_due
from chalicelib.services.tick import tick as look_what_is_due
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import JobWork
from functions import logs, records

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)

_STAGES: Final[dict[str, Callable[[JobWork, int], None]]] = {
    "prepare": lambda work, now_ms: prepare(work.account, work.job, now_ms),
    "start": lambda work, now_ms: start_when_due(work.account, work.job, work.at, now_ms),
    "feed": lambda work, now_ms: feed(work.account, work.job, work.at, now_ms),
    "import": lambda work, now_ms: import_contacts.go_on(work.account, work.job, now_ms),
    "export": lambda work, now_ms: export_contacts.export(work.account, work.job, now_ms),
    "forget": lambda work, _now_ms: forget(work.account, work.job),
    "file": lambda work, now_ms: export_report.export(work.account, work.job, now_ms),
    "admin_file": lambda work, now_ms: export_admin_report.export(work.job, now_ms),
    "report": lambda work, now_ms: report(work.account, work.job, work.id, now_ms),
}


@bp.schedule(Cron("*", "*", "*", "*", "?", "*"))
def tick(event: CloudWatchEvent) -> None:
    """Send on its way what is due in the next minute."""
    logs.start()
    now_ms = time.time_ns() // 1_000_000
    log.info("tick", extra={"jobs": look_what_is_due(now_ms), "messages": send_due(now_ms)})


# One at a time: each takes up to some seconds. The queue's name is needed when Chalice packages.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.JOBS}", batch_size=1)
def job(event: SQSEvent) -> None:
    """Have the event's jobs go on."""
    records.process(event, queues.JOBS, JobWork, _go_on)


def _go_on(works: Sequence[JobWork], now_ms: int) -> None:
    for work in works:
        _STAGES[work.stage](work, now_ms)
