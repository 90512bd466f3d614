"""Keep rate plans and gateways' costs: rows that are used once published, their lines taken whole or not at all."""

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.money import format_amount
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.tariff import Tariff, TariffLine
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, FieldFault, not_found
from chalicelib.services.import_prices import merged
from chalicelib.services.refuse_losses import accounts_on, described, losses_of_plan, refusal
from chalicelib.store import rule_rows, rules
from chalicelib.store.rows import MUST_BE_NEW, Row

MAX_AUDITED: Final = 40  # lines that the audit log tells of one import


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of lines that were given."""

    version: int
    lines: int  # of the tariff, by now
    unknown_operators: tuple[str, ...]  # that the numbering plan in force has not: no message will be theirs


def create_plan(plan: RatePlan) -> Row[RatePlan]:
    """The plan, without lines yet. Raises Fault `already_exists`."""
    if not rule_rows.rate_plans.put(plan, expected=MUST_BE_NEW):
        raise Fault("already_exists", f"there is a rate plan {plan.id}")
    record_change.changed("rate_plan", plan.id, None, {"name": plan.name})
    return Row(plan, 1)


def plan(plan_id: str) -> Row[RatePlan]:
    """The plan as it is edited. Raises Fault `not_found`."""
    held = rule_rows.rate_plans.get(plan_id, consistent=True)
    if held is None:
        raise not_found("rate plan")
    return held


def rename_plan(plan_id: str, name: str, expected_version: int) -> Row[RatePlan]:
    """The plan with that name. Raises Fault `not_found`, `version_conflict`."""
    held = plan(plan_id)
    changed = msgspec.structs.replace(held.value, name=name)
    if not rule_rows.rate_plans.put(changed, expected=expected_version):
        raise Fault("version_conflict", f"the rate plan is at version {held.version}")
    record_change.changed("rate_plan", plan_id, {"name": held.value.name}, {"name": name})
    return Row(changed, expected_version + 1)


def delete_plan(plan_id: str) -> None:
    """Take the plan out of the rows; it goes with the next publishing. Raises Fault `not_found`, `in_use`."""
    users = [account.id for account in accounts_on(plan_id)]
    if users:
        raise Fault("in_use", f"accounts pay by it: {', '.join(users[:10])}")
    held = rule_rows.rate_plans.get(plan_id, consistent=True)
    if held is None or not rule_rows.rate_plans.delete(plan_id):
        raise not_found("rate plan")
    record_change.changed("rate_plan", plan_id, {"name": held.value.name, "lines": len(held.value.lines)})


def take_prices(
    plan_id: str, given: Sequence[TariffLine], now_ms: int, *, replace: bool = False, below_cost: bool = False
) -> Taken:
    """The plan with these lines, over those of the same operators and instants, or in place of all.

    `below_cost`: those that are so are meant, and marked. Raises Fault `not_found`, `invalid_request`, `list_too_long`,
    `below_cost` with each line, `version_conflict`; then nothing was taken.
    """
    held = plan(plan_id)
    made = msgspec.structs.replace(held.value, lines=merged(held.value.lines, given, replace=replace))
    at_fault = _below_cost(made, given, now_ms)
    if at_fault and not below_cost:
        raise refusal(list(at_fault.values()))
    meant = {given[place].key for place in at_fault}
    lines = tuple(_meant(line) if line.key in meant else line for line in made.lines)
    made = msgspec.structs.replace(made, lines=lines)
    if not rule_rows.rate_plans.put(made, expected=held.version):
        raise Fault("version_conflict", "somebody else has changed the rate plan meanwhile")
    _record("rate_plan", plan_id, held.value.lines, made.lines)
    return _taken(made.lines, given, held.version + 1, now_ms)


def costs(gateway: str) -> Row[GatewayCosts]:
    """What the gateway costs, as it is edited. Raises Fault `not_found`."""
    held = rule_rows.costs.get(gateway, consistent=True)
    if held is None:
        raise not_found("cost of that gateway")
    return held


def take_costs(gateway: str, given: Sequence[TariffLine], now_ms: int, *, replace: bool = False) -> Taken:
    """The gateway's costs with these lines, over those of the same operators and instants, or in place of all.

    What they make a loss is told at publishing. Raises Fault `not_found` (the gateway), `invalid_request`,
    `list_too_long`, `version_conflict`.
    """
    if rule_rows.gateways.get(gateway, consistent=True) is None:
        raise not_found("gateway")
    held = rule_rows.costs.get(gateway, consistent=True) or Row(GatewayCosts(gateway=gateway), MUST_BE_NEW)
    made = GatewayCosts(gateway=gateway, lines=merged(held.value.lines, given, replace=replace))
    if not rule_rows.costs.put(made, expected=held.version):
        raise Fault("version_conflict", "somebody else has changed the costs meanwhile")
    _record("costs", gateway, held.value.lines, made.lines)
    return _taken(made.lines, given, held.version + 1, now_ms)


def delete_costs(gateway: str) -> None:
    """Forget what the gateway costs, with the next publishing. Raises Fault `not_found`."""
    held = costs(gateway)
    if not rule_rows.costs.delete(gateway):
        raise not_found("cost of that gateway")
    record_change.changed("costs", gateway, {"lines": len(held.value.lines)})


def _below_cost(made: RatePlan, given: Sequence[TariffLine], now_ms: int) -> dict[int, FieldFault]:
    """The given lines that are below cost, by their place; the plan's others were looked at in their time."""
    places = {line.key: place for place, line in enumerate(given)}
    tariff = Tariff(made.lines)
    faults: dict[int, FieldFault] = {}
    for loss in losses_of_plan(made, now_ms):
        line = tariff.at(loss.line.country, loss.line.operator, loss.from_ms)
        place = None if line is None else places.get(line.key)
        if place is not None:
            detail = f"row {place}: {described(loss)}"
            faults.setdefault(place, FieldFault(field=f"/{place}/price", code="below_cost", detail=detail))
    return dict(sorted(faults.items()))


def _meant(line: TariffLine) -> TariffLine:
    return msgspec.structs.replace(line, below_cost=True)


def _taken(lines: Sequence[TariffLine], given: Sequence[TariffLine], version: int, now_ms: int) -> Taken:
    known = {line.operator for line in rules.current(now_ms).numbering}
    unknown = sorted({line.operator for line in given if line.operator} - known)
    return Taken(version=version, lines=len(lines), unknown_operators=tuple(unknown))


def _record(kind: str, id_: str, before: Sequence[TariffLine], after: Sequence[TariffLine]) -> None:
    """Tell the audit log what was changed: how many lines, and the first of them."""
    was, now = _told(before), _told(after)
    differing = sorted(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
    shown = differing[:MAX_AUDITED]
    record_change.changed(
        kind,
        id_,
        {"lines": len(was), **{key: was[key] for key in shown if key in was}},
        {"lines": len(now), "lines_changed": len(differing), **{key: now[key] for key in shown if key in now}},
    )


def _told(lines: Sequence[TariffLine]) -> dict[str, str]:
    return {
        f"{line.country}/{line.operator or '*'}/{line.from_ms}": format_amount(line.amount_micros)
        + " below cost" * line.below_cost
        for line in lines
    }
