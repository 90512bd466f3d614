"""Keep gateways: the row, the password as a secret of its own, and the queues that its messages wait on."""

from typing import Final

from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.rules import Gateway
from chalicelib.services import record_change
from chalicelib.services.drop_row import drop_row
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.store import made_queues, rule_rows, secrets
from chalicelib.store.rows import MUST_BE_NEW, Row

# A gateway's bulk queue is named after it: no other gateway may be named like it.
_TAKEN_ENDING: Final = "-bulk"


def create_gateway(gateway: Gateway, password: str) -> Row[Gateway]:
    """The gateway, with its secret and queues; it is used once published. Raises Fault `already_exists`.

    The row comes first, so that nobody's secret is overwritten. Where what follows fails, a change of the gateway (with
    the password) makes up for it.
    """
    if gateway.id.endswith(_TAKEN_ENDING):
        raise invalid_field("/id", "not_allowed", "an id does not end in -bulk: queues of gateways do")
    _check(gateway)
    if not rule_rows.gateways.put(gateway, expected=MUST_BE_NEW):
        raise Fault("already_exists", f"there is a gateway {gateway.id}")
    record_change.changed("gateway", gateway.id, None, gateway)
    _equip(gateway, password)
    return Row(gateway, 1)


def change_gateway(gateway: Gateway, expected_version: int, password: str | None) -> Row[Gateway]:
    """The gateway over that version of it. Raises Fault `not_found`, `version_conflict`."""
    _check(gateway)
    held = rule_rows.gateways.get(gateway.id, consistent=True)
    if held is None:
        raise not_found("gateway")
    if not rule_rows.gateways.put(gateway, expected=expected_version):
        raise Fault("version_conflict", f"the gateway is at version {held.version}")
    record_change.changed("gateway", gateway.id, held.value, gateway)
    _equip(gateway, password)
    return Row(gateway, expected_version + 1)


def delete_gateway(gateway: str) -> None:
    """Take the gateway out of the rows. Its queues and secret stay: messages may wait there until the next publishing.

    Raises Fault `not_found`, `in_use`.
    """
    users = [
        route.id
        for route in rule_rows.routes.everything()
        if any(target.gateway == gateway for target in route.targets)
    ]
    if users:
        raise Fault("in_use", f"routes lead to it: {', '.join(users[:10])}")
    drop_row("gateway", rule_rows.gateways, gateway)


def _check(gateway: Gateway) -> None:
    if gateway.sender_override is None:
        return
    try:
        parse_sender(gateway.sender_override)
    except BadSender as error:
        raise invalid_field("/sender_override", error.code, str(error)) from None


def _equip(gateway: Gateway, password: str | None) -> None:
    if password is not None:
        secrets.put(secrets.gateway_password(gateway.id), password)
    made_queues.create_gateway_queues(gateway.id)
