"""What Lambda does between queues, schedules and functions, for every function that the Chalice app registers.

A queue's records go to its function in batches; when the function returns they are deleted, when it raises they are
left and come back after the queue's visibility timeout, and after its maxReceiveCount go to the dead-letter queue.
"""

import logging
import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from chalice.app import ScheduledEventConfig, SQSEventConfig
from chalice.local import LambdaContext

from chalicelib.store import aws
from infra.local import schedules
from infra.local.meter import Meter
from infra.local.place import REGION, Place

THREADS: Final = 1  # per queue and process: more of them only share out smaller batches
RECEIVE_MAX: Final = 10  # SQS gives no more at once
LONG_POLL_SECONDS: Final = 5
MEMORY_MB: Final = 256
TIMEOUT_MS: Final = 60_000
FINISH_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 1.0  # after a receive that failed

logger = logging.getLogger("chasqui.pumps")


class NoQueue(Exception):
    """A function listens to a queue that is not there."""


@dataclass(frozen=True)
class Listener:
    """A function that listens to a queue."""

    function: str
    queue: str
    batch_size: int
    window_seconds: int
    handle: Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True)
class Timer:
    """A function that a schedule calls."""

    function: str
    expression: str
    handle: Callable[[dict[str, Any], Any], Any]


def listeners(app: Any) -> list[Listener]:
    """The queue functions that a Chalice app registers."""
    return [
        Listener(
            function=source.name,
            queue=source.queue or str(source.queue_arn).rpartition(":")[2],
            batch_size=source.batch_size,
            window_seconds=source.maximum_batching_window_in_seconds,
            handle=app.handler_map[source.name],
        )
        for source in app.event_sources
        if isinstance(source, SQSEventConfig)
    ]


def timers(app: Any) -> list[Timer]:
    """The scheduled functions that a Chalice app registers."""
    return [
        Timer(function=source.name, expression=_expression(source), handle=app.handler_map[source.name])
        for source in app.event_sources
        if isinstance(source, ScheduledEventConfig)
    ]


def _expression(source: Any) -> str:
    expression = source.schedule_expression
    return expression if isinstance(expression, str) else str(expression.to_string())


class Pump:
    """Moves one queue's records to its function."""

    def __init__(self, listener: Listener, meter: Meter, stopping: threading.Event) -> None:
        self._listener = listener
        self._meter = meter
        self._stopping = stopping
        self._at_work = threading.Lock()
        self._sqs = aws.client("sqs")
        self._url = self._find(listener)

    def run(self) -> None:
        """Pump until told to stop; what fails is logged and tried again, as Lambda's pollers do."""
        while not self._stopping.is_set():
            try:
                records = self._receive()
            except Exception:
                logger.exception("receive from %s failed", self._listener.queue)
                self._stopping.wait(PAUSE_SECONDS)
                continue
            with self._at_work:
                if records and not self._stopping.is_set() and self._invoke(records):
                    self._delete(records)

    def finish(self, seconds: float) -> None:
        """Wait until the batch in work is done. A receive is not waited for: what it brings will come again."""
        self._at_work.acquire(timeout=seconds)

    def _find(self, listener: Listener) -> str:
        try:
            return str(self._sqs.get_queue_url(QueueName=listener.queue)["QueueUrl"])
        except self._sqs.exceptions.QueueDoesNotExist:
            raise NoQueue(f"{listener.function} listens to {listener.queue}, which no template makes") from None

    def _receive(self) -> list[dict[str, Any]]:
        """A batch: what is there, then what comes within the window; a full receive is followed by another."""
        records = last = self._receive_some(self._listener.batch_size, LONG_POLL_SECONDS)
        end = time.monotonic() + self._listener.window_seconds
        while records and len(records) < self._listener.batch_size:
            left = end - time.monotonic()
            if left <= 0 and len(last) < RECEIVE_MAX:
                break
            last = self._receive_some(self._listener.batch_size - len(records), min(1, max(0, round(left))))
            records += last
        return records

    def _receive_some(self, most: int, wait_seconds: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, RECEIVE_MAX),
            WaitTimeSeconds=wait_seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _invoke(self, records: list[dict[str, Any]]) -> bool:
        begun = time.perf_counter()
        done = call(self._listener.function, self._listener.handle, self._event(records))
        self._meter.worked(self._listener.function, len(records), time.perf_counter() - begun, failed=not done)
        return done

    def _event(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "Records": [
                {
                    "messageId": record["MessageId"],
                    "receiptHandle": record["ReceiptHandle"],
                    "body": record["Body"],
                    "attributes": record.get("Attributes", {}),
                    "messageAttributes": {
                        name: {"stringValue": given.get("StringValue"), "dataType": given["DataType"]}
                        for name, given in record.get("MessageAttributes", {}).items()
                    },
                    "md5OfBody": record.get("MD5OfBody", ""),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{self._listener.queue}",
                    "awsRegion": REGION,
                }
                for record in records
            ]
        }

    def _delete(self, records: list[dict[str, Any]]) -> None:
        for start in range(0, len(records), RECEIVE_MAX):
            entries = [
                {"Id": str(position), "ReceiptHandle": record["ReceiptHandle"]}
                for position, record in enumerate(records[start : start + RECEIVE_MAX])
            ]
            try:  # a record that the function deleted itself is told as failed, and that is well
                self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)
            except Exception:
                logger.exception("delete from %s failed; the records will come again", self._listener.queue)


def call(function: str, handle: Callable[[dict[str, Any], Any], Any], event: dict[str, Any]) -> bool:
    """Invoke a function as Lambda would; False where it raised."""
    try:
        handle(event, LambdaContext(function, MEMORY_MB, TIMEOUT_MS))
    except Exception:
        logger.exception("%s failed", function)
        return False
    return True


def keep_time(timer: Timer, meter: Meter, stopping: threading.Event) -> None:
    """Call a function whenever its schedule is due."""
    schedule = schedules.parse(timer.expression)
    due = schedule.next_after(datetime.now(UTC))
    while due and not stopping.wait(max(0.0, (due - datetime.now(UTC)).total_seconds())):
        begun = time.perf_counter()
        done = call(timer.function, timer.handle, _scheduled_event(timer, due))
        meter.worked(timer.function, 1, time.perf_counter() - begun, failed=not done)
        due = schedule.next_after(due)


def _scheduled_event(timer: Timer, due: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:123456789012:rule/{timer.function}"],
        "detail": {},
    }


def serve(where: Place, meter: Meter, *, with_schedules: bool) -> None:
    """Pump every queue of the app, and in one of the workers its schedules, until SIGTERM."""
    from app import app  # noqa: PLC0415 - the calls of its import are to be counted, so the meter comes first

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    pumps = [Pump(listener, meter, stopping) for listener in listeners(app) for _ in range(THREADS)]
    threads = [threading.Thread(target=pump.run, daemon=True) for pump in pumps]
    if with_schedules:
        threads += [
            threading.Thread(target=keep_time, args=(timer, meter, stopping), name=timer.function, daemon=True)
            for timer in timers(app)
        ]
    for thread in threads:
        thread.start()
    (where.ready_dir / f"pumps-{threading.get_native_id()}").touch()
    while not stopping.wait(3600):
        pass
    for pump in pumps:
        pump.finish(FINISH_SECONDS)
