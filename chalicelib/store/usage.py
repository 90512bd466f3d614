"""Usage: what each account sent and paid, by quarter-hour, operator and gateway; exact, as transactions add it up.

What is counted where a message is charged, and where money moves, has an item of its own; how messages ended has
another, or as many as the account has shards: so those who charge and those who settle are not in each other's way.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib.domain.latency import BUCKETS
from chalicelib.domain.status import FINAL, Status
from chalicelib.domain.usage import SLOT_MS, SUMS, UsageLine, begins_ms, merged, slot_at
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

_ENDS: Final = tuple(sorted(FINAL))
_LATENCIES: Final = tuple(f"latency_{bucket:02}" for bucket in range(BUCKETS))
_OF_ENDS: Final = "ends#"  # what the lines of messages' ends begin with; the others begin with a digit
_DAYS_PAGE: Final = 3_000  # lines of a day that are read at once: under a megabyte
_AFTER: Final = "$"  # comes after the '#' that a line goes on with


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
    vars().update({name: NumberAttribute(null=True) for name in (*SUMS, *_ENDS, *_LATENCIES)})
    by_day = ByDay()


class AccountsLine(NamedTuple):
    """A line, and whose it is."""

    account: str
    line: UsageLine


def add_to(transaction: TransactWrite, account: str, lines: Iterable[UsageLine]) -> None:
    """Have the transaction count in what was sent, and what moved: an item a line. Each key at most once in it."""
    for line in lines:
        _add(transaction, account, _name(line), line.day, {name: getattr(line, name) for name in SUMS})


def add_ends_to(transaction: TransactWrite, account: str, lines: Iterable[UsageLine], share: int = 0) -> None:
    """Have the transaction count in how messages ended: an item a line. Each key at most once in it.

    `share`: in which of a line's items; they are one when they are read, and whoever counts may take any.
    """
    for line in lines:
        latencies = dict(zip(_LATENCIES, line.latencies, strict=False))
        _add(transaction, account, f"{_OF_ENDS}{_name(line)}#{share}", line.day, {**line.ends, **latencies})


def _add(transaction: TransactWrite, account: str, name: str, day: str, sums: dict[Any, int]) -> None:
    names: list[Action] = [UsageTable.day.set(day), UsageTable.account_line.set(f"{account}#{name}")]
    item = UsageTable(_month_key(account, day[:7]), name)
    transaction.update(item, [*names, *(getattr(UsageTable, name).add(count) for name, count in sums.items() if count)])


def between(account: str, since_ms: int, until_ms: int, *, ends: bool = True) -> list[UsageLine]:
    """The account's lines of the slots that begin in [since_ms, until_ms), by slot; a line a key.

    Read consistently, a megabyte a request: some 5,000 lines. Without `ends`, half of that need be read.
    """
    found: list[UsageLine] = []
    for month, first, last in _months(since_ms, until_ms):
        for kind in ("", _OF_ENDS) if ends else ("",):
            within = UsageTable.line.between(f"{kind}{first}", f"{kind}{last}{_AFTER}")
            items = UsageTable.query(_month_key(account, month), within, consistent_read=True)
            found += map(_line, items)
    return sorted(merged(found), key=lambda line: line.key) if ends else found


def month(account: str, month: str) -> list[UsageLine]:
    """The account's lines of a month (YYYY-MM, UTC), by slot."""
    return between(account, begins_ms(f"{month}-01T00:00"), begins_ms(f"{_next(month)}-01T00:00"))


def of_day(day: str) -> Iterator[AccountsLine]:
    """Every account's lines of a UTC day (YYYY-MM-DD), by account; read as they are asked for.

    Out of an index, which is moments behind. A line's ends come apart from what else there is of its key: add them up.
    """
    for item in UsageTable.by_day.query(day):
        yield AccountsLine(str(item.account_month).rpartition("#")[0], _line(item))


def page_of_day(day: str, cursor: Cursor | None = None) -> Page[AccountsLine]:
    """The same, a megabyte at a time: some 3,000 lines."""
    found = UsageTable.by_day.query(day, last_evaluated_key=cursor, limit=_DAYS_PAGE)
    lines = (AccountsLine(str(item.account_month).rpartition("#")[0], _line(item)) for item in found)
    return Page(tuple(lines), found.last_evaluated_key)


def _months(since_ms: int, until_ms: int) -> Iterator[tuple[str, str, str]]:
    """Each month (YYYY-MM), with the first and the last place in it."""
    first_ms, last_ms = since_ms + -since_ms % SLOT_MS, until_ms - 1
    if first_ms > last_ms:
        return
    first, last = slot_at(first_ms), slot_at(last_ms)
    month = first[:7]
    while month <= last[:7]:
        yield (
            month,
            _place(first) if month == first[:7] else "01",
            _place(last) if month == last[:7] else "31T9",
        )
        month = _next(month)


def _next(month: str) -> str:
    return (date.fromisoformat(f"{month}-28") + timedelta(days=4)).isoformat()[:7]


def _month_key(account: str, month: str) -> str:
    return f"{account}#{month}"


def _name(line: UsageLine) -> str:
    return f"{_place(line.slot)}#{line.country}#{line.operator}#{line.gateway}"


def _place(slot: str) -> str:
    """Of a slot, within its month: DDTHHMM."""
    return f"{slot[8:13]}{slot[14:16]}"


def _line(item: UsageTable) -> UsageLine:
    place, country, operator, gateway, *_ = str(item.line).removeprefix(_OF_ENDS).split("#")
    counted = item.attribute_values
    latencies = tuple(int(counted.get(name, 0)) for name in _LATENCIES)
    return UsageLine(
        slot=f"{str(item.day)[:8]}{place[:5]}:{place[5:]}",
        country=country,
        operator=operator,
        gateway=gateway,
        **{name: int(counted.get(name, 0)) for name in SUMS},
        ends={Status(name): int(counted[name]) for name in _ENDS if counted.get(name)},
        latencies=latencies if any(latencies) else (),
    )
