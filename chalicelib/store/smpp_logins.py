"""SMPP logins: found by their system id, kept without their password."""

from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import Row, Rows, RowTable


class ByAccount(GlobalSecondaryIndex["SmppLoginTable"]):  # type: ignore[no-untyped-call]  # PynamoDB: unannotated
    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class SmppLoginTable(RowTable):
    class Meta:
        suffix = "smpp_logins"

    account = UnicodeAttribute()
    by_account = ByAccount()


_rows: Final = Rows(SmppLoginTable, SmppLogin, lambda login: login.system_id)


def create(login: SmppLogin) -> bool:
    """False where the system id is taken, also by a closed login."""
    body = msgspec.json.encode(login).decode()
    item = SmppLoginTable(login.system_id, body=body, version=1, account=login.account)
    try:
        item.save(condition=SmppLoginTable.id.does_not_exist())
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def get(system_id: str) -> SmppLogin | None:
    """The login (also a suspended or closed one), or None."""
    row = _rows.get(system_id)
    return row.value if row else None


def versioned(system_id: str) -> Row[SmppLogin] | None:
    """The login as it is this moment, with the version that `change` wants."""
    return _rows.get(system_id, consistent=True)


_cached: Final[Cached[str, SmppLogin]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(system_id: str, now_ms: int) -> SmppLogin | None:
    """The login, at most `account_cache_seconds` old: so long an old password may still bind elsewhere."""
    return _cached.get(system_id, now_ms)


def change(expected_version: int, login: SmppLogin) -> bool:
    """Write the login over that version. False where somebody else changed it since. It keeps its account."""
    changed = _rows.put(login, expected=expected_version)
    _cached.forget(login.system_id)
    return changed


def of_account(account: str) -> list[Row[SmppLogin]]:
    """The account's logins by system id, closed ones too. One made a moment ago may not be among them yet."""
    found = SmppLoginTable.by_account.query(account)
    return [Row(msgspec.json.decode(item.body, type=SmppLogin), int(item.version)) for item in found]


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[Row[SmppLogin]]:
    """Up to `limit` logins of everybody, in no particular order."""
    return _rows.listing(cursor, limit)
