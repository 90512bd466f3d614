"""An account's price list: what it would pay now to each operator, and by which route; as its messages are decided."""

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.message import Content
from chalicelib.domain.routing import decide
from chalicelib.domain.rules import Route
from chalicelib.domain.text import Encoding
from chalicelib.store import rule_rows, rules
from chalicelib.store.rows import Row


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
