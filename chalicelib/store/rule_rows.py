"""Gateways, routes, numbering plan and the other rules as they are edited: the rows behind the published snapshot."""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.rules import CountryRule, Gateway, NumberingPrefix, Route, SenderRule, SpamRule
from chalicelib.store.rows import Rows, RowTable


class GatewayTable(RowTable):
    class Meta:
        suffix = "gateways"


class RouteTable(RowTable):
    class Meta:
        suffix = "routes"


class NumberingTable(RowTable):
    class Meta:
        suffix = "numbering"

    id = UnicodeAttribute(hash_key=True, attr_name="prefix")


class SpamRuleTable(RowTable):
    class Meta:
        suffix = "spam_rules"


class SenderRuleTable(RowTable):
    class Meta:
        suffix = "sender_rules"


class CountryRuleTable(RowTable):
    class Meta:
        suffix = "country_rules"


class RatePlanTable(RowTable):
    class Meta:
        suffix = "rate_plans"


class CostTable(RowTable):
    class Meta:
        suffix = "costs"

    id = UnicodeAttribute(hash_key=True, attr_name="gateway")


gateways: Final = Rows(GatewayTable, Gateway, lambda gateway: gateway.id)
routes: Final = Rows(RouteTable, Route, lambda route: route.id)
numbering: Final = Rows(NumberingTable, NumberingPrefix, lambda line: line.prefix)
spam: Final = Rows(SpamRuleTable, SpamRule, lambda rule: rule.id)
senders: Final = Rows(SenderRuleTable, SenderRule, lambda rule: rule.id)
countries: Final = Rows(CountryRuleTable, CountryRule, lambda rule: rule.country)
rate_plans: Final = Rows(RatePlanTable, RatePlan, lambda plan: plan.id)
costs: Final = Rows(CostTable, GatewayCosts, lambda costs: costs.gateway)
