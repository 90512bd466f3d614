"""Losses: messages that would be sold below cost, by whatever sets their price, now or from a day on."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.losses import ANYBODY, losses
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.routing import RoutingTable
from chalicelib.domain.rules import Route, Rules
from chalicelib.domain.tariff import TariffLine
from tests.chalicelib.domain.test_routing import PLAN, gateway, route
from tests.chalicelib.domain.test_tariff import line

NOW_MS = 100
COSTS = (GatewayCosts(gateway="a", lines=(line("ES", None, 10), line("ES", "Movistar", 20))),)
ON_PLAN = msgspec.structs.replace(ANYBODY, rate_plan="std")
DEFAULT = Account(id="acc_1", name="", created_ms=0, default_gateway="a", default_price_micros=15)


def meant(of: TariffLine) -> TariffLine:
    return msgspec.structs.replace(of, below_cost=True)


def found(*routes: Route, payer: Account = ANYBODY, lines: tuple[TariffLine, ...] = (), **more: Any) -> list[Any]:
    plain = Rules(number=1, published_ms=0, published_by="t", gateways=(gateway("a"),), numbering=PLAN, costs=COSTS)
    plans = (RatePlan(id="std", name="", lines=lines),)
    table = RoutingTable(msgspec.structs.replace(plain, routes=routes, rate_plans=plans, **more))
    return [(loss.name, loss.line.operator, loss.price_micros, loss.from_ms) for loss in losses(table, [payer], NOW_MS)]


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([route("r", "a", price_micros=20)], []),
        ([route("r", "a", price_micros=19)], [("r", "Movistar", 19, NOW_MS)]),
        ([route("r", "b", "a", price_micros=19)], [("r", "Movistar", 19, NOW_MS)]),  # any of its gateways
        ([route("r", "b", price_micros=1)], []),  # of which nobody knows what it costs
        ([route("r", "a", price_micros=1, country="FR")], []),
        ([route("r", "a", price_micros=19, below_cost=True)], []),
        ([route("r", "a", price_micros=19, state="paused")], []),
        # what messages to Movistar do not go by is no loss there
        ([route("r", "a", price_micros=19), route("own", "a", price_micros=20, operator="Movistar")], []),
        ([route("r", "a", price_micros=15, prefix="34601")], []),  # Orange's: 10
        ([route("r", "a", price_micros=15, prefix="346")], [("r", "Movistar", 15, NOW_MS)]),
    ],
)
def test_routes_are_held_against_what_their_messages_cost(routes: list[Route], told: list[Any]) -> None:
    assert found(*routes) == told


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((line("ES", None, 10), line("ES", "Movistar", 20)), []),
        ((line("ES", None, 10),), [("std", "Movistar", 10, NOW_MS)]),
        ((meant(line("ES", None, 10)),), []),
        # from a day on
        ((line("ES", None, 20), line("ES", "Movistar", 19, 500)), [("std", "Movistar", 19, 500)]),
        # what is over
        ((line("ES", None, 20), line("ES", "Movistar", 1), line("ES", "Movistar", 20, 50)), []),
    ],
)
def test_a_plans_prices_are_held_against_the_gateways_that_routes_lead_to(
    lines: tuple[TariffLine, ...], told: list[Any]
) -> None:
    assert found(route("all", "a", price_micros=99), payer=ON_PLAN, lines=lines) == told


def test_a_cost_that_will_rise_is_a_loss_from_then_on() -> None:
    costs = (GatewayCosts(gateway="a", lines=(line("ES", None, 10), line("ES", None, 30, 700))),)
    told = found(route("r", "a", price_micros=25, country="ES"), costs=costs)
    assert sorted(told) == [("r", operator, 25, 700) for operator in ("", "Movistar", "Orange", "Spain")]


@pytest.mark.parametrize(
    ("payer", "told"),
    [
        (DEFAULT, [("acc_1", "Movistar", 15, NOW_MS)]),
        (msgspec.structs.replace(DEFAULT, default_price_micros=20), []),
        (msgspec.structs.replace(DEFAULT, below_cost=True), []),
        (msgspec.structs.replace(DEFAULT, rate_plan="std"), [("std", "Movistar", 15, NOW_MS)]),
    ],
)
def test_a_default_price_is_held_against_the_default_gateway(payer: Account, told: list[Any]) -> None:
    assert found(payer=payer, lines=(line("ES", None, 15),)) == told


def test_a_route_of_the_accounts_own_counts_for_it_alone() -> None:
    own = route("own", "a", account="acc_1", price_micros=1, operator="Movistar")
    shared = route("all", "a", price_micros=99)
    assert found(own, shared) == []
    assert found(own, shared, payer=msgspec.structs.replace(ANYBODY, id="acc_1")) == [("own", "Movistar", 1, NOW_MS)]
