"""Lines of prices and of costs as administrators write and read them, and the files that they come in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Country, Version
from chalicelib.api.amounts import Price
from chalicelib.api.endpoints import CSV, CsvText, Reply
from chalicelib.api.instants import instant
from chalicelib.domain.tariff import ALWAYS_MS, TariffLine
from chalicelib.services.faults import invalid_field
from chalicelib.services.import_prices import Form, export_csv, ms_of
from chalicelib.services.keep_tariffs import Taken

MAX_IMPORT_BYTES: Final = 1_000_000  # the longest tariff as JSON

OperatorName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern="^[^\\x00-\\x1f\\x7f#]+$(?!\\n)",
        description="As the numbering plan names it.",
    ),
]
EffectiveFrom = Annotated[
    datetime, Meta(tz=True, description="From when on: of messages that are made then or later. Null: always.")
]


class CostLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the operator asks for a part, from an instant on. Null for the operator: of all others in the country."""

    country: Country
    operator: OperatorName | None = None
    cost: Price
    effective_from: EffectiveFrom | None = None


class PriceLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a part is sold at, from an instant on. Null for the operator: to all others in the country."""

    country: Country
    operator: OperatorName | None = None
    price: Price
    effective_from: EffectiveFrom | None = None
    below_cost: Annotated[bool, Meta(description="It may lie below cost: else such a price is refused.")] = False


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to take lines in."""

    replace: Annotated[bool, Meta(description="In place of all lines. Else over those of the same instant.")] = False


class TakenView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the lines that were given."""

    version: Version
    lines: Annotated[int, Meta(description="How many there are by now.")]
    unknown_operators: Annotated[
        tuple[str, ...], Meta(description="That no line of the numbering plan in force has: no message is theirs.")
    ]


def taken(told: Taken) -> TakenView:
    """As it is answered."""
    return TakenView(version=told.version, lines=told.lines, unknown_operators=told.unknown_operators)


def price_lines(lines: Sequence[TariffLine]) -> tuple[PriceLine, ...]:
    """The lines of a rate plan, as they are read."""
    return tuple(PriceLine(price=Price(line.amount_micros), below_cost=line.below_cost, **_of(line)) for line in lines)


def cost_lines(lines: Sequence[TariffLine]) -> tuple[CostLine, ...]:
    """The lines of a gateway's costs, as they are read."""
    return tuple(CostLine(cost=Price(line.amount_micros), **_of(line)) for line in lines)


def tariff_lines(given: Sequence[PriceLine | CostLine]) -> list[TariffLine]:
    """The lines as they are kept. Raises Fault `invalid_request` for instants out of range."""
    return [_line(line, f"/{place}/effective_from") for place, line in enumerate(given)]


def instant_of(given: datetime, field: str) -> int:
    """Epoch milliseconds of an instant in a request. Raises Fault `invalid_request` where that is out of range."""
    try:
        return ms_of(given)
    except ValueError:
        raise invalid_field(field, "out_of_range", "an instant from 1970 to 9999") from None


def file(lines: Sequence[TariffLine], form: Form, name: str) -> Reply[CsvText]:
    """The lines as a file to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Reply(CsvText(export_csv(lines, form)), content_type=f"{CSV}; charset=utf-8", headers=headers)


def _of(line: TariffLine) -> dict[str, Any]:
    begins = None if line.from_ms == ALWAYS_MS else instant(line.from_ms)
    return {"country": line.country, "operator": line.operator, "effective_from": begins}


def _line(given: PriceLine | CostLine, field: str) -> TariffLine:
    begins = given.effective_from
    amount = given.price if isinstance(given, PriceLine) else given.cost
    return TariffLine(
        country=given.country,
        operator=given.operator,
        amount_micros=amount.micros,
        from_ms=ALWAYS_MS if begins is None else instant_of(begins, field),
        below_cost=isinstance(given, PriceLine) and given.below_cost,
    )
