"""SQS: bundles out and in. Queues are named here without the stage's prefix (`accepted`, `gateway-<id>`)."""

import random
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.settings import settings
from chalicelib.store import aws

ACCEPTED: Final = "accepted"
BILLING: Final = "billing"
OUTCOMES: Final = "outcomes"
VISITS: Final = "visits"
AUDITS: Final = "audits"
JOBS: Final = "jobs"
ARCHIVES: Final = "archives"
MAILS: Final = "mails"
MAIL_EVENTS: Final = "mail-events"  # what SES tells of them, through SNS
INBOUND: Final = "inbound"
WEBHOOKS: Final = "webhooks"
WEBHOOKS_SLOW: Final = "webhooks-slow"  # to endpoints that time out: they wait for each other, and nobody for them
DEAD: Final = "dead"  # of all queues: from here each record goes into the table of dead letters
BATCH: Final = 10  # entries a batch request, by SQS
BATCH_BYTES: Final = 1_000_000  # SQS takes 1 MiB a request; the rest is for attributes
MAX_DELAY_SECONDS: Final = 900  # SQS's limit
# Those that functions work off.
OF_THE_PLATFORM: Final = (
    *(ACCEPTED, BILLING, OUTCOMES, VISITS, AUDITS, JOBS, ARCHIVES, MAILS, MAIL_EVENTS, INBOUND, WEBHOOKS),
    *(WEBHOOKS_SLOW, DEAD),
)
RECEIVES_BEFORE_DEAD: Final = 5
MAX_REASON: Final = 1_000  # characters
_ESME: Final = "esme-"
_FIFO: Final = ".fifo"  # what SQS wants such a queue's name to end with
_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 0.1


class Undelivered(Exception):
    """SQS kept refusing some entries of a batch; sending all of them again is safe."""


class NoQueue(LookupError):
    """There is no queue of that name."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A received record; `handle` is what deletes it."""

    id: str
    handle: str
    body: str
    received_times: int
    sent_ms: int


def gateway_queue(gateway: str, priority: str) -> str:
    """The queue of a gateway for messages of that priority: one-time passwords do not wait behind a campaign."""
    return f"gateway-{gateway}-bulk" if priority == "bulk" else f"gateway-{gateway}"


def esme_queue(login: str) -> str:
    """The queue of what a login's clients are told. FIFO: in order of arrival, whichever bridge has a receiver."""
    return f"{_ESME}{login}{_FIFO}"


def url(queue: str) -> str:
    """The queue's URL, looked up once a process. Raises botocore's QueueDoesNotExist."""
    return _url(f"{settings().prefix}-{queue}")


@cache
def _url(name: str) -> str:
    return str(_sqs().get_queue_url(QueueName=name)["QueueUrl"])


def forget() -> None:
    """Forget the URLs, as tests do between worlds."""
    _url.cache_clear()


def send(queue: str, bundle: wire.Bundle, *, delay_seconds: int = 0) -> None:
    """Send one bundle."""
    entry = _entry(bundle)
    if delay_seconds:
        entry["DelaySeconds"] = min(delay_seconds, MAX_DELAY_SECONDS)
    _sqs().send_message(QueueUrl=url(queue), **entry)


def send_again(queue: str, body: str) -> None:
    """Send a record's body as it is. Raises NoQueue."""
    login = queue.removeprefix(_ESME).removesuffix(_FIFO)
    again = _in_order(login, secrets.token_hex(16)) if queue.endswith(_FIFO) else {}
    try:
        _sqs().send_message(QueueUrl=url(queue), MessageBody=body, **again)
    except _sqs().exceptions.QueueDoesNotExist as error:
        raise NoQueue(queue) from error


def bury(queue: str, body: str, reason: str, *, record: str | None = None, receives: int = 0) -> None:
    """Put a body of `queue` with the dead letters, and why. `record`: SQS's id of it. `receives`: how often it came."""
    told = {
        "queue": queue,
        "reason": _line(reason),
        "receives": str(receives),
        **({"record": record} if record else {}),
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
    _sqs().send_message(QueueUrl=url(DEAD), MessageBody=body, MessageAttributes=attributes)


def _line(reason: str) -> str:
    """What SQS takes for an attribute: no control characters, not empty, of a bounded length."""
    printable = "".join(character if character.isprintable() else " " for character in reason[:MAX_REASON])
    return printable.strip() or "unknown"


def send_many(queue: str, bundles: Iterable[wire.Bundle], *, delay_seconds: int = 0) -> None:
    """Send bundles, ten a request. What SQS refused is sent again a few times; then raises Undelivered."""
    for entries in _batches([_entry(bundle) for bundle in bundles]):
        delay = {"DelaySeconds": min(delay_seconds, MAX_DELAY_SECONDS)} if delay_seconds else {}
        left = [{"Id": str(number), **entry, **delay} for number, entry in enumerate(entries)]
        for attempt in range(_ATTEMPTS):
            answer = _sqs().send_message_batch(QueueUrl=url(queue), Entries=left)
            refused = {failure["Id"] for failure in answer.get("Failed", ())}
            left = [entry for entry in left if entry["Id"] in refused]
            if not left:
                break
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - no secret
        else:
            raise Undelivered(f"{len(left)} bundles to {queue}")


def send_to_esme(login: str, bundles: Iterable[wire.EsmeBundle]) -> None:
    """Send bundles to the login's queue, in their order. Raises NoQueue, Undelivered."""
    try:
        send_many(esme_queue(login), bundles)
    except _sqs().exceptions.QueueDoesNotExist as error:
        raise NoQueue(esme_queue(login)) from error


def receive(
    queue: str, maximum: int = BATCH, wait_seconds: int = 20, visibility_seconds: int | None = None
) -> list[Record]:
    """Up to `maximum` (at most 10) records, waiting for the first; hidden from others for so long, else the queue's."""
    hidden = {} if visibility_seconds is None else {"VisibilityTimeout": visibility_seconds}
    answer = _sqs().receive_message(
        QueueUrl=url(queue),
        MaxNumberOfMessages=maximum,
        WaitTimeSeconds=wait_seconds,
        MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        **hidden,
    )
    return [_record(message) for message in answer.get("Messages", ())]


def hide(queue: str, handles: Sequence[str], seconds: int) -> None:
    """Keep received records from others for so long from now (0: give them back). What is gone already is let be."""
    for start in range(0, len(handles), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
            for number, handle in enumerate(handles[start : start + BATCH])
        ]
        _sqs().change_message_visibility_batch(QueueUrl=url(queue), Entries=entries)


def delete_many(queue: str, handles: Sequence[str]) -> None:
    """Delete received records, ten a request. One that is not deleted comes again, which every step stands."""
    for start in range(0, len(handles), BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles[start : start + BATCH])
        ]
        _sqs().delete_message_batch(QueueUrl=url(queue), Entries=entries)


def waiting(queue: str) -> int:
    """About how many records of a queue are in nobody's hands, and not put off."""
    name = "ApproximateNumberOfMessages"
    return int(_sqs().get_queue_attributes(QueueUrl=url(queue), AttributeNames=[name])["Attributes"][name])


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """About how many records of a queue wait, are in somebody's hands, and are put off."""

    waiting: int
    in_flight: int
    delayed: int

    @property
    def records(self) -> int:
        """All of them."""
        return self.waiting + self.in_flight + self.delayed


def standing(queue: str) -> Standing:
    """How a queue stands. Raises NoQueue."""
    names = {
        "ApproximateNumberOfMessages": "waiting",
        "ApproximateNumberOfMessagesNotVisible": "in_flight",
        "ApproximateNumberOfMessagesDelayed": "delayed",
    }
    try:
        told = _sqs().get_queue_attributes(QueueUrl=url(queue), AttributeNames=list(names))["Attributes"]
    except _sqs().exceptions.QueueDoesNotExist as error:
        raise NoQueue(queue) from error
    return Standing(**{field: int(told.get(name, 0)) for name, field in names.items()})


def depth(queue: str) -> int:
    """About how many records are on a queue, in somebody's hands or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = _sqs().get_queue_attributes(QueueUrl=url(queue), AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def _entry(bundle: wire.Bundle) -> dict[str, Any]:
    """Fair queues: SQS serves groups in turn, so that one account's million does not delay the others."""
    entry: dict[str, Any] = {"MessageBody": wire.encode(bundle)}
    if isinstance(bundle, wire.EsmeBundle):
        return entry | _in_order(bundle.login, bundle.id)
    if not isinstance(bundle, wire.OutcomeBundle | wire.Visit | wire.InboundBundle):  # which are of many accounts
        entry["MessageGroupId"] = _group(bundle)
    return entry


def _in_order(login: str, id_: str) -> dict[str, str]:
    """What a FIFO queue wants: records of one group come in the order that they were sent in, one receive at a time."""
    return {"MessageGroupId": login, "MessageDeduplicationId": id_}


def _group(bundle: Any) -> str:
    """The account; of webhooks the endpoint, as one customer's may be slow and another's not."""
    return f"{bundle.account}/{bundle.endpoint}" if isinstance(bundle, wire.WebhookBundle) else str(bundle.account)


def _batches(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        needs = len(entry["MessageBody"].encode())
        if batch and (len(batch) == BATCH or size + needs > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += needs
    if batch:
        yield batch


def _record(message: dict[str, Any]) -> Record:
    return Record(
        id=message["MessageId"],
        handle=message["ReceiptHandle"],
        body=message["Body"],
        received_times=int(message["Attributes"]["ApproximateReceiveCount"]),
        sent_ms=int(message["Attributes"]["SentTimestamp"]),
    )


def _sqs() -> Any:
    return aws.client("sqs")
