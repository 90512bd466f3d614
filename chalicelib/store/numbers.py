"""Numbers and short codes that people write to, and whose they are."""

from typing import Final

import msgspec

from chalicelib.domain.inbound import InboundNumber, ids_of
from chalicelib.settings import settings
from chalicelib.store.cached import Cached
from chalicelib.store.rows import Rows, RowTable


class NumberTable(RowTable):
    class Meta:
        suffix = "numbers"


rows: Final = Rows(NumberTable, InboundNumber, lambda number: number.id)


class _Looked(msgspec.Struct, frozen=True):
    """What a look brought: that there is none is remembered too."""

    number: InboundNumber | None


def _look(id_: str) -> _Looked:
    row = rows.get(id_)
    return _Looked(row.value if row else None)


_cached: Final[Cached[str, _Looked]] = Cached(_look, lambda: settings().account_cache_seconds)


def find(number: str, gateway: str, now_ms: int) -> InboundNumber | None:
    """The number as it is kept for the gateway, else for all; at most `account_cache_seconds` old."""
    for id_ in ids_of(number, gateway):
        looked = _cached.get(id_, now_ms)
        if looked is not None and looked.number is not None:
            return looked.number
    return None
