"""What keeps moto's pace with much in it: calls that walked or copied all that it holds no longer do."""

import copy
import time
from collections.abc import Callable, Sequence
from functools import cache, wraps
from threading import local
from typing import Any, Final, NamedTuple

from infra.local import moto_writes

_INDEX_NAME: Final = 6  # its place among the arguments of moto's query, after the hash key
_GROUP_SECONDS: Final = 0.05


def keep() -> None:
    """Change moto in this process."""
    read_one_partition_a_query()
    undo_only_what_a_transaction_touched()
    _count_a_queue_only_when_asked()
    _pause_while_a_group_is_in_hands()
    _keep_what_is_sent_while_something_is_deleted()
    answer_sooner()
    moto_writes.write_sooner()


def read_one_partition_a_query() -> None:
    """moto sorts the whole table for a query, however small its partition: a tenth of a second at 10,000 items.

    Twice changes nothing.
    """
    from moto.dynamodb.models import table as module  # noqa: PLC0415 - the other backend's environment has no moto

    table: Any = module.Table
    query, all_items, asked = table.query, table.all_items, local()
    if hasattr(query, "__wrapped__"):
        return

    @wraps(query)
    def query_alone(self: Any, hash_key: Any, *given: Any, **named: Any) -> Any:
        has_index = named.get("index_name") or any(given[_INDEX_NAME : _INDEX_NAME + 1])
        asked.partition = None if has_index else hash_key
        try:
            return query(self, hash_key, *given, **named)
        finally:
            asked.partition = None

    def items_asked(self: Any) -> Any:
        partition = getattr(asked, "partition", None)
        if partition is None:
            return all_items(self)
        rows = self.items.get(partition, {})
        return list(rows.values()) if isinstance(rows, dict) else [rows]  # without a range key there is one

    table.query, table.all_items = query_alone, items_asked


class _Before(NamedTuple):
    """An item's place, and what stood there."""

    table: Any
    partition: Any
    row: Any  # None in a table without range keys
    item: Any


def undo_only_what_a_transaction_touched() -> None:
    """moto copies the tables of a transaction to restore them if it fails: a second at 10,000 items.

    Twice changes nothing.
    """
    from moto.dynamodb import models  # noqa: PLC0415 - the other backend's environment has no moto
    from moto.dynamodb.models import table as module  # noqa: PLC0415 - the same

    backend: Any = models.DynamoDBBackend
    table: Any = module.Table
    transact, under_way = backend.transact_write_items, local()
    if hasattr(transact, "__wrapped__"):
        return

    @wraps(transact)
    def transact_alone(self: Any, operations: Sequence[dict[str, Any]]) -> None:
        named = [op for one in operations for op in one.values() if op.get("TableName") in self.tables]
        before = [_standing(self.tables[op["TableName"]], op) for op in named]
        under_way.now = True
        try:
            transact(self, operations)
        except Exception:
            for place in before:
                _restore(place)
            raise
        finally:
            under_way.now = False

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        if getattr(under_way, "now", False):
            return self
        made = memo[id(self)] = object.__new__(type(self))
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    backend.transact_write_items, table.__deepcopy__ = transact_alone, copied


def _standing(table: Any, operation: dict[str, Any]) -> _Before:
    from moto.dynamodb.models.dynamo_type import DynamoType  # noqa: PLC0415 - the other backend has no moto

    key = operation.get("Key") or operation["Item"]
    partition = DynamoType(key[table.hash_key_attr])
    row = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
    return _Before(table, partition, row, copy.deepcopy(table.get_item(partition, row)))


def _restore(place: _Before) -> None:
    rows, name = place.table.items, place.partition
    if place.row is not None:
        rows, name = rows[place.partition], place.row
    if place.item is None:
        rows.pop(name, None)
    else:
        rows[name] = place.item


def _count_a_queue_only_when_asked() -> None:
    """moto counts a queue's records several times for each that is sent or received: 10 ms with a thousand there."""
    from moto.sqs import models  # noqa: PLC0415 - the other backend's environment has no moto

    queue: Any = models.Queue
    backend: Any = models.SQSBackend
    attributes, sending = queue.attributes, local()

    def without_counts(send: Callable[..., Any]) -> Callable[..., Any]:
        def send_without(*given: Any, **named: Any) -> Any:
            sending.depth = getattr(sending, "depth", 0) + 1
            try:
                return send(*given, **named)
            finally:
                sending.depth -= 1

        return send_without

    def attributes_asked(self: Any) -> Any:
        if not getattr(sending, "depth", 0):
            return attributes.fget(self)
        by_content = str(getattr(self, "content_based_deduplication", False)).lower()
        return {"ContentBasedDeduplication": by_content} if self.fifo_queue else {}

    def is_kept(self: Any, name: str, message: Any) -> bool:
        kept_seconds: int = self.get_queue(name).message_retention_period
        return bool(message.sent_timestamp / 1000 + kept_seconds > time.time())

    queue.attributes = property(attributes_asked)
    backend.is_message_valid_based_on_retention_period = is_kept
    module: Any = models
    module.unix_time, module.unix_time_millis = time.time, _millis  # moto's go by way of a calendar
    backend.send_message = without_counts(backend.send_message)
    backend.send_message_batch = without_counts(backend.send_message_batch)


def _pause_while_a_group_is_in_hands() -> None:
    """moto asks a FIFO queue over and over while somebody holds its group: each who waits takes a core."""
    from moto.sqs import models  # noqa: PLC0415 - the other backend's environment has no moto

    queue: Any = models.Queue
    wait_for_messages = queue.wait_for_messages

    def wait(self: Any, timeout: int) -> None:
        if self.fifo_queue and self.messages:
            time.sleep(_GROUP_SECONDS)
        else:
            wait_for_messages(self, timeout)

    queue.wait_for_messages = wait


def _keep_what_is_sent_while_something_is_deleted() -> None:
    """moto deletes a record by a new list of all others: what another thread sends meanwhile is in the old one."""
    from moto.sqs import models  # noqa: PLC0415 - the other backend's environment has no moto

    queue: Any = models.Queue
    delete = queue.delete_message

    def delete_alone(self: Any, receipt_handle: str) -> None:
        with self._messages_lock:  # which whoever sends takes, too
            delete(self, receipt_handle)

    queue.delete_message = delete_alone


def answer_sooner() -> None:
    """Have moto not find out again with each call what it knows: in the tests, too. Twice changes nothing."""
    _find_a_field_by_its_own_name()
    _remember_names()


def _remember_names() -> None:
    """moto lists the methods of a class for each call, and spells a queue's attributes anew at each look."""
    from moto.core import responses  # noqa: PLC0415 - the other backend's environment has no moto
    from moto.sqs import models  # noqa: PLC0415 - the same

    for module, name in (
        (responses, "method_names_from_class"),
        (responses, "camelcase_to_underscores"),
        (models, "camelcase_to_underscores"),
    ):
        plain = getattr(module, name)
        if not hasattr(plain, "__wrapped__"):
            setattr(module, name, cache(plain))


def _find_a_field_by_its_own_name() -> None:
    """moto looks for each field of an answer under every name that it might have: half of the time of a query."""
    from moto.core import serialize  # noqa: PLC0415 - the other backend's environment has no moto

    serializer: Any = serialize.ResponseSerializer
    get_value = serializer.get_value
    if hasattr(get_value, "__wrapped__"):
        return

    @wraps(get_value)
    def get_plain_value(self: Any, value: Any, key: str, shape: Any) -> Any:
        if type(value) is dict and not self._value_picker.response_transformers:
            if key in value:
                return value[key]
            if value.keys() <= shape.parent.members.keys():
                return None  # all that is in it is under names of its own
        return get_value(self, value, key, shape)

    serializer.get_value = get_plain_value


def _millis() -> float:
    return time.time() * 1000
