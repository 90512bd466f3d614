"""What AWS in this process holds (tests.world): kept aside and put back, or looked at without a call."""

import pickle
import time
from dataclasses import dataclass
from typing import Any, Final

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from tests.world import PREFIX, REGION, stack_queues

_OF_A_QUEUE: Final = ("_messages", "_pending_messages", "deleted_messages")


@dataclass(frozen=True)
class Snapshot:
    """All that tables, queues and buckets held at an instant."""

    at: float  # by time.time()
    queues: dict[str, Any]  # by name; what is in them is in `contents`
    contents: bytes


def take() -> Snapshot:
    """Keep all as it is."""
    queues = dict(_queues())
    contents = (
        {name: table.items for name, table in _tables().items()},
        {name: [vars(queue)[part] for part in _OF_A_QUEUE] for name, queue in queues.items()},
        {name: (dict(bucket.keys.lists()), bucket.multiparts) for name, bucket in _buckets().items()},
    )
    return Snapshot(time.time(), queues, pickle.dumps(contents))


def put_back(snapshot: Snapshot) -> None:
    """Make all as it was. What was hidden or put off stays so for as long as it would have, had no time gone by."""
    tables, records, objects = pickle.loads(snapshot.contents)  # noqa: S301 - written above
    passed_ms = (time.time() - snapshot.at) * 1000
    for name, table in _tables().items():
        table.items = tables[name]
    _queues().clear()
    _queues().update(snapshot.queues)
    for name, queue in _queues().items():
        vars(queue).update(zip(_OF_A_QUEUE, records[name], strict=True))
        for record in queue._messages:
            record.visible_at += passed_ms
            record.delayed_until += passed_ms
    for name, bucket in _buckets().items():
        whole, bucket.multiparts = objects[name]
        bucket.keys.clear()
        for key, versions in whole.items():
            bucket.keys.setlist(key, versions)


def fits(snapshot: Snapshot) -> bool:
    """Whether the stack is still the one that the snapshot was taken of, and no other test has wiped it out."""
    return all(snapshot.queues.get(name) is queue for name, queue in _queues().items())


def nothing_is_there() -> bool:
    """Whether there is the stack, and no more."""
    kept = [*(table.items for table in _tables().values()), *(bucket.keys for bucket in _buckets().values())]
    return not any(kept) and _queues().keys() == stack_queues()


def items(table: str) -> list[dict[str, Any]]:
    """A table's items as they are stored."""
    return [item.to_json()["Attributes"] for item in _tables()[f"{PREFIX}-{table}"].all_items()]


def waiting(queue: str) -> list[str]:
    """The bodies of the records that a receive would find; they stay there."""
    found = _queues().get(f"{PREFIX}-{queue}")
    return [record.body for record in found.messages] if found else []


def waits(queue: str) -> bool:
    """Whether there are records on a queue that nobody has in hands, due or not."""
    return any(record.visible for record in _queues()[f"{PREFIX}-{queue}"]._messages)


def _tables() -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables


def _queues() -> Any:
    return sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues


def _buckets() -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets
