"""Instants as the API tells them: RFC 3339 with Z."""

from datetime import UTC, datetime
from typing import overload


@overload
def instant(at_ms: int) -> datetime: ...
@overload
def instant(at_ms: int | None) -> datetime | None: ...
def instant(at_ms: int | None) -> datetime | None:
    """Epoch milliseconds as what msgspec writes as RFC 3339 with Z; None of none."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)
