"""The audit's functions: every night one begins it for all accounts; the one behind ⟨audits⟩ carries each on."""

import logging
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.services import audit as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import Audit
from functions import logs, metrics, records

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)


# At a quiet hour, and long enough after midnight (UTC) for the day's last charges to be noted.
@bp.schedule(Cron(15, 3, "*", "*", "?", "*"))
def nightly(event: CloudWatchEvent) -> None:
    """Begin the audit of yesterday."""
    logs.start()
    sent = service.start(time.time_ns() // 1_000_000)
    log.info("audits begun", extra={"accounts": sent})


# One at a time: each takes some seconds. The queue's name is needed when Chalice packages.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.AUDITS}", batch_size=1)
def audit(event: SQSEvent) -> None:
    """Carry the event's audits on by a step."""
    records.process(event, queues.AUDITS, Audit, _carry_on)


def _carry_on(audits: Sequence[Audit], now_ms: int) -> None:
    for ended in service.carry_on(audits, now_ms):
        found = service.differences(ended)
        for difference in found:
            log.error("difference", extra=msgspec.to_builtins(difference))
        figures = metrics.line(AuditDifferences=len(found), AuditedMessages=ended.books.messages)
        log.info("audited", extra={"account": ended.account, **figures})
