"""DynamoDB's capacity units, computed from what was sent and received.

Emulators answer fixed figures, so the sizes are taken from the items and the rules from AWS's "DynamoDB item sizes and
formats" and "read and write capacity": a write unit a KB, a read unit per 4 KB (half of it when eventually consistent),
twice that in a transaction, at least one each. Standard library only.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

WRITE_UNIT_BYTES: Final = 1024
READ_UNIT_BYTES: Final = 4096
INDEX_ENTRY_BYTES: Final = 100  # what each row of an index costs on top
Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Index:
    """A global secondary index: which attributes an item needs to be in it, and which it carries (None: all)."""

    keys: tuple[str, ...]
    carries: frozenset[str] | None


@dataclass(frozen=True)
class Units:
    """Capacity units of one call."""

    write: float = 0.0
    read: float = 0.0


Indexes = Mapping[str, tuple[Index, ...]]  # by table name


def units_of(operation: str, sent: Mapping[str, Any], received: Mapping[str, Any], indexes: Indexes) -> Units:
    """The units that one call used; none for an operation that has no table."""
    rule = RULES.get(operation)
    return rule(sent, received, indexes) if rule else Units()


def size_of(item: Item) -> int:
    """Bytes of an item in the client's form ({name: {type: value}}): names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    kind, held = next(iter(value.items()))
    return SIZES[kind](held)


def _binary_size(held: str | bytes) -> int:
    if isinstance(held, bytes):
        return len(held)
    try:
        return len(base64.b64decode(held, validate=True))
    except binascii.Error:
        return len(held.encode())


def _number_size(held: str) -> int:
    return ceil(len(held.strip("-+").replace(".", "")) / 2) + 1


SIZES: Final[dict[str, Callable[[Any], int]]] = {
    "S": lambda held: len(held.encode()),
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda held: 1,
    "NULL": lambda held: 1,
    "SS": lambda held: sum(len(one.encode()) for one in held),
    "NS": lambda held: sum(_number_size(one) for one in held),
    "BS": lambda held: sum(_binary_size(one) for one in held),
    "L": lambda held: 3 + sum(1 + _value_size(one) for one in held),
    "M": lambda held: 3 + len(held) + size_of(held),
}


def _write_units(size: int) -> int:
    return max(1, ceil(size / WRITE_UNIT_BYTES))


def _read_units(size: int, consistent: bool) -> float:
    units = max(1, ceil(size / READ_UNIT_BYTES))
    return float(units) if consistent else units / 2


def _put_units(table: str, item: Item, indexes: Indexes) -> float:
    units = float(_write_units(size_of(item)))
    for index in indexes.get(table, ()):
        if all(key in item for key in index.keys):
            carried = {name: value for name, value in item.items() if index.carries is None or name in index.carries}
            units += _write_units(size_of(carried) + INDEX_ENTRY_BYTES)
    return units


def _update_units(table: str, request: Mapping[str, Any], indexes: Indexes) -> float:
    """An update does not show the item: its key and the new values stand for it (the rows updated here are small)."""
    values = dict(request.get("ExpressionAttributeValues") or {})
    return float(_write_units(size_of({**request["Key"], **values}))) + len(indexes.get(table, ()))


def _put(sent: Mapping[str, Any], _received: Mapping[str, Any], indexes: Indexes) -> Units:
    return Units(write=_put_units(sent["TableName"], sent["Item"], indexes))


def _update(sent: Mapping[str, Any], _received: Mapping[str, Any], indexes: Indexes) -> Units:
    return Units(write=_update_units(sent["TableName"], sent, indexes))


def _delete(sent: Mapping[str, Any], _received: Mapping[str, Any], indexes: Indexes) -> Units:
    return Units(write=1.0 + len(indexes.get(sent["TableName"], ())))


def _batch_write(sent: Mapping[str, Any], _received: Mapping[str, Any], indexes: Indexes) -> Units:
    units = 0.0
    for table, requests in sent["RequestItems"].items():
        for request in requests:
            put = request.get("PutRequest")
            units += _put_units(table, put["Item"], indexes) if put else 1.0 + len(indexes.get(table, ()))
    return Units(write=units)


def _transaction(sent: Mapping[str, Any], _received: Mapping[str, Any], indexes: Indexes) -> Units:
    units = 0.0
    for action in sent["TransactItems"]:
        kind, request = next(iter(action.items()))
        table = request["TableName"]
        match kind:
            case "Put":
                base = _write_units(size_of(request["Item"]))
                units += base + _put_units(table, request["Item"], indexes)
            case "Update":
                units += 1.0 + _update_units(table, request, indexes)
            case _:  # Delete, ConditionCheck
                units += 2.0
    return Units(write=units)


def _get(sent: Mapping[str, Any], received: Mapping[str, Any], _indexes: Indexes) -> Units:
    return Units(read=_read_units(size_of(received.get("Item") or {}), bool(sent.get("ConsistentRead"))))


def _query(sent: Mapping[str, Any], received: Mapping[str, Any], _indexes: Indexes) -> Units:
    size = sum(size_of(item) for item in received.get("Items", ()))
    return Units(read=_read_units(size, bool(sent.get("ConsistentRead"))))


def _batch_get(sent: Mapping[str, Any], received: Mapping[str, Any], _indexes: Indexes) -> Units:
    units = 0.0
    for table, request in sent["RequestItems"].items():
        consistent = bool(request.get("ConsistentRead"))
        found = received.get("Responses", {}).get(table, ())
        units += sum(_read_units(size_of(item), consistent) for item in found)
        units += max(0, len(request["Keys"]) - len(found)) * _read_units(0, consistent)
    return Units(read=units)


RULES: Final[dict[str, Callable[[Mapping[str, Any], Mapping[str, Any], Indexes], Units]]] = {
    "PutItem": _put,
    "UpdateItem": _update,
    "DeleteItem": _delete,
    "BatchWriteItem": _batch_write,
    "TransactWriteItems": _transaction,
    "GetItem": _get,
    "Query": _query,
    "Scan": _query,
    "BatchGetItem": _batch_get,
}
