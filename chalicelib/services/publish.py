"""Publish the rules as they are edited, as one immutable numbered snapshot; or an old snapshot again."""

from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.domain.rules import Gateway, Route, Rules, SenderRule
from chalicelib.services import record_change, tell_price_changes
from chalicelib.services.faults import Fault, FieldFault, not_found
from chalicelib.services.refuse_losses import candidate, check_publication
from chalicelib.store import rule_rows, rules

_ATTEMPTS: Final = 10  # administrators who publish at the same moment


def publish(by: str, note: str, now_ms: int, *, below_cost: bool = False) -> Rules:
    """The new snapshot. Raises Fault `rules_invalid`, with each fault; `below_cost`, unless that is said to be meant;
    `version_conflict`.

    Rows are read anew where somebody else has published meanwhile: a gateway that was paused in between stays paused.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _publish(by, note, now_ms, below_cost=below_cost, over=rules.newest_number())
        except rules.Overtaken:
            continue
    raise Fault("version_conflict", "others kept publishing at the same time")


def _publish(by: str, note: str, now_ms: int, *, below_cost: bool, over: int) -> Rules:
    gateways = rule_rows.gateways.everything()
    routes = rule_rows.routes.everything()
    senders = rule_rows.senders.everything()
    faults = (*_faults(gateways, routes), *_sender_faults(senders))
    if faults:
        raise Fault("rules_invalid", f"{len(faults)} faults; nothing was published", faults)
    numbering, costs = rule_rows.numbering.everything(), rule_rows.costs.everything()
    rate_plans = rule_rows.rate_plans.everything()
    if costs and not below_cost:
        check_publication(candidate(routes, numbering, rate_plans, costs, now_ms), now_ms)
    before = rules.get(over) if over else None
    published = rules.publish(
        gateways,
        routes,
        numbering,
        by=by,
        note=note,
        now_ms=now_ms,
        spam=rule_rows.spam.everything(),
        senders=senders,
        countries=rule_rows.countries.everything(),
        rate_plans=rate_plans,
        costs=costs,
        over=over,
    )
    record_change.changed("rules", str(published.number), None, {"note": note, "below_cost": below_cost})
    if before is not None:
        tell_price_changes.of_publishing(before, published, now_ms)
    return published


def roll_back(number: int, by: str, note: str, now_ms: int) -> Rules:
    """An old snapshot's content under a new number. The rows stay as they are. Raises Fault `not_found`."""
    old, before = snapshot(number), rules.get(rules.newest_number())
    published = rules.publish(
        list(old.gateways),
        list(old.routes),
        list(old.numbering),
        by=by,
        note=note or f"as {number}",
        now_ms=now_ms,
        spam=old.spam,
        senders=old.senders,
        countries=old.countries,
        rate_plans=old.rate_plans,
        costs=old.costs,
    )
    record_change.changed("rules", str(published.number), None, {"note": note, "as": number})
    tell_price_changes.of_publishing(before, published, now_ms)
    return published


def snapshot(number: int) -> Rules:
    """A published snapshot. Raises Fault `not_found`."""
    try:
        return rules.get(number)
    except LookupError:
        raise not_found("published rules") from None


def _sender_faults(senders: Sequence[SenderRule]) -> Iterator[FieldFault]:
    asked: dict[tuple[str | None, str | None], str] = {}
    for rule in senders:
        same = asked.setdefault((rule.account, rule.country), rule.id) if rule.state == "active" else rule.id
        if same != rule.id:
            told = f"sender rule {same} is for the same account and country"
            yield FieldFault(field=f"/sender_rules/{rule.id}", code="repeated", detail=told)


def _faults(gateways: Sequence[Gateway], routes: Sequence[Route]) -> Iterator[FieldFault]:
    known = {gateway.id for gateway in gateways}
    asked: dict[tuple[str | None, ...], str] = {}
    for route in routes:
        for number, target in enumerate(route.targets):
            if target.gateway not in known:
                where = f"/routes/{route.id}/targets/{number}/gateway"
                yield FieldFault(field=where, code="not_found", detail=f"there is no gateway {target.gateway}")
        if route.state != "active":
            continue
        same = asked.setdefault((route.account, route.country, route.operator, route.prefix), route.id)
        if same != route.id:
            told = f"route {same} is for the same messages"
            yield FieldFault(field=f"/routes/{route.id}", code="repeated", detail=told)
