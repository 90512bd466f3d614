"""An SQS event's records, each accounted for: what succeeded is deleted, then an error brings back the rest.

Chalice's event sources cannot report failures record by record: a batch that returns is done as a whole, and one that
raises comes back as a whole, unless its good records are deleted first.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from chalice.app import SQSEvent

from chalicelib import wire
from chalicelib.store import dynamo, queues
from functions import logs

log: Final = logging.getLogger(__name__)
# These say nothing about any one record: doing each alone would only load what is overloaded.
_NOBODYS_FAULT: Final = (dynamo.Overloaded, queues.Undelivered)

B = TypeVar("B", bound=wire.Bundle)


class RecordsFailed(Exception):
    """Some records are not done: SQS will bring them again, and at last put them in the dead-letter queue."""


class _Record(NamedTuple):
    id: str
    handle: str
    bundle: wire.Bundle


def process(event: SQSEvent, queue: str, kind: type[B], work: Callable[[Sequence[B], int], None]) -> None:
    """Do `work(bundles, now_ms)` for the event's records, together if that works, else each alone.

    `work` must stand being done again, for any part of the records. Raises RecordsFailed after deleting what is done.
    """
    logs.start()
    records, failed = _decoded(event, kind)
    done = _together(records, work) if records else []
    failed += len(records) - len(done)
    if not failed:
        return  # Lambda deletes the whole batch
    queues.delete_many(queue, [record.handle for record in done])
    raise RecordsFailed(f"{failed} of {failed + len(done)} records of {queue}")


def _decoded(event: SQSEvent, kind: type[B]) -> tuple[list[_Record], int]:
    """The records that are bundles of the kind, and how many are not: those go to the dead-letter queue in time."""
    records: list[_Record] = []
    bad = 0
    for raw in event.to_dict()["Records"]:
        try:
            bundle = wire.decode(raw["body"])
        except wire.BadBundle as error:
            log.error("not a bundle", extra={"record": raw["messageId"], "reason": str(error)})
            bad += 1
            continue
        if isinstance(bundle, kind):
            records.append(_Record(raw["messageId"], raw["receiptHandle"], bundle))
        else:
            log.error("not this queue's bundle", extra={"record": raw["messageId"], "reason": type(bundle).__name__})
            bad += 1
    return records, bad


def _together(records: Sequence[_Record], work: Callable[[Sequence[B], int], None]) -> list[_Record]:
    """The records that are done: all, or where they cannot be done together, those that can be done alone."""
    try:
        _do(records, work)
        return list(records)
    except _NOBODYS_FAULT as error:
        log.warning("to be done again", extra={"records": [record.id for record in records], "reason": repr(error)})
        return []
    except Exception:
        log.exception("failed", extra={"records": {record.id: record.bundle.id for record in records}})
    return [record for record in records if _together([record], work)] if len(records) > 1 else []


def _do(records: Sequence[_Record], work: Callable[[Sequence[B], int], None]) -> None:
    bundles: Sequence[B] = [record.bundle for record in records]  # type: ignore[misc]  # _decoded saw to the kind
    started = time.perf_counter()
    work(bundles, time.time_ns() // 1_000_000)
    for record in records:
        log.info("done", extra={"bundle": record.bundle.id, **_named(record.bundle)})
    log.info("batch", extra={"records": len(records), "ms": round((time.perf_counter() - started) * 1000, 1)})


def _named(bundle: wire.Bundle) -> dict[str, object]:
    """What to find the bundle's messages in the log by."""
    match bundle:
        case wire.AcceptedBundle():
            return {"account": bundle.account, "messages": [draft.id for draft in bundle.messages]}
        case wire.RoutedBundle():
            return {"account": bundle.account, "messages": [routed.draft.id for routed in bundle.messages]}
        case wire.DispatchBundle():
            return {"account": bundle.account, "messages": [dispatch.id for dispatch in bundle.messages]}
        case wire.OutcomeBundle():
            told = (outcome for outcome in bundle.outcomes if not isinstance(outcome, wire.ReceiptOutcome))
            return {"messages": sorted({outcome.message for outcome in told}), "outcomes": len(bundle.outcomes)}
        case wire.Visit():
            return {"accounts": len(bundle.accounts), "windows": len(bundle.windows)}
        case wire.Audit():
            return {"account": bundle.account, "stage": bundle.stage, "cursor": bundle.cursor}
