"""Routing: the most specific route with a usable gateway; the same answer to the same question, always."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.content import Content, Mode
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.routing import RoutingTable, decide, ordered
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Rules, Target
from chalicelib.domain.text import Encoding

ACCOUNT = Account(id="acc_1", name="Acme", created_ms=0)
NUMBER = "+34600111222"
PLAN = (
    NumberingPrefix(prefix="34", country="ES", operator="Spain"),
    NumberingPrefix(prefix="346", country="ES", operator="Movistar"),
    NumberingPrefix(prefix="34601", country="ES", operator="Orange"),
)


def gateway(id_: str, **changes: Any) -> Gateway:
    plain = Gateway(id=id_, name=id_, host="h", port=2775, system_id="s")
    return msgspec.structs.replace(plain, **changes)


def route(id_: str, *targets: str, price_micros: int | None = 5, **asks: Any) -> Route:
    return Route(id=id_, targets=tuple(Target(gateway=one) for one in targets), price_micros=price_micros, **asks)


def table(*routes: Route, gateways: tuple[Gateway, ...] = (gateway("a"), gateway("b"))) -> RoutingTable:
    rules = Rules(number=12, published_ms=0, published_by="t", gateways=gateways, routes=routes, numbering=PLAN)
    return RoutingTable(rules)


def content(to: str = NUMBER, country: str = "ES", mode: Mode = "live") -> Content:
    return Content(
        to=to, country=country, sender="A", encoding=Encoding.GSM7, parts=1, valid_until_ms=1, text="x", mode=mode
    )


def decided(rules: RoutingTable, what: Content | None = None, account: Account = ACCOUNT) -> Decision:
    verdict = decide(rules, account, "msg_1", what or content())
    assert isinstance(verdict, Decision)
    return verdict


def refused(rules: RoutingTable, what: Content | None = None, account: Account = ACCOUNT) -> str:
    verdict = decide(rules, account, "msg_1", what or content())
    assert isinstance(verdict, Refusal)
    return verdict.error.code


@pytest.mark.parametrize(
    ("number", "country", "operator"),
    [
        ("+34600111222", "ES", "Movistar"),
        ("+34601111222", "ES", "Orange"),
        ("+34911111222", "ES", "Spain"),
        ("+33600111222", "FR", ""),
        ("+3", "FR", ""),
    ],
)
def test_the_longest_prefix_of_the_plan_tells_the_operator(number: str, country: str, operator: str) -> None:
    assert table().line_of(number, "FR") == (country, operator)


# From the least to the most specific: each wins over all before it.
BY_RANK = [
    route("any", "a"),
    route("country", "a", country="ES"),
    route("prefix", "a", prefix="34"),
    route("prefix_country", "a", prefix="34", country="ES"),
    route("longer_prefix", "a", prefix="3460"),
    route("operator", "a", operator="Movistar"),
    route("operator_prefix", "a", operator="Movistar", prefix="34"),
    route("account", "a", account="acc_1"),
    route("account_country", "a", account="acc_1", country="ES"),
    route("account_prefix", "a", account="acc_1", prefix="34"),
    route("account_operator", "a", account="acc_1", operator="Movistar"),
]


@pytest.mark.parametrize("rank", range(len(BY_RANK)))
def test_the_most_specific_route_wins(rank: int) -> None:
    others = [
        route("other_account", "b", account="acc_2"),
        route("other_operator", "b", operator="Orange"),
        route("other_prefix", "b", prefix="3461"),
        route("other_country", "b", country="FR"),
    ]
    assert decided(table(*others, *reversed(BY_RANK[: rank + 1]))).route == BY_RANK[rank].id


def test_of_two_routes_for_the_same_the_older_stands() -> None:
    assert decided(table(route("rte_2", "b", country="ES"), route("rte_1", "a", country="ES"))).route == "rte_1"


@pytest.mark.parametrize(
    ("best", "gateways"),
    [
        (route("best", "a", operator="Movistar", state="paused"), (gateway("a"), gateway("b"))),
        (route("best", "a", operator="Movistar"), (gateway("a", state="paused"), gateway("b"))),
        (route("best", "gone", operator="Movistar"), (gateway("a"), gateway("b"))),
        (route("best", operator="Movistar"), (gateway("a"), gateway("b"))),
    ],
)
def test_a_route_that_cannot_be_used_leaves_the_message_to_the_next(best: Route, gateways: tuple[Gateway, ...]) -> None:
    verdict = decided(table(best, route("next", "b", country="ES"), gateways=gateways))
    assert (verdict.route, verdict.gateway) == ("next", "b")


def test_the_decision_says_price_rules_and_why() -> None:
    verdict = decided(table(route("rte_1", "a", price_micros=40_000, operator="Movistar")))
    assert (verdict.price_micros, verdict.rules, verdict.operator) == (40_000, 12, "Movistar")
    assert verdict.why == "route rte_1 for operator Movistar; number of Movistar, ES; rules 12"


def test_further_gateways_are_there_to_fail_over_to_by_priority_without_the_paused() -> None:
    gateways = (gateway("a"), gateway("b"), gateway("c"), gateway("d", state="paused"))
    targets = (
        Target(gateway="c", priority=2),
        Target(gateway="a", priority=0),
        Target(gateway="d", priority=1),
        Target(gateway="b", priority=1),
    )
    verdict = decided(table(Route(id="r", targets=targets, price_micros=1), gateways=gateways))
    assert (verdict.gateway, verdict.failover) == ("a", ("b", "c"))


def test_equals_share_by_weight_and_a_message_always_draws_the_same_lot() -> None:
    targets = [Target(gateway="a", weight=3), Target(gateway="b", weight=1), Target(gateway="c", weight=0)]
    drawn = [ordered(targets, f"msg_{number}") for number in range(2000)]
    assert drawn == [ordered(list(reversed(targets)), f"msg_{number}") for number in range(2000)]
    first = Counter(order[0] for order in drawn)
    assert 1400 < first["a"] < 1600
    assert first["c"] == 0


DEFAULT = msgspec.structs.replace(ACCOUNT, default_gateway="b", default_price_micros=9)


def test_without_a_route_the_accounts_default_gateway_takes_it_at_its_price() -> None:
    verdict = decided(table(route("fr", "a", country="FR")), account=DEFAULT)
    assert (verdict.gateway, verdict.price_micros, verdict.route) == ("b", 9, "default")


@pytest.mark.parametrize(
    ("rules", "account", "code"),
    [
        (table(), ACCOUNT, "no_route"),
        (table(route("r", "gone")), ACCOUNT, "no_gateway"),
        (table(gateways=(gateway("b", state="paused"),)), DEFAULT, "no_gateway"),
        (table(route("r", "a")), msgspec.structs.replace(ACCOUNT, state="suspended"), "account_inactive"),
        (table(), msgspec.structs.replace(ACCOUNT, default_gateway="b"), "no_price"),
        (table(route("r", "a", price_micros=None)), ACCOUNT, "no_price"),
    ],
)
def test_what_has_no_way_is_refused_with_its_reason(rules: RoutingTable, account: Account, code: str) -> None:
    assert refused(rules, account=account) == code


SIMULATED = (gateway("a"), gateway("sim", simulator=True))


def test_a_test_message_reaches_simulators_only_and_is_free() -> None:
    rules = table(route("r", "a", "sim", price_micros=7), gateways=SIMULATED)
    verdict = decided(rules, content(mode="test"))
    assert (verdict.gateway, verdict.price_micros, verdict.failover) == ("sim", 0, ())


def test_a_test_message_without_a_route_goes_to_any_simulator_never_to_the_default_gateway() -> None:
    verdict = decided(table(gateways=SIMULATED), content(mode="test"), account=DEFAULT)
    assert (verdict.gateway, verdict.price_micros, verdict.route) == ("sim", 0, "test")
    assert refused(table(), content(mode="test"), account=DEFAULT) == "no_simulator"
