"""Which gateway takes a message, at what price, and why: a pure function of a snapshot of the rules."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.content_rules import Screen
from chalicelib.domain.decision import DEFAULT_ROUTE, Decision, Refusal
from chalicelib.domain.pricing import Priced, otherwise, price
from chalicelib.domain.refusals import refusal
from chalicelib.domain.rules import CountryRule, Gateway, NumberingPrefix, Route, Rules, Target
from chalicelib.domain.senders import Allowed, SenderRules
from chalicelib.domain.tariff import ALWAYS_MS, Tariffs

UNKNOWN_OPERATOR: Final = ""
TEST_ROUTE: Final = "test"  # what a decision names where a test key's message went to a simulator that no route names
MAX_FAILOVER: Final = 4  # a message that five gateways refused is refused


class Line(NamedTuple):
    """What a number is, by the numbering plan."""

    country: str
    operator: str


class RoutingTable:
    """A snapshot indexed for lookups: build it once, ask it often. Never changes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.gateways: dict[str, Gateway] = {gateway.id: gateway for gateway in rules.gateways}
        self._plan: dict[str, NumberingPrefix] = {line.prefix: line for line in rules.numbering}
        self._plan_lengths = sorted({len(prefix) for prefix in self._plan}, reverse=True)
        self._routes: dict[_RouteKey, Route] = {}
        for route in sorted(rules.routes, key=lambda route: route.id):
            if route.state == "active":  # of two routes for the same thing the older id stands
                self._routes.setdefault(_RouteKey(route.account, route.operator, route.prefix, route.country), route)
        lengths = {len(route.prefix) for route in self._routes.values() if route.prefix}
        self._prefix_lengths = sorted(lengths, reverse=True)

        self.senders = SenderRules(rules.senders)
        self.countries: dict[str, CountryRule] = {rule.country: rule for rule in rules.countries}
        self.rate_plans = Tariffs({plan.id: plan.lines for plan in rules.rate_plans})
        self.costs = Tariffs({costs.gateway: costs.lines for costs in rules.costs})
        lines = (*(plan.lines for plan in rules.rate_plans), *(costs.lines for costs in rules.costs))
        self.dated = any(line.from_ms > ALWAYS_MS for some in lines for line in some)

    @cached_property
    def screen(self) -> Screen:
        """The content rules, made ready when they are first asked for: accept never does."""
        return Screen(self.rules.spam)

    def line_of(self, number: str, country: str) -> Line:
        """Country and operator of an E.164 number: by the plan's longest prefix, else `country` and no operator."""
        digits = number.removeprefix("+")
        for length in self._plan_lengths:
            line = self._plan.get(digits[:length])
            if line is not None:
                return Line(line.country, line.operator)
        return Line(country, UNKNOWN_OPERATOR)

    def routes_for(self, account: str, number: str, line: Line) -> Iterator[Route]:
        """The active routes that match, the most specific first: account > operator > prefix's length > country."""
        digits = number.removeprefix("+")
        prefixes = [digits[:length] for length in self._prefix_lengths if length <= len(digits)]
        operators = [line.operator, None] if line.operator else [None]
        for who in (account, None):
            for operator in operators:
                for prefix in (*prefixes, None):
                    for country in (line.country, None):
                        route = self._routes.get(_RouteKey(who, operator, prefix, country))
                        if route is not None:
                            yield route

    def priced(self, account: Account, route: Route | None, number: str, line: Line, at_ms: int) -> Priced | None:
        """What the account pays a part for a message of that instant by the route; None: its default gateway."""
        plan = account.rate_plan
        plan_line = None if plan is None else self.rate_plans.at(plan, line.country, line.operator, at_ms)
        found = price(account, route, plan_line)
        return otherwise(account, self.routes_for(account.id, number, line)) if found is None else found

    def cost_micros(self, gateway: str, line: Line, at_ms: int) -> int | None:
        """What a part costs at the gateway; None where nobody has said."""
        if not self.rules.costs:
            return None
        held = self.costs.at(gateway, line.country, line.operator, at_ms)
        return held.amount_micros if held is not None else None

    def usable(self, target: Target, mode: str) -> bool:
        """Whether the target's gateway is there, not paused, and the mode's kind."""
        gateway = self.gateways.get(target.gateway)
        return gateway is not None and gateway.state == "active" and (gateway.simulator or mode == "live")


class _RouteKey(NamedTuple):
    """What a route asks of a message; None asks nothing."""

    account: str | None
    operator: str | None
    prefix: str | None
    country: str | None


def decide(table: RoutingTable, account: Account, message_id: str, content: Content) -> Decision | Refusal:
    """The message's way, or why there is none. The same arguments always give the same answer.

    The most specific route with a usable gateway wins; without one, the account's default gateway. Prices and costs
    are those of the instant at which the message was made. A test message goes to simulators only, and costs nothing.
    """
    if account.state != "active":
        return refusal("account_inactive")
    sender = table.senders.look(account.id, content.country, content.sender)
    if sender is None:
        return refusal("sender_not_allowed")
    line = table.line_of(content.to, content.country)
    at_ms = ids.created_ms_of(message_id) if table.dated else ALWAYS_MS
    verdict = _decide(_Asked(table, account, message_id, content, line, at_ms))
    return _sent_as(sender, verdict) if sender.replacement and isinstance(verdict, Decision) else verdict


def _sent_as(sender: Allowed, decision: Decision) -> Decision:
    why = f"{decision.why}; sender {sender.replacement} by rule {sender.rule}"
    return msgspec.structs.replace(decision, sender=sender.replacement, why=why)


class _Asked(msgspec.Struct, frozen=True, gc=False):
    """A message and all that decides about it."""

    table: RoutingTable
    account: Account
    message_id: str
    content: Content
    line: Line
    at_ms: int


def _decide(asked: _Asked) -> Decision | Refusal:
    table, content = asked.table, asked.content
    matched = False
    for route in table.routes_for(asked.account.id, content.to, asked.line):
        matched = True
        targets = ordered([target for target in route.targets if table.usable(target, content.mode)], asked.message_id)
        if targets:
            return _by_route(asked, route, targets)
    return _without_route(asked, matched=matched)


def _by_route(asked: _Asked, route: Route, targets: Sequence[str]) -> Decision | Refusal:
    found = f"route {route.id} for {_matched(route)}"
    failover = tuple(targets[1 : 1 + MAX_FAILOVER])
    if asked.content.mode == "test":
        return _decision(asked, targets[0], route.id, found, failover=failover)
    priced = asked.table.priced(asked.account, route, asked.content.to, asked.line, asked.at_ms)
    if priced is None:
        return refusal("no_price")
    return _decision(asked, targets[0], route.id, found, priced=priced, failover=failover)


def _without_route(asked: _Asked, *, matched: bool) -> Decision | Refusal:
    table, account = asked.table, asked.account
    if asked.content.mode == "test":
        return _to_simulator(asked)
    gateway = account.default_gateway
    if gateway is None:
        return refusal("no_gateway" if matched else "no_route")
    if not table.usable(Target(gateway=gateway), asked.content.mode):
        return refusal("no_gateway")
    priced = table.priced(account, None, asked.content.to, asked.line, asked.at_ms)
    if priced is None:
        return refusal("no_price")
    found = "the account's default gateway, as no route leads there"
    return _decision(asked, gateway, DEFAULT_ROUTE, found, priced=priced)


def _to_simulator(asked: _Asked) -> Decision | Refusal:
    simulators = [Target(gateway=id_) for id_ in sorted(asked.table.gateways)]
    targets = ordered([target for target in simulators if asked.table.usable(target, "test")], asked.message_id)
    if not targets:
        return refusal("no_simulator")
    return _decision(asked, targets[0], TEST_ROUTE, "a test message, to a simulator")


def _decision(
    asked: _Asked,
    gateway: str,
    route: str,
    found: str,
    *,
    priced: Priced | None = None,  # None: a test message
    failover: tuple[str, ...] = (),
) -> Decision:
    table, line = asked.table, asked.line
    usual = priced is None or priced.source == "default" == route or priced.name == route
    by = "" if usual or priced is None else f"; {priced.why}"
    return Decision(
        gateway=gateway,
        route=route,
        operator=line.operator,
        price_micros=priced.micros if priced else 0,
        rules=table.rules.number,
        why=f"{found}; {_named(line)}{by}; rules {table.rules.number}",
        failover=failover,
        cost_micros=table.cost_micros(gateway, line, asked.at_ms) if priced else 0,
    )


def ordered(targets: Sequence[Target], message_id: str) -> list[str]:
    """Gateways in the order to try: lower priority first, equals by weighted lot.

    The lot is drawn from the message's id, so that a replay draws the same: each gateway gets u^(1/weight) from a hash
    as its u, highest first (Efraimidis and Spirakis' weighted sampling), which gives shares in proportion to weight.
    """
    if len(targets) < 2:
        return [target.gateway for target in targets]
    ranked = sorted(targets, key=lambda target: (target.priority, -_lot(target, message_id), target.gateway))
    return list(dict.fromkeys(target.gateway for target in ranked))


def _lot(target: Target, message_id: str) -> float:
    if target.weight <= 0:
        return 0.0
    digest = sha256(f"{message_id}/{target.gateway}".encode()).digest()
    uniform = (int.from_bytes(digest[:6], "big") + 1) / (2**48 + 1)
    return float(uniform ** (1 / target.weight))


def _matched(route: Route) -> str:
    asked = (
        ("account", route.account),
        ("operator", route.operator),
        ("prefix", route.prefix),
        ("country", route.country),
    )
    return ", ".join(f"{name} {value}" for name, value in asked if value) or "any message"


def _named(line: Line) -> str:
    return f"number of {line.operator}, {line.country}" if line.operator else f"number in {line.country}"
