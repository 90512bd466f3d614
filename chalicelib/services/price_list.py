"""An account's price list: what it would pay now to each operator, and by which route; as its messages are decided."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.rate_plan import PriceChange
from chalicelib.domain.routing import RoutingTable, decide
from chalicelib.domain.rules import Route, Rules
from chalicelib.domain.text import Encoding
from chalicelib.store import rule_rows, rules
from chalicelib.store.rows import Row

MAX_CELLS: Final = 40  # changed routes that are looked at for each account: of ten thousand accounts some seconds


class OperatorPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message to one of the operator's numbers; `number` is the prefix that it was asked with."""

    country: str
    operator: str
    number: str
    decided: Decision | Refusal


def price_list(account: Account, now_ms: int) -> list[OperatorPrice]:
    """By country and operator, for every one that the published numbering plan names.

    It is decided for the first prefix of each: a route for another prefix of the operator does not show.
    """
    table = rules.table(now_ms)
    prefixes: dict[tuple[str, str], str] = {}
    for line in sorted(table.rules.numbering, key=lambda line: (len(line.prefix), line.prefix)):
        prefixes.setdefault((line.country, line.operator), line.prefix)
    message = ids.new_message_id(now_ms)
    return [
        OperatorPrice(
            country=country,
            operator=operator,
            number=prefix,
            decided=decide(table, account, message, _content(account, prefix, country, now_ms)),
        )
        for (country, operator), prefix in sorted(prefixes.items())
    ]


class RouteChanges:
    """The routes whose price a publishing changes, and what that is to an account: decided before and after it."""

    def __init__(self, before: Rules, after: Rules) -> None:
        old, new = _route_prices(before), _route_prices(after)
        changed = {asked for asked in old.keys() | new.keys() if old.get(asked) != new.get(asked)}
        self._cells = sorted(changed, key=lambda asked: (asked[0] is None, *(name or "" for name in asked)))
        self._tables = (RoutingTable(before), RoutingTable(after)) if self._cells else None
        self._numbers = {(line.country, line.operator): line.prefix for line in reversed(after.numbering)}

    def __bool__(self) -> bool:
        return bool(self._cells)

    def for_account(self, account: Account, now_ms: int) -> Iterator[PriceChange]:
        """What it pays otherwise from now on, by country and operator, of the first MAX_CELLS that routes ask for.

        Another account's routes do not concern it; nor does one that its rate plan or another route goes before.
        """
        if self._tables is None:
            return
        account = msgspec.structs.replace(account, state="active")  # one that is suspended will pay it, too
        message, told = ids.new_message_id(now_ms), set[tuple[str, str]]()
        concerned = (asked[1:] for asked in self._cells if asked[0] in (None, account.id))
        for country, operator, prefix in islice(concerned, MAX_CELLS):
            cell = country or "", operator or ""
            if cell in told:
                continue
            content = _content(account, prefix or self._numbers.get(cell, ""), cell[0], now_ms)
            was, now = (_micros(decide(table, account, message, content)) for table in self._tables)
            if was != now:
                told.add(cell)
                yield PriceChange(cell[0], operator, now_ms, was, now)


def _route_prices(rules: Rules) -> dict[tuple[str | None, ...], int]:
    """What the active routes that name a price ask for, and it."""
    return {
        (route.account, route.country, route.operator, route.prefix): route.price_micros
        for route in rules.routes
        if route.state == "active" and route.price_micros is not None
    }


def _micros(decided: Decision | Refusal) -> int | None:
    return decided.price_micros if isinstance(decided, Decision) else None


def own_routes(account: str) -> list[Row[Route]]:
    """The account's own routes as they are edited: all routes are read for it, a hundred a request."""
    found: list[Row[Route]] = []
    page = rule_rows.routes.listing()
    while True:
        found += [row for row in page.items if row.value.account == account]
        if page.cursor is None:
            return sorted(found, key=lambda row: row.value.id)
        page = rule_rows.routes.listing(page.cursor)


def _content(account: Account, prefix: str, country: str, now_ms: int) -> Content:
    return Content(
        to=f"+{prefix}",
        country=country,
        sender=account.default_sender or "",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=now_ms,
    )
