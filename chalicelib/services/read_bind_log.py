"""Read the bind log: sessions on both sides of the bridge as they came, were refused and went, newest first."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.bind_event import BindEvent, BindKind, Side, party_of
from chalicelib.domain.utc_days import end_ms, midnight_ms
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.read_messages import Span
from chalicelib.store import binds

_MAX_READS: Final = 40  # days without any, and events of another kind, cost a read and give nothing


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; None is anything. A `name` is of a `side`."""

    side: Side | None = None
    name: str | None = None
    kind: BindKind | None = None
    account: str | None = None

    def fits(self, event: BindEvent) -> bool:
        asked = (
            (self.side, event.side),
            (self.name, event.name),
            (self.kind, event.kind),
            (self.account, event.account),
        )
        return all(want is None or want == has for want, has in asked)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log goes on: before that event; in that day's log, where all parties' are read."""

    before: str
    day: str = ""


def check(wanted: Wanted) -> Wanted:
    """Itself. Raises Fault `invalid_request` where it does not say whose name it names."""
    if wanted.name is not None and wanted.side is None:
        raise invalid_field("side", "missing", "say whether it is a gateway's name, or a customer's")
    return wanted


def read(wanted: Wanted, days: Span, position: Any, limit: int) -> tuple[list[BindEvent], Position | None]:
    """Up to `limit` events of the UTC days, and where to go on (None: that was all). `position`: None, or from before.

    Raises Fault `invalid_cursor`.
    """
    newest = ids.floor_at(end_ms(days.last))
    at = Position(before=newest, day=days.last.isoformat()) if position is None else _position(position)
    found: list[BindEvent] = []
    step: Position | None = at
    for _ in range(_MAX_READS):
        if step is None or len(found) >= limit:
            break
        at = step
        some = _some(wanted, days, at, limit)
        step = _after(wanted, days, at, some, limit)
        for event in some:
            if len(found) == limit:
                return found, msgspec.structs.replace(at, before=found[-1].id)
            if wanted.fits(event):
                found.append(event)
    return found, step


def _some(wanted: Wanted, days: Span, at: Position, limit: int) -> list[BindEvent]:
    if wanted.side is not None and wanted.name is not None:
        return binds.of_party(party_of(wanted.side, wanted.name), midnight_ms(days.first), at.before, limit)
    return binds.of_day(at.day, at.before, limit)


def _after(wanted: Wanted, days: Span, at: Position, some: list[BindEvent], limit: int) -> Position | None:
    """Behind these; where there were no more, the day before."""
    if len(some) == limit:
        return msgspec.structs.replace(at, before=some[-1].id)
    if wanted.name is not None or at.day <= days.first.isoformat():
        return None
    day = date.fromisoformat(at.day) - timedelta(days=1)
    return Position(before=ids.floor_at(end_ms(day)), day=day.isoformat())


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
