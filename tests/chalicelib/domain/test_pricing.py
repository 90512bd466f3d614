"""Prices: which of several counts; costs beside them; both those of the instant at which a message was made."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import Queued
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.routing import RoutingTable, decide
from chalicelib.domain.rules import Route, Rules
from tests.chalicelib.domain.test_routing import ACCOUNT, PLAN, content, gateway, route
from tests.chalicelib.domain.test_tariff import line

DAY_MS = 86_400_000
RATES = RatePlan(id="std", name="Standard", lines=(line("ES", "Movistar", 30), line("ES", None, 20)))
ON_PLAN = msgspec.structs.replace(ACCOUNT, rate_plan="std")
DEFAULT = msgspec.structs.replace(ACCOUNT, default_gateway="b", default_price_micros=9)
OWN, SHARED = route("own", "a", account="acc_1", price_micros=7), route("all", "a", price_micros=5)
UNPRICED = route("own", "a", account="acc_1", price_micros=None)


def rules(*routes: Route, **more: Any) -> RoutingTable:
    plain = Rules(number=1, published_ms=0, published_by="t", gateways=(gateway("a"), gateway("b")), numbering=PLAN)
    return RoutingTable(msgspec.structs.replace(plain, routes=routes, **{"rate_plans": (RATES,), **more}))


def made(table: RoutingTable, account: Account = ON_PLAN, at_ms: int = DAY_MS, **asks: Any) -> Decision:
    verdict = decide(table, account, ids.new_message_id(at_ms), content(**asks))
    assert isinstance(verdict, Decision)
    return verdict


@pytest.mark.parametrize(
    ("routes", "account", "number", "price_micros", "why"),
    [
        ((OWN, SHARED), ON_PLAN, "+34600111222", 7, "route own"),
        ((SHARED,), ON_PLAN, "+34600111222", 30, "priced by rate plan std"),
        ((UNPRICED, SHARED), ON_PLAN, "+34600111222", 30, "priced by rate plan std"),
        ((SHARED,), ON_PLAN, "+34911111222", 20, "priced by rate plan std"),
        ((SHARED,), ON_PLAN, "+33600111222", 5, "route all"),  # the plan says nothing of it
        ((SHARED,), ACCOUNT, "+34600111222", 5, "route all"),
        ((UNPRICED, SHARED), ACCOUNT, "+34600111222", 5, "priced by route all"),
        ((UNPRICED,), DEFAULT, "+34600111222", 9, "priced by default acc_1"),
        ((), DEFAULT, "+34600111222", 9, "default gateway"),
        ((), msgspec.structs.replace(DEFAULT, rate_plan="std"), "+34600111222", 30, "priced by rate plan std"),
        ((SHARED,), msgspec.structs.replace(ACCOUNT, rate_plan="gone"), "+34600111222", 5, "route all"),
    ],
)
def test_own_route_then_rate_plan_then_route_for_all_then_default(
    routes: tuple[Route, ...], account: Account, number: str, price_micros: int, why: str
) -> None:
    verdict = made(rules(*routes), account, to=number, country="ES" if number.startswith("+34") else "FR")
    assert verdict.price_micros == price_micros
    assert why in verdict.why


def test_the_price_and_the_cost_are_those_of_when_the_message_was_made() -> None:
    plan = msgspec.structs.replace(RATES, lines=(*RATES.lines, line("ES", "Movistar", 31, 5 * DAY_MS)))
    costs = GatewayCosts(gateway="a", lines=(line("ES", None, 10), line("ES", "Movistar", 12, 9 * DAY_MS)))
    table = rules(SHARED, rate_plans=(plan,), costs=(costs,))
    told = [
        (verdict.price_micros, verdict.cost_micros)
        for at_ms in (5 * DAY_MS - 1, 5 * DAY_MS, 9 * DAY_MS)
        for verdict in [made(table, at_ms=at_ms)]
    ]
    assert told == [(30, 10), (31, 10), (31, 12)]


def test_what_nobody_has_said_the_cost_of_has_none_and_a_test_message_costs_nothing() -> None:
    costs = GatewayCosts(gateway="b", lines=(line("ES", None, 10),))
    assert made(rules(SHARED, costs=(costs,))).cost_micros is None
    simulated = rules(SHARED, gateways=(gateway("sim", simulator=True),), costs=(costs,))
    verdict = made(simulated, mode="test")
    assert (verdict.price_micros, verdict.cost_micros) == (0, 0)


def test_what_was_written_before_there_were_costs_and_plans_is_read_as_it_was() -> None:
    rules_of_before = {"number": 1, "published_ms": 2, "published_by": "x", "routes": [{"id": "r", "targets": []}]}
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(rules_of_before), type=Rules)
    assert (read.rate_plans, read.costs, read.routes[0].below_cost) == ((), (), False)
    queued = Queued(
        at_ms=1,
        content=content(),
        gateway="a",
        route="r",
        operator="",
        price_micros=1,
        charge_micros=1,
        rules=1,
        bundle="b",
        why="",
    )
    assert b"cost" not in msgspec.json.encode(queued)
    assert msgspec.json.decode(msgspec.json.encode(queued), type=Queued).cost_micros is None
