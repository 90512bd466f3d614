"""What the pumps do for Lambda: batches, deletion on success, what failed left to come back."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from chalice.app import Chalice, Rate
from moto import mock_aws

from chalicelib.store import aws
from infra.local import pumps, schedules
from infra.local.meter import Meter


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(pumps, "LONG_POLL_SECONDS", 0)
    aws.forget_clients()
    with mock_aws():
        yield
    aws.forget_clients()


def _queue(visibility: str = "0", **attributes: str) -> str:
    made = aws.client("sqs").create_queue(QueueName="q", Attributes={"VisibilityTimeout": visibility, **attributes})
    url: str = made["QueueUrl"]
    return url


def _left(url: str) -> int:
    """Records in the queue, waiting or in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in found.values())


def _pump(app: Chalice, until: Any) -> Meter:
    """Run the app's only pump until a condition holds."""
    meter, stopping = Meter("test"), threading.Event()
    (listener,) = pumps.listeners(app)
    thread = threading.Thread(target=pumps.Pump(listener, meter, stopping).run)
    thread.start()
    end = time.monotonic() + 10
    while not until() and time.monotonic() < end:
        time.sleep(0.02)
    stopping.set()
    thread.join()
    assert until()
    return meter


def test_the_functions_are_found_by_asking_the_app() -> None:
    app = Chalice("test")

    @app.on_sqs_message(queue="stage-billing", batch_size=7)
    def charge(event: Any) -> None: ...

    @app.schedule(Rate(5, unit=Rate.MINUTES))
    def sweep(event: Any) -> None: ...

    @app.lambda_function()
    def by_hand(event: Any, context: Any) -> None: ...

    (listener,) = pumps.listeners(app)
    assert (listener.function, listener.queue, listener.batch_size) == ("charge", "stage-billing", 7)
    (timer,) = pumps.timers(app)
    assert (timer.function, timer.expression) == ("sweep", "rate(5 minutes)")


def test_records_come_in_batches_and_are_deleted_when_the_function_returns() -> None:
    url, app, batches = _queue("30"), Chalice("test"), list[list[str]]()

    @app.on_sqs_message(queue="q", batch_size=4)
    def take(event: Any) -> None:
        batches.append([record.body for record in event])

    for number in range(10):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))
    meter = _pump(app, lambda: _left(url) == 0)
    assert sorted(int(body) for batch in batches for body in batch) == list(range(10))
    assert max(len(batch) for batch in batches) == 4
    assert meter.work["take"].records == 10
    assert meter.work["take"].errors == 0


def test_records_whose_function_raised_come_again_and_the_deleted_ones_do_not() -> None:
    url, app, seen = _queue(visibility="1"), Chalice("test"), list[str]()

    @app.on_sqs_message(queue="q", batch_size=10)
    def take(event: Any) -> None:
        failed = False
        for record in event:
            seen.append(record.body)
            if record.body == "bad" and seen.count("bad") < 3:
                failed = True
            else:
                aws.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=record.receipt_handle)
        if failed:
            raise RuntimeError("one record failed")

    aws.client("sqs").send_message(QueueUrl=url, MessageBody="good")
    aws.client("sqs").send_message(QueueUrl=url, MessageBody="bad")
    meter = _pump(app, lambda: _left(url) == 0)
    assert seen.count("good") == 1
    assert seen.count("bad") == 3
    assert meter.work["take"].errors == 2


def test_a_record_that_always_fails_ends_in_the_dead_letter_queue() -> None:
    sqs = aws.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = _queue(RedrivePolicy=f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 2}}')
    app = Chalice("test")

    @app.on_sqs_message(queue="q")
    def take(event: Any) -> None:
        raise RuntimeError("never")

    sqs.send_message(QueueUrl=url, MessageBody="poison")
    meter = _pump(app, lambda: _left(dead) == 1)
    assert meter.work["take"].errors == 2


def test_a_window_gathers_a_batch_that_is_bigger_than_one_receive() -> None:
    url, app, sizes = _queue("30"), Chalice("test"), list[int]()

    @app.on_sqs_message(queue="q", batch_size=25, maximum_batching_window_in_seconds=1)
    def take(event: Any) -> None:
        sizes.append(len(list(event)))

    for number in range(25):
        aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))
    _pump(app, lambda: _left(url) == 0)
    assert sizes == [25]


def test_a_function_on_a_queue_that_is_not_there_is_named() -> None:
    app = Chalice("test")

    @app.on_sqs_message(queue="stage-refunds")
    def give_back(event: Any) -> None: ...

    (listener,) = pumps.listeners(app)
    with pytest.raises(pumps.NoQueue, match="give_back listens to stage-refunds"):
        pumps.Pump(listener, Meter("test"), threading.Event())


def test_a_schedule_calls_its_function_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    app, called = Chalice("test"), threading.Event()

    @app.schedule("rate(1 minute)")
    def sweep(event: Any) -> None:
        if event.detail_type == "Scheduled Event":
            called.set()

    monkeypatch.setattr(schedules, "parse", lambda expression: _Soon())
    stopping = threading.Event()
    (timer,) = pumps.timers(app)
    thread = threading.Thread(target=pumps.keep_time, args=(timer, Meter("test"), stopping))
    thread.start()
    assert called.wait(5)
    stopping.set()
    thread.join(5)


class _Soon:
    def next_after(self, instant: Any) -> Any:
        return instant + timedelta(milliseconds=50)
