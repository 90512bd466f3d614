"""DynamoDB's reading side on SQLite, for benchmarks that need millions of items: none of the emulators holds so many.

Tables and indexes are B-trees, as there; a page of a query ends at its limit or at a megabyte. What is written is put
in whole, without DynamoDB's calls. It counts the calls that PynamoDB makes, and the read units by the rules of AWS.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pynamodb.connection import Connection

from infra.local import capacity

PAGE_BYTES: Final = 1_048_576
_CLAUSE: Final = re.compile(
    r"(?P<name>#\d+) (?:(?P<between>BETWEEN) (?P<low>:\d+) AND (?P<high>:\d+)|(?P<sign>[=<>]+) (?P<value>:\d+))"
    r"|begins_with \((?P<prefixed>#\d+), (?P<prefix>:\d+)\)"
)
Item = dict[str, dict[str, Any]]


class SqliteTables:
    """The tables in a file, or in memory. Rows are (hash key, range key, the item as JSON)."""

    def __init__(self, path: str = ":memory:") -> None:
        self._file = sqlite3.connect(path)
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._ranges: dict[str, str] = {}
        self.calls = Counter[str]()
        self.read_units = 0.0

    def create(self, name: str, range_name: str) -> None:
        """A table, or an index of one ('table/index')."""
        self._ranges[name] = range_name
        self._file.execute(f'CREATE TABLE "{name}" (h TEXT, r TEXT, item TEXT, PRIMARY KEY (h, r)) WITHOUT ROWID')

    def put(self, name: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Write the rows, over what stands there."""
        self._file.executemany(f'INSERT OR REPLACE INTO "{name}" VALUES (?, ?, ?)', rows)  # noqa: S608 - our own names

    def count(self, name: str) -> int:
        return int(self._file.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - the same

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Instead of DynamoDB, in this process."""
        there: Any = Connection
        dispatch = there.dispatch
        there.dispatch = lambda _connection, operation, asked: self._answer(operation, asked)
        try:
            yield
        finally:
            there.dispatch = dispatch

    def forget_counts(self) -> None:
        self.calls.clear()
        self.read_units = 0.0

    def _answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.calls[operation] += 1
        told: dict[str, Any] = self._query(asked) if operation == "Query" else self._get(asked)
        self.read_units += capacity.units_of(operation, asked, told, {}).read
        return told

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        (key,) = (value["S"] for value in asked["Key"].values())
        found = self._file.execute(f'SELECT item FROM "{asked["TableName"]}" WHERE h = ?', (key,)).fetchone()  # noqa: S608 - the same
        return {"Item": json.loads(found[0])} if found else {}

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = "/".join(part for part in (asked["TableName"], asked.get("IndexName")) if part)
        values = {key: value["S"] for key, value in asked["ExpressionAttributeValues"].items()}
        hash_key, low, high = "", "", "\U0010ffff"
        for found in _CLAUSE.finditer(asked["KeyConditionExpression"]):
            if found["between"]:
                low, high = values[found["low"]], values[found["high"]]
            elif found["prefix"]:
                low, high = values[found["prefix"]], values[found["prefix"]] + "\U0010ffff"
            elif found["sign"] == "=":
                hash_key = values[found["value"]]
            else:
                raise NotImplementedError(asked["KeyConditionExpression"])
        forward = asked.get("ScanIndexForward", True)
        after = asked.get("ExclusiveStartKey", {}).get(self._ranges[name], {}).get("S")
        sql = f'SELECT r, item FROM "{name}" WHERE h = ? AND r BETWEEN ? AND ?'  # noqa: S608 - the same
        given = [hash_key, low, high]
        if after is not None:
            sql += " AND r > ?" if forward else " AND r < ?"
            given.append(after)
        rows = self._file.execute(f"{sql} ORDER BY r {'ASC' if forward else 'DESC'}", given)
        return self._page(rows, self._ranges[name], asked.get("Limit"))

    def _page(self, rows: Iterable[tuple[str, str]], range_name: str, limit: int | None) -> dict[str, Any]:
        items: list[Item] = []
        size = 0
        for place, raw in rows:
            item: Item = json.loads(raw)
            items.append(item)
            size += capacity.size_of(item)
            if len(items) == limit or size >= PAGE_BYTES:
                return _told(items) | {"LastEvaluatedKey": {range_name: {"S": place}}}
        return _told(items)


def _told(items: list[Item]) -> dict[str, Any]:
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}
