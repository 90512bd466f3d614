"""The mails' functions: one addresses and sends, one hears from SES, one looks what is to be told of again."""

import logging
import time
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron, SQSEvent

from chalicelib.domain.mail_event import BadEvent, parse
from chalicelib.services.alert import alert
from chalicelib.services.note_mail_event import note
from chalicelib.services.post_mail import post
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import MailBundle
from functions import logs, records
from functions.records import RecordsFailed

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)


# The names are needed when Chalice packages, and are what the stage's environment says then. One at a time: where SES
# hangs, each takes half of the function's 20 s.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.MAILS}", batch_size=1)
def mail(event: SQSEvent) -> None:
    """Address the event's notices, and send its mails."""
    records.process(event, queues.MAILS, MailBundle, post)


@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.MAIL_EVENTS}", batch_size=queues.BATCH)
def mail_event(event: SQSEvent) -> None:
    """Note what SES tells. Noted twice it changes nothing: where one fails, all of them come again."""
    logs.start()
    failed = 0
    for raw in event.to_dict()["Records"]:
        try:
            _note(raw["body"])
        except Exception:
            log.exception("a mail's event was not noted", extra={"record": raw["messageId"]})
            failed += 1
    if failed:
        raise RecordsFailed(f"{failed} mail events")


def _note(body: str) -> None:
    try:
        told = parse(body)
    except BadEvent as error:
        queues.bury(queues.MAIL_EVENTS, body, f"no event of SES: {error}")
        return
    if told is not None:
        note(told, time.time_ns() // 1_000_000)


# On the clock's fives, a little behind the rounds' own.
@bp.schedule(Cron("2/5", "*", "*", "*", "?", "*"))
def alerts(event: CloudWatchEvent) -> None:
    """Tell of what lasts, and of the days and weeks that are over; send what was lost on its way."""
    logs.start()
    log.info("alerts", extra=alert(time.time_ns() // 1_000_000))
