"""PynamoDB on one shared client: tables named by the settings at first use, batches and transactions with bounded
retries."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from threading import Lock
from typing import Any, Final, TypeVar, cast

from pynamodb.connection import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import CancellationReason, PynamoDBException, TransactWriteError
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.settings import settings
from chalicelib.store import aws

BATCH_PUT: Final = 25  # BatchWriteItem's limit
BATCH_GET: Final = 100  # BatchGetItem's limit
TRANSACTION_ITEMS: Final = 100  # TransactWriteItems' limit
_ATTEMPTS: Final = 8  # with the pauses below at most about 3 s, well within a function's timeout
_PAUSE_SECONDS: Final = 0.025
_MAX_PAUSE_SECONDS: Final = 0.8
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CONFLICT: Final = "TransactionConflictException"
# Reasons for which a canceled transaction is worth doing again as it stands.
_PASSING: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_lock: Final = Lock()


class Overloaded(Exception):
    """DynamoDB kept turning a request away; doing it again later is safe and right."""


@cache
def connection() -> Connection:
    """The process's one DynamoDB connection, which all models and transactions share."""
    shared = Connection()
    shared._client = cast(Any, aws.client("dynamodb"))
    return shared


class Table(Model):
    """Base of all models. A subclass's Meta gives `suffix`, the table's name after the stage's prefix."""

    class Meta:
        suffix = ""
        table_name = ""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        """One botocore client for every table: PynamoDB would make one each, at some 50 ms of a cold start."""
        name = f"{settings().prefix}-{cast(Any, cls).Meta.suffix}"
        table = cls._connection
        if table is not None and table.table_name == name and table.connection is connection():
            return table
        with _lock:
            cast(Any, cls).Meta.table_name = name
            table = super()._get_connection()
            shared = connection()
            if name not in shared._tables:
                shared.add_meta_table(table.get_meta_table())
            table.connection = shared
        return table


_T = TypeVar("_T", bound=Table)


def condition_failed(error: PynamoDBException) -> bool:
    """Whether a single write was refused by its own condition."""
    return error.cause_response_code == _CONDITION_FAILED


def in_transaction(error: PynamoDBException) -> bool:
    """Whether a single write was refused because a transaction was changing its item."""
    return error.cause_response_code == _CONFLICT


def put_all(models: Iterable[Table]) -> None:
    """Write the items, 25 a request, in no order; an item given twice is written once. All of one table.

    Raises Overloaded where some stay unprocessed.
    """
    unique = {tuple(map(str, model._get_hash_range_key_serialized_values())): model for model in models}
    items = list(unique.values())
    for start in range(0, len(items), BATCH_PUT):
        _put_batch(items[start : start + BATCH_PUT])


def _put_batch(models: Sequence[Table]) -> None:
    table = models[0]._get_connection()
    left: list[dict[str, Any]] = [model.serialize() for model in models]
    for attempt in range(_ATTEMPTS):
        answer = table.batch_write_item(put_items=left)
        unprocessed = answer.get("UnprocessedItems", {}).get(table.table_name, [])
        if not unprocessed:
            return
        left = [request["PutRequest"]["Item"] for request in unprocessed]
        _pause(attempt)
    raise Overloaded(f"{len(left)} items of {table.table_name} stayed unprocessed")


def delete_all(models: Iterable[Table]) -> None:
    """Delete the items, 25 a request, there or not. All of one table. Raises Overloaded where some stay unprocessed."""
    items = list(models)
    for start in range(0, len(items), BATCH_PUT):
        _delete_batch(items[start : start + BATCH_PUT])


def _delete_batch(models: Sequence[Table]) -> None:
    table = models[0]._get_connection()
    meta = table.get_meta_table()
    names = [name for name in (meta.hash_keyname, meta.range_keyname) if name]
    found = (model.serialize(null_check=False) for model in models)  # of which only the keys are known
    left: list[dict[str, Any]] = [{name: item[name] for name in names} for item in found]
    for attempt in range(_ATTEMPTS):
        answer = table.batch_write_item(delete_items=left)
        unprocessed = answer.get("UnprocessedItems", {}).get(table.table_name, [])
        if not unprocessed:
            return
        left = [request["DeleteRequest"]["Key"] for request in unprocessed]
        _pause(attempt)
    raise Overloaded(f"{len(left)} items of {table.table_name} stayed undeleted")


def get_all(model: type[_T], keys: Iterable[str], *, consistent: bool = False) -> list[_T]:
    """The items of a table without range keys that exist among `keys`, in no order, 100 a request.

    Raises Overloaded where some stay unread.
    """
    name = model._get_connection().get_meta_table().hash_keyname
    return _get_all(model, [{name: {"S": key}} for key in dict.fromkeys(keys)], consistent=consistent)


def get_pairs(model: type[_T], keys: Iterable[tuple[str, str]], *, consistent: bool = False) -> list[_T]:
    """The items of a table with range keys that exist among the pairs (hash, range); otherwise as `get_all`."""
    meta = model._get_connection().get_meta_table()
    names = meta.hash_keyname, meta.range_keyname
    pairs = [{str(names[0]): {"S": one}, str(names[1]): {"S": other}} for one, other in dict.fromkeys(keys)]
    return _get_all(model, pairs, consistent=consistent)


def _get_all(model: type[_T], keys: Sequence[Any], *, consistent: bool) -> list[_T]:
    found: list[_T] = []
    for start in range(0, len(keys), BATCH_GET):
        found += _get_batch(model, keys[start : start + BATCH_GET], consistent=consistent)
    return found


def _get_batch(model: type[_T], keys: Sequence[Any], *, consistent: bool) -> list[_T]:
    table = model._get_connection()
    left = keys
    found: list[_T] = []
    for attempt in range(_ATTEMPTS):
        answer = table.batch_get_item(keys=left, consistent_read=consistent)
        found += [model.from_raw_data(item) for item in answer.get("Responses", {}).get(table.table_name, [])]
        left = answer.get("UnprocessedKeys", {}).get(table.table_name, {}).get("Keys", [])
        if not left:
            return found
        _pause(attempt)
    raise Overloaded(f"{len(left)} items of {table.table_name} stayed unread")


def transact(build: Callable[[TransactWrite], None]) -> list[CancellationReason | None]:
    """Write what `build` puts into a transaction, all or nothing. Empty when it was written.

    Otherwise a condition did not hold: the reasons by item, in PynamoDB's order (condition checks, deletes, puts,
    updates), None for items that are not to blame. Conflicts and throttling are tried again, then raise Overloaded;
    any other failure raises TransactWriteError.
    """
    for attempt in range(_ATTEMPTS):
        try:
            with TransactWrite(connection=connection()) as transaction:
                build(transaction)
        except TransactWriteError as error:
            reasons = error.cancellation_reasons
            codes = {reason.code for reason in reasons if reason}
            if codes & _PASSING:
                _pause(attempt)
                continue
            if codes == {"ConditionalCheckFailed"}:
                return reasons
            raise
        return []
    raise Overloaded("the transaction met others each time")


def _pause(attempt: int) -> None:
    """Full jitter, so that those who collided do not collide again."""
    time.sleep(random.uniform(0, min(_MAX_PAUSE_SECONDS, _PAUSE_SECONDS * 2**attempt)))  # noqa: S311 - no secret
