"""Rows of reports as cells of a file: amounts as decimal strings, instants in UTC, counts by name. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from chalicelib.domain.money import format_amount

_MICROS: Final = "_micros"
_MS: Final = "_ms"


def columns(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The columns of such rows: their fields without units, an instant as `…_at`."""
    return tuple(column(name) for name in kind.__struct_fields__)


def cells(row: msgspec.Struct) -> tuple[str, ...]:
    """The row's cells, in that order."""
    return tuple(_cell(name, getattr(row, name)) for name in row.__struct_fields__)


def column(name: str) -> str:
    """What a field is told as: without its unit, an instant as `…_at`, and `at_ms` as `at`."""
    if not name.endswith(_MS):
        return name.removesuffix(_MICROS)
    return f"{name.removesuffix(_MS)}_at".removeprefix("at_")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name.endswith(_MICROS):
        return format_amount(value)
    if name.endswith(_MS):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key} {count}" for key, count in value.items())
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return str(value)
