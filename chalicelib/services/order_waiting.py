"""Order what is to become of messages that wait at a gateway: to be moved to another one, or ended and paid back."""

from chalicelib.domain import ids
from chalicelib.domain.waiting_order import WaitingOrder
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.store import accounts, jobs, rule_rows, rules, waiting_orders
from chalicelib.store.waiting_orders import Progress


def order(wanted: WaitingOrder, now_ms: int) -> Progress:
    """The order, under an id of its own, for what waits now. Bridges hear of it within a second.

    Where no bridge holds the gateway, a sweep sees to it within a minute. Raises Fault `not_found`, `invalid_request`.
    """
    published = {gateway.id: gateway for gateway in rules.current(now_ms).gateways}
    if wanted.gateway not in published and rule_rows.gateways.get(wanted.gateway, consistent=True) is None:
        raise not_found("gateway")
    _check_whose(wanted)
    to_simulator = False
    if wanted.deed == "move":
        target = published.get(wanted.to)
        if target is None or target.state != "active":
            raise invalid_field("/to", "not_in_force", "there is no such gateway in force, or it is not active")
        if wanted.to == wanted.gateway:
            raise invalid_field("/to", "not_allowed", "they wait there already")
        to_simulator = target.simulator
    made = WaitingOrder(
        id=ids.new_id("ord", now_ms),
        gateway=wanted.gateway,
        deed=wanted.deed,
        at_ms=now_ms,
        by=wanted.by,
        to=wanted.to,
        to_simulator=to_simulator,
        account=wanted.account,
        job=wanted.job,
        why=wanted.why,
    )
    progress = waiting_orders.create(made)
    record_change.changed("waiting_order", made.id, None, made, account=made.account)
    return progress


def withdraw(order_id: str, now_ms: int) -> Progress:
    """The order, followed no longer; what was done in its name stays done. Raises Fault `not_found`."""
    held = read(order_id)
    if waiting_orders.close(order_id, "withdrawn", now_ms):
        account = held.order.account
        record_change.changed("waiting_order", order_id, {"state": held.state}, {"state": "withdrawn"}, account=account)
    return read(order_id)


def read(order_id: str) -> Progress:
    """The order as it stands. Raises Fault `not_found`."""
    held = waiting_orders.get(order_id)
    if held is None:
        raise not_found("order")
    return held


def _check_whose(wanted: WaitingOrder) -> None:
    if wanted.account is None:
        if wanted.job is not None:
            raise invalid_field("/account", "missing", "a job is named together with its account")
        return
    if accounts.get(wanted.account) is None:
        raise invalid_field("/account", "not_found", "there is no such account")
    if wanted.job is not None and jobs.get(wanted.account, wanted.job) is None:
        raise invalid_field("/job", "not_found", "the account has no such job")
