"""Previews of prices as administrators ask for and read them."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.admin.tariffs import PriceLine
from chalicelib.api.admin.types import AccountId
from chalicelib.api.amounts import Amount, Price
from chalicelib.api.instants import instant
from chalicelib.services.preview_prices import Preview, PreviewLine


class PreviewQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose traffic to look at, and by which prices."""

    account: Annotated[AccountId, Meta(description="It need not have the plan yet.")]
    prices: (
        Annotated[tuple[PriceLine, ...], Meta(description="Taken into the plan as an import would. Null: as it is.")]
        | None
    ) = None
    replace: Annotated[bool, Meta(description="`prices` stand in place of all of the plan's.")] = False
    at: Annotated[datetime, Meta(tz=True, description="The prices of then. Null: of now.")] | None = None


class PreviewSums(msgspec.Struct, frozen=True, kw_only=True):
    """What traffic comes to."""

    messages: int
    parts: int
    paid: Annotated[Amount, Meta(description="As it was charged, before refunds.")]
    now: Annotated[Amount, Meta(description="By the prices in force.")]
    then: Annotated[Amount, Meta(description="By the change.")]
    difference: Annotated[Amount, Meta(description="`then` - `now`.")]
    cost: Annotated[Amount, Meta(description="Of the parts whose cost is known.")]
    margin: Annotated[Amount, Meta(description="`then` - `cost`.")]
    parts_without_cost: int


class PreviewedOperator(PreviewSums, frozen=True, kw_only=True):
    """What an operator's traffic comes to. A price of null: nothing says, and messages would be refused."""

    country: str
    operator: str
    price_now: Price | None
    price_then: Price | None


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What an account would pay for what it has sent."""

    account: str
    since: datetime
    until: datetime
    at: datetime
    total: PreviewSums
    operators: tuple[PreviewedOperator, ...]


def preview_view(account: str, made: Preview) -> PreviewView:
    """As it is answered."""
    return PreviewView(
        account=account,
        since=instant(made.since_ms),
        until=instant(made.until_ms),
        at=instant(made.at_ms),
        total=_sums(made.lines),
        operators=tuple(_operator(line) for line in made.lines),
    )


def _operator(line: PreviewLine) -> PreviewedOperator:
    now, then = line.price_now_micros, line.price_then_micros
    return PreviewedOperator(
        country=line.country,
        operator=line.operator,
        price_now=None if now is None else Price(now),
        price_then=None if then is None else Price(then),
        **msgspec.structs.asdict(_sums((line,))),
    )


def _sums(lines: tuple[PreviewLine, ...]) -> PreviewSums:
    now, then = sum(line.now_micros for line in lines), sum(line.then_micros for line in lines)
    cost = sum(line.cost_micros for line in lines)
    parts = sum(line.parts for line in lines)
    return PreviewSums(
        messages=sum(line.messages for line in lines),
        parts=parts,
        paid=Amount(sum(line.paid_micros for line in lines)),
        now=Amount(now),
        then=Amount(then),
        difference=Amount(then - now),
        cost=Amount(cost),
        margin=Amount(then - cost),
        parts_without_cost=parts - sum(line.costed_parts for line in lines),
    )
