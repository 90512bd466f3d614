"""API keys: found by their id, kept without their secret."""

from collections.abc import Callable
from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain.account import ApiKey
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import Rows, RowTable

_ATTEMPTS: Final = 5


class ByAccount(GlobalSecondaryIndex["ApiKeyTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class ApiKeyTable(RowTable):
    class Meta:
        suffix = "api_keys"

    account = UnicodeAttribute(null=True)  # none on an administrator's key
    by_account = ByAccount()


_rows: Final = Rows(ApiKeyTable, ApiKey, lambda key: key.id)


def create(key: ApiKey) -> bool:
    """False where the id is taken."""
    item = ApiKeyTable(key.id, body=msgspec.json.encode(key).decode(), version=1, account=key.account)
    try:
        item.save(condition=ApiKeyTable.id.does_not_exist())
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def get(id_: str) -> ApiKey | None:
    """The key (also a revoked one), or None."""
    row = _rows.get(id_)
    return row.value if row else None


_cached: Final[Cached[str, ApiKey]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(id_: str, now_ms: int) -> ApiKey | None:
    """The key, at most `account_cache_seconds` old: so long a revoked key may still work elsewhere."""
    return _cached.get(id_, now_ms)


def of_account(account: str) -> list[ApiKey]:
    """The account's keys, oldest first. A key made a moment ago may not be among them yet."""
    found = ApiKeyTable.by_account.query(account)
    return [msgspec.json.decode(item.body, type=ApiKey) for item in found]


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[ApiKey]:
    """Up to `limit` keys of everybody, in no particular order."""
    page = _rows.listing(cursor, limit)
    return Page(tuple(row.value for row in page.items), page.cursor)


def revoke(id_: str, now_ms: int) -> ApiKey | None:
    """The key, revoked (at the first time it was asked), or None where there is none."""
    return change(id_, lambda key: msgspec.structs.replace(key, revoked_ms=key.revoked_ms or now_ms))


def change(id_: str, changed: Callable[[ApiKey], ApiKey]) -> ApiKey | None:
    """The key as `changed` makes it of what it is, or None where there is none. Raises dynamo.Overloaded."""
    for _ in range(_ATTEMPTS):
        row = _rows.get(id_, consistent=True)
        if row is None:
            return None
        key = changed(row.value)
        if key == row.value or _rows.put(key, expected=row.version):
            _cached.forget(id_)
            return key
    raise dynamo.Overloaded(f"key {id_} kept changing")
