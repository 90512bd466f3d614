"""Usage: what each account sent and paid, by day, operator and gateway; exact, as charges' transactions add it."""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib.domain.charging import UsageLine
from chalicelib.store import dynamo


class ByDay(GlobalSecondaryIndex["UsageTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_day"
        projection = AllProjection()

    day = UnicodeAttribute(hash_key=True)
    account_line = UnicodeAttribute(range_key=True)


class UsageTable(dynamo.Table):
    class Meta:
        suffix = "usage"

    account_month = UnicodeAttribute(hash_key=True)
    line = UnicodeAttribute(range_key=True)
    day = UnicodeAttribute()
    account_line = UnicodeAttribute()
    messages = NumberAttribute(default=0)
    parts = NumberAttribute(default=0)
    credits_micros = NumberAttribute(default=0)
    refunded_micros = NumberAttribute(default=0)
    by_day = ByDay()


def _month_key(account: str, month: str) -> str:
    return f"{account}#{month}"


def add_to(transaction: TransactWrite, account: str, lines: Iterable[UsageLine]) -> None:
    """Have the transaction count the lines in. Each key at most once in a transaction."""
    for line in lines:
        operator_line = f"{line.country}#{line.operator}#{line.gateway}"
        item = UsageTable(_month_key(account, line.day[:7]), f"{line.day[8:]}#{operator_line}")
        transaction.update(item, [*_names(account, line.day, operator_line), *_sums(line)])


def _names(account: str, day: str, operator_line: str) -> list[Action]:
    return [UsageTable.day.set(day), UsageTable.account_line.set(f"{account}#{operator_line}")]


def _sums(line: UsageLine) -> list[Action]:
    sums: tuple[tuple[Any, int], ...] = (
        (UsageTable.messages, line.messages),
        (UsageTable.parts, line.parts),
        (UsageTable.credits_micros, line.credits_micros),
        (UsageTable.refunded_micros, line.refunded_micros),
    )
    return [attribute.add(amount) for attribute, amount in sums if amount]


def month(account: str, month: str) -> list[UsageLine]:
    """The account's lines of a month (YYYY-MM), by day."""
    return [_line(item) for item in UsageTable.query(_month_key(account, month), consistent_read=True)]


def _line(item: UsageTable) -> UsageLine:
    _, country, operator, gateway = str(item.line).split("#", 3)
    return UsageLine(
        day=str(item.day),
        country=country,
        operator=operator,
        gateway=gateway,
        messages=int(item.messages or 0),
        parts=int(item.parts or 0),
        credits_micros=int(item.credits_micros or 0),
        refunded_micros=int(item.refunded_micros or 0),
    )
