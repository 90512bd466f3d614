"""Customers' bound sessions: which of a login's places are taken, by whom, on which bridge, and what they carry.

A place is a row that its session renews at each beat; one that was not renewed for GONE_SECONDS is free. Bridges
compare clocks here, as they do not for gateways' leases: a limit that is one session off for a moment does no harm.
A session costs a write unit a beat, some 0.3 $ a month.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.domain.smpp_login import EsmeSession, Traffic
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

BEAT_SECONDS: Final = 10.0  # how often a session is renewed: so long it may take until it does what it is asked to
GONE_SECONDS: Final = 35.0  # three beats that failed, and a little
_KEPT_SECONDS: Final = 86_400  # after which TTL sweeps up what a bridge that died has left


class EsmeSessionTable(dynamo.Table):
    class Meta:
        suffix = "esme_sessions"

    system_id = UnicodeAttribute(hash_key=True)
    slot = NumberAttribute(range_key=True)
    session = UnicodeAttribute()
    body = UnicodeAttribute()
    traffic = UnicodeAttribute(null=True)
    beat_ms = NumberAttribute()
    unbind = BooleanAttribute(null=True)
    expires = NumberAttribute()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A session in its place, as it was at its last beat."""

    slot: int
    session: EsmeSession
    traffic: Traffic
    beat_ms: int
    unbind_asked: bool


def take(session: EsmeSession, max_sessions: int, now_ms: int) -> int | None:
    """The number of the login's place (0 … max_sessions - 1) that is this session's now; None where all are taken.

    Done again for the same session, it is the same place.
    """
    rows = list(EsmeSessionTable.query(session.system_id, consistent_read=True))
    again = next((row for row in rows if row.session == session.id), None)
    if again is not None:
        return int(again.slot)
    taken = {int(row.slot) for row in rows if _lives(row, now_ms)}
    for slot in range(max_sessions):
        if slot not in taken and _put(session, slot, now_ms):
            return slot
    return None


def beat(session: EsmeSession, slot: int, traffic: Traffic, now_ms: int) -> bool:
    """Renew the place. True: it is to unbind, as an administrator asks, or because the place is another's by now."""
    row = EsmeSessionTable(session.system_id, slot)
    renewed: list[Action] = [
        EsmeSessionTable.beat_ms.set(now_ms),
        EsmeSessionTable.traffic.set(msgspec.json.encode(traffic).decode()),
        EsmeSessionTable.expires.set(_expires(now_ms)),
    ]
    try:
        row.update(renewed, condition=EsmeSessionTable.session == session.id)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return True
        raise
    return bool(row.unbind)  # PynamoDB reads the row as it is after the update


def release(session: EsmeSession, slot: int) -> None:
    """Let go of the place; nothing where it is another's."""
    try:
        EsmeSessionTable(session.system_id, slot).delete(condition=EsmeSessionTable.session == session.id)
    except DeleteError as error:
        if not dynamo.condition_failed(error):
            raise


def of_login(system_id: str, now_ms: int) -> list[Held]:
    """The login's bound sessions by place."""
    return list(_living(EsmeSessionTable.query(system_id, consistent_read=True), now_ms))


def listing(now_ms: int, cursor: Cursor | None = None, limit: int = 100) -> Page[Held]:
    """Up to `limit` bound sessions of everybody, in no particular order; a page may be short and not the last."""
    found = EsmeSessionTable.scan(limit=limit, last_evaluated_key=cursor)
    return Page(tuple(_living(found, now_ms)), found.last_evaluated_key)


def ask_unbind(held: Held) -> bool:
    """Have the session unbound at its next beat. False where it is gone already."""
    asked: list[Action] = [EsmeSessionTable.unbind.set(True)]
    try:
        EsmeSessionTable(held.session.system_id, held.slot).update(
            asked, condition=EsmeSessionTable.session == held.session.id
        )
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _put(session: EsmeSession, slot: int, now_ms: int) -> bool:
    row = EsmeSessionTable(
        session.system_id,
        slot,
        session=session.id,
        body=msgspec.json.encode(session).decode(),
        beat_ms=now_ms,
        expires=_expires(now_ms),
    )
    free = EsmeSessionTable.system_id.does_not_exist() | (EsmeSessionTable.beat_ms < _gone_before(now_ms))
    try:
        row.save(condition=free)
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _living(rows: Any, now_ms: int) -> Iterator[Held]:
    for row in rows:
        if _lives(row, now_ms):
            yield Held(
                slot=int(row.slot),
                session=msgspec.json.decode(row.body, type=EsmeSession),
                traffic=msgspec.json.decode(row.traffic or "{}", type=Traffic),
                beat_ms=int(row.beat_ms),
                unbind_asked=bool(row.unbind),
            )


def _lives(row: EsmeSessionTable, now_ms: int) -> bool:
    return int(row.beat_ms) >= _gone_before(now_ms)


def _gone_before(now_ms: int) -> int:
    return now_ms - int(GONE_SECONDS * 1000)


def _expires(now_ms: int) -> int:
    return now_ms // 1000 + _KEPT_SECONDS
