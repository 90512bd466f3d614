"""Tables whose items are one struct each: a key, the struct as JSON, and a version that guards against lost changes."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.condition import Condition

from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

S = TypeVar("S", bound=msgspec.Struct)
MUST_BE_NEW: Final = 0  # as the expected version: the row must not be there yet


class RowTable(dynamo.Table):
    """Base of such tables' models; a subclass names its key's attribute."""

    id = UnicodeAttribute(hash_key=True)
    body = UnicodeAttribute()
    version = NumberAttribute()


class Row(msgspec.Struct, Generic[S], frozen=True):
    """A struct and the version that a change of it must name."""

    value: S
    version: int


class Rows(Generic[S]):
    """The rows of one table, as structs of one kind."""

    def __init__(self, model: type[RowTable], kind: type[S], key: Callable[[S], str]) -> None:
        self._model = model
        self._key = key
        self._decoder = msgspec.json.Decoder(kind)

    def get(self, key: str, *, consistent: bool = False) -> Row[S] | None:
        """The row, or None. A row just written may be missed unless `consistent`."""
        try:
            return self._row(self._model.get(key, consistent_read=consistent))
        except self._model.DoesNotExist:
            return None

    def put(self, value: S, *, expected: int | None = None) -> bool:
        """Write the row: whatever stands there, or only over version `expected` (MUST_BE_NEW: over nothing).

        False where it was another version.
        """
        model = self._model
        condition: Condition | None = None
        if expected == MUST_BE_NEW:
            condition = model.id.does_not_exist()
        elif expected is not None:
            condition = model.version == expected
        body = msgspec.json.encode(value).decode()
        try:
            model(self._key(value)).update([model.body.set(body), model.version.add(1)], condition=condition)
        except UpdateError as error:
            if dynamo.condition_failed(error):
                return False
            raise
        return True

    def put_many(self, values: Iterable[S]) -> None:
        """Write rows by the batch, over whatever stands there, as an import does. Raises dynamo.Overloaded."""
        dynamo.put_all(
            self._model(self._key(value), body=msgspec.json.encode(value).decode(), version=1) for value in values
        )

    def delete(self, key: str) -> bool:
        """False where there was none."""
        try:
            self._model(key).delete(condition=self._model.id.exists())
        except DeleteError as error:
            if dynamo.condition_failed(error):
                return False
            raise
        return True

    def listing(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Row[S]]:
        """Up to `limit` rows, in no particular order."""
        found = self._model.scan(limit=limit, last_evaluated_key=cursor)
        return Page(tuple(self._row(item) for item in found), found.last_evaluated_key)

    def everything(self) -> list[S]:
        """All rows, read consistently, ordered by key: what a snapshot is published from."""
        found = sorted(self._model.scan(consistent_read=True), key=lambda item: str(item.id))
        return [self._row(item).value for item in found]

    def _row(self, item: Any) -> Row[S]:
        return Row(self._decoder.decode(item.body), int(item.version))
