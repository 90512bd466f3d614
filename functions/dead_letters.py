"""The function behind ⟨dead⟩, where every queue's dead letters go: keep each in the table."""

import logging
import time
from typing import Any, Final

from chalice.app import Blueprint, SQSEvent

from chalicelib.services import shelve as service
from chalicelib.services.shelve import Arrival
from chalicelib.settings import settings
from chalicelib.store import queues
from functions import logs, metrics
from functions.records import RecordsFailed

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)


# The name is needed when Chalice packages, and is what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.DEAD}", batch_size=queues.BATCH)
def shelve(event: SQSEvent) -> None:
    """Keep the event's records. What they hold does not matter: only where the table cannot be written, it raises.

    Then all of them come again, and those that are kept are known.
    """
    logs.start()
    arrivals = [_arrival(raw) for raw in event.to_dict()["Records"]]
    failed = sum(not _kept(arrival) for arrival in arrivals)
    if failed:
        raise RecordsFailed(f"{failed} of {len(arrivals)} dead letters")


def _kept(arrival: Arrival) -> bool:
    try:
        letter = service.shelve(arrival, time.time_ns() // 1_000_000)
    except Exception:
        log.exception("a dead letter was not kept", extra={"record": arrival.record})
        return False
    if letter is not None:
        told = {"dead_letter": letter.id, "queue": letter.queue, "reason": letter.reason, "record": letter.record}
        log.error("dead letter", extra={**told, **metrics.line(DeadLetters=1)})
    return True


def _arrival(raw: dict[str, Any]) -> Arrival:
    """A record as whoever buried it described it, or as SQS did, which names only where it comes from."""
    told = {name: given.get("stringValue") for name, given in raw.get("messageAttributes", {}).items()}
    receives = told.get("receives")
    return Arrival(
        record=told.get("record") or raw["messageId"],
        body=raw["body"],
        queue=told.get("queue") or _source(raw.get("attributes", {})),
        reason=told.get("reason"),
        receives=int(receives) if receives else None,
    )


def _source(attributes: dict[str, str]) -> str | None:
    arn = attributes.get("DeadLetterQueueSourceArn")
    return arn.rpartition(":")[2].removeprefix(f"{settings().prefix}-") if arn else None
