"""Check charges against prices: what each message was charged is what the rules that decided say that it costs.

The snapshot that a decision names is read again, and asked the price of the route that the message went by, for the
instant at which it was made. What is in no snapshot, an account's default price and which rate plan it has, is as it is
now: where that sets the price, a difference may be a change since.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.decision import DEFAULT_ROUTE
from chalicelib.domain.facts import AnyFact, Queued
from chalicelib.domain.pricing import PriceSource
from chalicelib.domain.routing import RoutingTable
from chalicelib.services.walk_messages import Ground, Position, walk
from chalicelib.store import rules

# agrees: to the micro. differs: it does not. gone: nothing says what it cost: the route, or the snapshot, is not there.
Verdict = Literal["agrees", "differs", "gone"]


class ChargeCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One charged message. Prices are a part's, charges the message's."""

    message_id: str
    account: str
    charged_ms: int
    country: str
    operator: str
    gateway: str
    route: str
    rules: int
    parts: int
    price_micros: int
    charge_micros: int
    expected_price_micros: int | None
    expected_charge_micros: int | None
    source: PriceSource | Literal["test"] | None  # what sets the expected price
    verdict: Verdict


class _Tables:
    """The snapshots that are asked for; those that are not there are looked for once in a call."""

    def __init__(self) -> None:
        self._gone: set[int] = set()

    def get(self, number: int) -> RoutingTable | None:
        if number in self._gone:
            return None
        try:
            return rules.numbered(number)
        except LookupError:
            self._gone.add(number)
            return None


def check(ground: Ground, position: Any, limit: int, *, all_of_them: bool) -> tuple[list[ChargeCheck], Position | None]:
    """Up to `limit` charged messages that do not agree (or `all_of_them`), and where to go on (None: all was seen).

    Raises Fault `invalid_cursor`, `not_found` (the account).
    """
    tables = _Tables()

    def pick(account: Account, message_id: str, facts: Sequence[AnyFact]) -> ChargeCheck | None:
        queued = next((fact for fact in facts if isinstance(fact, Queued)), None)
        if queued is None:
            return None
        checked = _checked(account, message_id, queued, tables.get(queued.rules))
        return checked if all_of_them or checked.verdict != "agrees" else None

    return walk(ground, position, limit, pick)


def _checked(account: Account, message_id: str, queued: Queued, table: RoutingTable | None) -> ChargeCheck:
    content = queued.content
    expected, source = _expected(account, queued, table, ids.created_ms_of(message_id))
    charge_micros = None if expected is None else expected * content.parts
    verdict: Verdict = "gone"
    if expected is not None:
        verdict = "agrees" if (queued.price_micros, queued.charge_micros) == (expected, charge_micros) else "differs"
    return ChargeCheck(
        message_id=message_id,
        account=account.id,
        charged_ms=queued.at_ms,
        country=content.country,
        operator=queued.operator,
        gateway=queued.gateway,
        route=queued.route,
        rules=queued.rules,
        parts=content.parts,
        price_micros=queued.price_micros,
        charge_micros=queued.charge_micros,
        expected_price_micros=expected,
        expected_charge_micros=charge_micros,
        source=source,
        verdict=verdict,
    )


def _expected(
    account: Account, queued: Queued, table: RoutingTable | None, at_ms: int
) -> tuple[int | None, PriceSource | Literal["test"] | None]:
    """The price a part, and what sets it."""
    if queued.content.mode == "test":
        return 0, "test"
    if table is None:
        return None, None
    route = next((route for route in table.rules.routes if route.id == queued.route), None)
    if route is None and queued.route != DEFAULT_ROUTE:
        return None, None
    number = queued.content.to
    priced = table.priced(account, route, number, table.line_of(number, queued.content.country), at_ms)
    return (None, None) if priced is None else (priced.micros, priced.source)
