"""How often content rules were hit: counters, one call a rule and batch. A step done twice counts twice."""

from collections.abc import Iterable, Mapping

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.store import dynamo


class RuleHitTable(dynamo.Table):
    class Meta:
        suffix = "rule_hits"

    rule = UnicodeAttribute(hash_key=True)
    hits = NumberAttribute()
    last_ms = NumberAttribute()


class Hits(msgspec.Struct, frozen=True):
    """How many messages fell under a rule, and when the last one did."""

    hits: int
    last_ms: int


def add(counts: Mapping[str, int], now_ms: int) -> None:
    """Count them in, by the rule's id."""
    for rule, count in counts.items():
        RuleHitTable(rule).update([RuleHitTable.hits.add(count), RuleHitTable.last_ms.set(now_ms)])


def of(rules: Iterable[str]) -> dict[str, Hits]:
    """The hits of those of the rules that have any."""
    return {str(item.rule): Hits(int(item.hits), int(item.last_ms)) for item in dynamo.get_all(RuleHitTable, rules)}
