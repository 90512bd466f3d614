"""Steer a gateway: pause it, drain it, have it go on. It takes effect within seconds, and publishes nothing else."""

from typing import Final

import msgspec

from chalicelib.domain.rules import GatewayState, Rules
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, not_found
from chalicelib.store import rule_rows, rules

_ATTEMPTS: Final = 10  # administrators who change or publish at the same moment


class Steered(msgspec.Struct, frozen=True, kw_only=True):
    """`rules`: the number of the snapshot that says so; None where the gateway is in none, and so not used."""

    gateway: str
    state: GatewayState
    rules: int | None


def steer(gateway: str, state: GatewayState, who: str, now_ms: int) -> Steered:
    """The gateway in that state, as it is edited and as it is published. Doing it again publishes nothing.

    Raises Fault `not_found`, `version_conflict`. The row comes first: where the snapshot is not written, the next call
    writes it, and so does whoever publishes.
    """
    before = _edit(gateway, state)
    published = _publish(gateway, state, who, now_ms)
    if before is None and published is None:
        raise not_found("gateway")
    if before is not None and before != state:
        record_change.changed("gateway", gateway, {"state": before}, {"state": state})
    return Steered(gateway=gateway, state=state, rules=published)


def _edit(gateway: str, state: GatewayState) -> GatewayState | None:
    """The state that the row had; None where there is none, as when it is deleted and still published."""
    for _ in range(_ATTEMPTS):
        row = rule_rows.gateways.get(gateway, consistent=True)
        if row is None or row.value.state == state:
            return row.value.state if row else None
        if rule_rows.gateways.put(msgspec.structs.replace(row.value, state=state), expected=row.version):
            return row.value.state
    raise Fault("version_conflict", "the gateway keeps changing")


def _publish(gateway: str, state: GatewayState, who: str, now_ms: int) -> int | None:
    """The number of the newest snapshot, in which the gateway is in that state; None where it is not in it."""
    for _ in range(_ATTEMPTS):
        number = rules.newest_number()
        newest = rules.get(number) if number else None
        held = next((one for one in newest.gateways if one.id == gateway), None) if newest else None
        if newest is None or held is None:
            return None
        if held.state == state or rules.put_over(newest, _changed(newest, gateway, state, who, now_ms)):
            return number if held.state == state else number + 1
    raise Fault("version_conflict", "others kept publishing at the same time")


def _changed(newest: Rules, gateway: str, state: GatewayState, who: str, now_ms: int) -> Rules:
    gateways = (msgspec.structs.replace(one, state=state) if one.id == gateway else one for one in newest.gateways)
    return msgspec.structs.replace(
        newest,
        number=newest.number + 1,
        published_ms=now_ms,
        published_by=who,
        note=f"{gateway}: {state}",
        gateways=tuple(gateways),
    )
