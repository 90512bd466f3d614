"""Sessions: found by their id, kept without their secret; one that was revoked is gone."""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain.session import Session
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.rows import Row, Rows, RowTable


class ByHolder(GlobalSecondaryIndex["SessionTable"]):  # type: ignore[no-untyped-call]  # PynamoDB: unannotated
    class Meta:
        index_name = "by_holder"
        projection = AllProjection()

    holder = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class SessionTable(RowTable):
    class Meta:
        suffix = "sessions"

    holder = UnicodeAttribute()
    expires = NumberAttribute()  # epoch seconds, for DynamoDB's time to live
    by_holder = ByHolder()


_rows: Final = Rows(SessionTable, Session, lambda session: session.id)


def create(session: Session, expires_ms: int) -> bool:
    """Keep the session until then. False where the id is taken."""
    item = SessionTable(
        session.id,
        body=msgspec.json.encode(session).decode(),
        version=1,
        holder=session.holder,
        expires=expires_ms // 1000,
    )
    try:
        item.save(condition=SessionTable.id.does_not_exist())
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def get(id_: str) -> Row[Session] | None:
    """The session as it is this moment, or None."""
    return _rows.get(id_, consistent=True)


_cached: Final[Cached[str, Row[Session]]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(id_: str, now_ms: int) -> Row[Session] | None:
    """The session, at most `account_cache_seconds` old: so long a revoked one may still work elsewhere."""
    return _cached.get(id_, now_ms)


def change(expected_version: int, session: Session) -> bool:
    """Write the session over that version. False where it was changed or revoked since: nothing brings it back."""
    changed = _rows.put(session, expected=expected_version)
    _cached.forget(session.id)
    return changed


def revoke(id_: str) -> bool:
    """Forget the session. False where there was none."""
    gone = _rows.delete(id_)
    _cached.forget(id_)
    return gone


def revoke_all(ids: Iterable[str]) -> None:
    """Forget the sessions, there or not."""
    gone = list(ids)
    dynamo.delete_all(SessionTable(id_) for id_ in gone)
    for id_ in gone:
        _cached.forget(id_)


def of_holder(holder: str) -> list[Session]:
    """The sessions of a user (or of an administrator's key that impersonates), oldest first.

    One begun a moment ago may be missing yet, and one that is over may be there still.
    """
    found = SessionTable.by_holder.query(holder)
    return [msgspec.json.decode(item.body, type=Session) for item in found]
