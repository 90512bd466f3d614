"""Erasures of numbers: how far each has got, and what it did."""

from typing import Final, Literal

import msgspec

from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import Row, Rows, RowTable

State = Literal["running", "waiting", "done"]


class Erasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number that is taken out of everywhere. `number` is there only until all is done, then '' (see `masked`)."""

    id: str
    number: str  # E.164 with +
    masked: str
    by: str  # who asked for it
    asked_ms: int
    account: str | None = None  # None: of all accounts
    state: State = "running"  # waiting: for what is still on its way, and for what may be done again
    looks: int = 0  # how often all places were gone through
    place: str = ""  # where it is now; '': at the first one
    cursor: str = ""
    did: dict[str, int] = {}  # what → how many
    on_their_way: int = 0  # messages that had not ended at the last look
    next_ms: int | None = None  # when it looks again
    ended_ms: int | None = None


class ErasureTable(RowTable):
    class Meta:
        suffix = "erasures"


_rows: Final = Rows(ErasureTable, Erasure, lambda erasure: erasure.id)


def get(id_: str) -> Row[Erasure] | None:
    """The erasure as it is this moment, with its version, or None."""
    return _rows.get(id_, consistent=True)


def put(erasure: Erasure, expected: int) -> bool:
    """Write the erasure over that version (rows.MUST_BE_NEW: over nothing). False where it was another."""
    return _rows.put(erasure, expected=expected)


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[Row[Erasure]]:
    """Up to `limit` erasures, in no particular order."""
    return _rows.listing(cursor, limit)
