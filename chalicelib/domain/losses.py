"""Where messages would be sold below cost: routing is asked of each operator that it can tell apart, as of messages."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from chalicelib.domain.account import Account
from chalicelib.domain.pricing import PriceSource
from chalicelib.domain.routing import UNKNOWN_OPERATOR, Line, RoutingTable
from chalicelib.domain.rules import Route

ANYBODY: Final = Account(id="", name="", created_ms=0)  # pays what routes for all say


class Loss(NamedTuple):
    """A price that is, or will be, below the cost at a gateway that messages would go to."""

    source: PriceSource
    name: str  # of the route, the rate plan, or the account, that sets the price
    line: Line
    price_micros: int
    gateway: str
    cost_micros: int
    from_ms: int  # since when, at the earliest now

    @property
    def key(self) -> tuple[str, str, Line, str]:
        return self.source, self.name, self.line, self.gateway


class _Sample(NamedTuple):
    """What numbers can have in common as far as routing is concerned."""

    digits: str  # they begin with them
    line: Line


def losses(table: RoutingTable, payers: Iterable[Account], now_ms: int) -> Iterator[Loss]:
    """Each once, from now on and by what is already said of later; none of prices that are meant to be so low.

    Of routes for the same messages the first counts, and with it all of its gateways: paused ones may come back. What
    it costs nobody has said is no loss.
    """
    samples = list(_samples(table))
    own = {route.account for route in table.rules.routes}
    shared: dict[_Sample, Route | None] = {sample: _first(table, ANYBODY, sample) for sample in samples}
    told = set()
    for payer in payers:
        for sample in samples:
            route = _first(table, payer, sample) if payer.id in own else shared[sample]
            for loss in _of(table, payer, sample, route, now_ms):
                if loss.key not in told:
                    told.add(loss.key)
                    yield loss


def _samples(table: RoutingTable) -> Iterator[_Sample]:
    """Every operator in countries that anything costs anything in; with each prefix of a route, those under it."""
    rules = table.rules
    countries = {line.country for costs in rules.costs for line in costs.lines}
    priced = [*(plan.lines for plan in rules.rate_plans), *(costs.lines for costs in rules.costs)]
    lines = {Line(country, UNKNOWN_OPERATOR) for country in countries}
    lines |= {Line(line.country, line.operator) for some in priced for line in some if line.operator}
    lines |= {Line(line.country, line.operator) for line in rules.numbering}
    lines |= {Line(route.country, route.operator) for route in rules.routes if route.country and route.operator}
    for line in sorted(lines):
        if line.country in countries:
            yield _Sample("", line)
    for prefix in sorted({route.prefix for route in rules.routes if route.prefix}):
        under = {table.line_of(prefix, "")}
        under |= {Line(one.country, one.operator) for one in rules.numbering if one.prefix.startswith(prefix)}
        for line in sorted(under):
            if line.country in countries:
                yield _Sample(prefix, line)


def _first(table: RoutingTable, payer: Account, sample: _Sample) -> Route | None:
    return next((route for route in table.routes_for(payer.id, sample.digits, sample.line) if route.targets), None)


def _of(table: RoutingTable, payer: Account, sample: _Sample, route: Route | None, now_ms: int) -> Iterator[Loss]:
    gateways = {target.gateway for target in route.targets} if route else {payer.default_gateway}
    for gateway in sorted(name for name in gateways if name is not None and name in table.costs):
        for at_ms in _instants(table, payer, gateway, sample.line, now_ms):
            priced = table.priced(payer, route, sample.digits, sample.line, at_ms)
            cost_micros = table.cost_micros(gateway, sample.line, at_ms)
            if priced is None or cost_micros is None or priced.meant:
                continue
            if priced.micros < cost_micros:
                yield Loss(priced.source, priced.name, sample.line, priced.micros, gateway, cost_micros, at_ms)
                break


def _instants(table: RoutingTable, payer: Account, gateway: str, line: Line, now_ms: int) -> list[int]:
    """Now, and whenever the price or the cost will change."""
    found = {now_ms}
    for tariff in (table.costs.get(gateway), table.rate_plans.get(payer.rate_plan or "")):
        if tariff is not None:
            found |= tariff.changes(line.country, line.operator, now_ms)
    return sorted(found)
