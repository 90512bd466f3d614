"""Parts of messages that SMPP customers cut, until the others have come: a group of them is one item.

A part is added by one conditional write that answers with the whole group; so exactly one writer sees the last part
complete it, and no part is added to a group that has been given up. The index has the groups that are not sent yet.
"""

import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from chalicelib.domain.parts import HeldPart
from chalicelib.settings import settings
from chalicelib.store import aws

KEPT_SECONDS: Final = 86_400  # a group's memory: it tells a part that comes again from a new one
_SHARDS: Final = 8  # of the index, so that it is no hot partition
_INDEX: Final = "by_due"
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(HeldPart)


class State(StrEnum):
    """What becomes of a group."""

    OPEN = "open"  # parts are added
    CLOSED = "closed"  # no more: it is about to be sent
    SENT = "sent"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one message that are there. `root` is its name: a key is used again for later messages."""

    key: str
    root: str
    account: str
    total: int
    began_ms: int
    due_ms: int
    state: State = State.OPEN
    parts: dict[int, HeldPart] = {}

    @property
    def complete(self) -> bool:
        return len(self.parts) == self.total


def add(fresh: Group, number: int, part: HeldPart) -> Group | None:
    """The group with the part in it: the open one of that key, or `fresh`. None where it does not take the part:
    it has one of that number, is due, or not open any more."""
    values = _attributes(fresh)
    sets = [f"#{name} = if_not_exists(#{name}, :{name})" for name in values]
    try:
        answer = _client().update_item(
            TableName=_table(),
            Key={"id": {"S": fresh.key}},
            UpdateExpression=f"SET #part = :part, {', '.join(sets)}",
            ConditionExpression=(
                "attribute_not_exists(#id) OR (#state = :state AND #due_ms > :began_ms AND attribute_not_exists(#part))"
            ),
            ExpressionAttributeNames={"#id": "id", "#part": _name(number), **{f"#{name}": name for name in values}},
            ExpressionAttributeValues={
                ":part": {"B": _encoder.encode(part)},
                **{f":{name}": value for name, value in values.items()},
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        _raise_unless_refused(error)
        return None
    return _group(answer["Attributes"])


def begin_anew(old: Group, fresh: Group, number: int, part: HeldPart) -> Group | None:
    """`fresh` with the part in the place of a group that is sent. None where that is not there any more."""
    try:
        _client().put_item(
            TableName=_table(),
            Item={"id": {"S": fresh.key}, _name(number): {"B": _encoder.encode(part)}, **_attributes(fresh)},
            ConditionExpression="#root = :root AND #state = :sent",
            ExpressionAttributeNames={"#root": "root", "#state": "state"},
            ExpressionAttributeValues={":root": {"S": old.root}, ":sent": {"S": State.SENT}},
        )
    except ClientError as error:
        _raise_unless_refused(error)
        return None
    return msgspec.structs.replace(fresh, parts={number: part})


def get(key: str) -> Group | None:
    """The group, read consistently."""
    item = _client().get_item(TableName=_table(), Key={"id": {"S": key}}, ConsistentRead=True).get("Item")
    return _group(item) if item else None


def close(key: str, root: str) -> Group | None:
    """The group, which takes no part from now on. None where it was not open."""
    try:
        answer = _client().update_item(
            TableName=_table(),
            Key={"id": {"S": key}},
            UpdateExpression="SET #state = :closed",
            ConditionExpression="#root = :root AND #state = :open",
            ExpressionAttributeNames={"#root": "root", "#state": "state"},
            ExpressionAttributeValues={
                ":root": {"S": root},
                ":open": {"S": State.OPEN},
                ":closed": {"S": State.CLOSED},
            },
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        _raise_unless_refused(error)
        return None
    return _group(answer["Attributes"])


def sent(group: Group) -> None:
    """What the group has is on its way."""
    try:
        _client().update_item(
            TableName=_table(),
            Key={"id": {"S": group.key}},
            UpdateExpression="SET #state = :sent REMOVE #waiting",
            ConditionExpression="#root = :root",
            ExpressionAttributeNames={"#root": "root", "#state": "state", "#waiting": "waiting"},
            ExpressionAttributeValues={":root": {"S": group.root}, ":sent": {"S": State.SENT}},
        )
    except ClientError as error:
        _raise_unless_refused(error)


def overdue(until_ms: int) -> Iterator[str]:
    """The keys of groups that were due by then and are not sent; eventually consistent."""
    for shard in range(_SHARDS):
        asked: dict[str, Any] = {
            "TableName": _table(),
            "IndexName": _INDEX,
            "KeyConditionExpression": "waiting = :shard AND due_ms <= :until",
            "ExpressionAttributeValues": {":shard": {"S": str(shard)}, ":until": {"N": str(until_ms)}},
        }
        while True:
            answer = _client().query(**asked)
            yield from (str(item["id"]["S"]) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                break
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _attributes(group: Group) -> dict[str, dict[str, str]]:
    return {
        "root": {"S": group.root},
        "account": {"S": group.account},
        "total": {"N": str(group.total)},
        "began_ms": {"N": str(group.began_ms)},
        "due_ms": {"N": str(group.due_ms)},
        "state": {"S": group.state},
        "waiting": {"S": str(zlib.crc32(group.key.encode()) % _SHARDS)},
        "expires": {"N": str(group.due_ms // 1000 + KEPT_SECONDS)},
    }


def _group(item: dict[str, Any]) -> Group:
    return Group(
        key=item["id"]["S"],
        root=item["root"]["S"],
        account=item["account"]["S"],
        total=int(item["total"]["N"]),
        began_ms=int(item["began_ms"]["N"]),
        due_ms=int(item["due_ms"]["N"]),
        state=State(item["state"]["S"]),
        parts={int(name[1:]): _decoder.decode(value["B"]) for name, value in sorted(item.items()) if _is_part(name)},
    )


def _name(number: int) -> str:
    return f"p{number:03}"


def _is_part(name: str) -> bool:
    return name.startswith("p") and name[1:].isdecimal()


def _raise_unless_refused(error: ClientError) -> None:
    if error.response["Error"]["Code"] != _CONDITION_FAILED:
        raise error


def _table() -> str:
    return f"{settings().prefix}-segments"


def _client() -> Any:
    return aws.client("dynamodb")
