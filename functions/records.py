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
_OF_A_MESSAGE: Final = (wire.SubmitOutcome, wire.AttemptOutcome, wire.EndOutcome)

B = TypeVar("B", bound=wire.Bundle)


class RecordsFailed(Exception):
    """Some records are not done: SQS will bring them again."""


class _Raw(NamedTuple):
    """A record as it came."""

    id: str
    handle: str
    body: str
    receives: int  # how often, this time included


class _Record(NamedTuple):
    """A record that was read."""

    raw: _Raw
    bundle: wire.Bundle


class _Failure(NamedTuple):
    """A record that is not done, why, and whether it is to come again."""

    raw: _Raw
    reason: str
    is_last: bool


def process(event: SQSEvent, queue: str, kind: type[B], work: Callable[[Sequence[B], int], None]) -> None:
    """Do `work(bundles, now_ms)` for the event's records, together if that works, else each alone.

    `work` must stand being done again, for any part of the records. What is no bundle of the kind, and what failed for
    the last time, goes with the dead letters, and why. Raises RecordsFailed where some are to come again, after
    deleting those that are not.
    """
    logs.start()
    records, failures = _decoded(event, kind)
    failures += _failures(records, work) if records else []
    if not failures:
        return  # Lambda deletes the whole batch
    buried = {failure.raw.handle for failure in failures if failure.is_last and _bury(queue, failure)}
    left = {failure.raw.handle for failure in failures} - buried
    done = {record.raw.handle for record in records} - left
    queues.delete_many(queue, sorted(buried | done if left else buried))
    if left:
        raise RecordsFailed(f"{len(left)} of {len(buried | left | done)} records of {queue}")


def _decoded(event: SQSEvent, kind: type[B]) -> tuple[list[_Record], list[_Failure]]:
    """The records that are bundles of the kind, and those that are not, which no other time will help."""
    records: list[_Record] = []
    bad: list[_Failure] = []
    for given in event.to_dict()["Records"]:
        receives = int(given.get("attributes", {}).get("ApproximateReceiveCount", 1))
        raw = _Raw(given["messageId"], given["receiptHandle"], given["body"], receives)
        try:
            bundle = wire.decode(raw.body)
        except wire.BadBundle as error:
            log.error("not a bundle", extra={"record": raw.id, "reason": str(error)})
            bad.append(_Failure(raw, f"no bundle: {error}", is_last=True))
            continue
        if isinstance(bundle, kind):
            records.append(_Record(raw, bundle))
        else:
            log.error("not this queue's bundle", extra={"record": raw.id, "reason": type(bundle).__name__})
            bad.append(_Failure(raw, f"a bundle of another queue: {type(bundle).__name__}", is_last=True))
    return records, bad


def _bury(queue: str, failure: _Failure) -> bool:
    """Put the record with the dead letters. Where that fails, SQS will after its last receive, without the reason."""
    raw = failure.raw
    try:
        queues.bury(queue, raw.body, failure.reason, record=raw.id, receives=raw.receives)
    except Exception:
        log.exception("not buried", extra={"record": raw.id, "reason": failure.reason})
        return False
    return True


def _failures(records: Sequence[_Record], work: Callable[[Sequence[B], int], None]) -> list[_Failure]:
    """The records that are not done: none, or where they cannot be done together, those that cannot be done alone."""
    try:
        _do(records, work)
        return []
    except _NOBODYS_FAULT as error:
        log.warning("to be done again", extra={"records": [record.raw.id for record in records], "reason": repr(error)})
        return [_failure(record, error) for record in records]
    except Exception as error:
        log.exception("failed", extra={"records": {record.raw.id: record.bundle.id for record in records}})
        if len(records) == 1:
            return [_failure(records[0], error)]
    return [failure for record in records for failure in _failures([record], work)]


def _failure(record: _Record, error: Exception) -> _Failure:
    return _Failure(record.raw, repr(error), is_last=record.raw.receives >= queues.RECEIVES_BEFORE_DEAD)


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
            told = {outcome.message for outcome in bundle.outcomes if isinstance(outcome, _OF_A_MESSAGE)}
            return {"messages": sorted(told), "outcomes": len(bundle.outcomes)}
        case wire.JobWork():
            return {"account": bundle.account, "job": bundle.job, "stage": bundle.stage, "at": bundle.at}
        case wire.MailBundle():
            notice = bundle.notice
            return {"account": bundle.account, "mail": f"{notice.kind}/{notice.name}" if notice else bundle.mail}
        case wire.ArchiveWork():
            return {"account": bundle.account, "what": bundle.what, "day": bundle.day, "part": bundle.part}
        case wire.Visit():
            return {"accounts": len(bundle.accounts), "windows": len(bundle.windows)}
        case wire.Audit():
            return {"account": bundle.account, "stage": bundle.stage, "cursor": bundle.cursor}
        case wire.EsmeBundle():
            return {"login": bundle.login, "messages": [item.id for item in bundle.items]}
        case wire.InboundBundle():
            return {"came": len(bundle.came)}
        case wire.WebhookBundle():
            return {"account": bundle.account, "webhook": bundle.endpoint, "events": [one.id for one in bundle.events]}
