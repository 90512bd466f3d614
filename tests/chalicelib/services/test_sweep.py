"""A sweep does with what waits at a gateway that no bridge holds as is ordered: once, whoever dies and comes by."""

from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.waiting_order import Deed, WaitingOrder
from chalicelib.services.cancel import cancel
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.settle import settle
from chalicelib.services.sweep import DONE_MS, sweep
from chalicelib.store import accounts, dispatches, leases, queues, rules, waiting_orders
from chalicelib.store.leases import Bridge
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, OTHER_GATEWAY, PRICE_MICROS

CREDIT = 100 * PRICE_MICROS
LATER_MS = NOW_MS + 60_000
pytestmark = pytest.mark.usefixtures("aws")


class Dies(Exception):
    """Where the process is killed."""


@pytest.fixture(autouse=True)
def charged(aws: Any) -> list[str]:
    """Twelve messages in one bundle, two slices, and one alone: charged, and waiting at the gateway."""
    world.open_account(credit_micros=CREDIT)
    gateways = [Gateway(id=id_, name=id_, host="h", port=1, system_id="s") for id_ in (GATEWAY, OTHER_GATEWAY)]
    rules.publish(gateways, [], [], by="test", note="", now_ms=NOW_MS)
    many, alone = [world.draft() for _ in range(12)], world.draft()
    charge([world.routed(*many), world.routed(alone)], NOW_MS)
    return [one.id for one in (*many, alone)]


def order(deed: Deed, id_: str = "ord_1", **more: Any) -> None:
    plain = {"gateway": GATEWAY, "at_ms": LATER_MS, "by": "test", "to": OTHER_GATEWAY if deed == "move" else ""}
    waiting_orders.create(WaitingOrder(id=id_, deed=deed, **{**plain, **more}))


def swept(now_ms: int = LATER_MS) -> int:
    return sweep(now_ms, lambda: True)


def told() -> None:
    """Have settle note what was told, twice: a record may come again."""
    outcomes = [bundle for bundle in world.waiting("outcomes") if isinstance(bundle, wire.OutcomeBundle)]
    settle(outcomes, LATER_MS)
    settle(outcomes, LATER_MS)


def moved() -> set[str]:
    """What waits at the other gateway: by name, since a record may be there twice, and is claimed once."""
    found = {one.id: one for one in world.waiting(f"gateway-{OTHER_GATEWAY}") if isinstance(one, wire.DispatchBundle)}
    assert all(one.gateway == OTHER_GATEWAY and one.since_ms >= LATER_MS for one in found.values())
    messages = [message.id for one in found.values() for message in one.messages]
    assert len(messages) == len(set(messages))
    return set(messages)


def left() -> set[str]:
    waiting = world.waiting(f"gateway-{GATEWAY}")
    return {message.id for one in waiting if isinstance(one, wire.DispatchBundle) for message in one.messages}


def test_what_is_purged_ends_once_and_is_paid_back_once(charged: list[str]) -> None:
    order("purge")
    assert (swept(), swept()) == (13, 0)
    told()
    assert {world.status(message) for message in charged} == {Status.CANCELED}
    error = world.message(charged[0]).error
    assert error is not None
    assert error.code == "purged"
    assert world.balance() == world.ledger_sum() == CREDIT
    assert (left(), moved()) == (set(), set())


def test_what_is_moved_waits_at_the_other_gateway_at_the_price_that_was_paid(charged: list[str]) -> None:
    order("move")
    assert swept() == 13
    told()
    assert moved() == set(charged)
    assert {world.status(message) for message in charged} == {Status.QUEUED}
    assert world.balance() == CREDIT - 13 * PRICE_MICROS
    assert left() == set()


@pytest.mark.parametrize(("deed", "dies_at"), [("purge", 1), ("purge", 2), ("move", 1), ("move", 3)])
def test_a_sweep_that_dies_anywhere_is_carried_on_by_the_next(
    charged: list[str], monkeypatch: pytest.MonkeyPatch, deed: Deed, dies_at: int
) -> None:
    """Before and after each send and delete; its records come again, as SQS has it."""
    order(deed)
    steps = iter(range(100))
    for name in ("send_many", "delete_many"):
        real = getattr(queues, name)

        def dying(*given: Any, _real: Any = real) -> None:
            if next(steps) == dies_at:
                raise Dies
            _real(*given)

        monkeypatch.setattr(queues, name, dying)
    with pytest.raises(Dies):
        swept()
    monkeypatch.undo()
    come_again()
    swept(LATER_MS + 1)
    told()
    if deed == "purge":
        assert {world.status(message) for message in charged} == {Status.CANCELED}
        assert world.balance() == world.ledger_sum() == CREDIT
    else:
        assert moved() == set(charged)
        assert world.balance() == CREDIT - 13 * PRICE_MICROS
    assert left() == set()


def come_again() -> None:
    """What is in somebody's hands is visible again, as after a while."""
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.sqs.models import sqs_backends

    for backend in sqs_backends[DEFAULT_ACCOUNT_ID].values():
        for queue in backend.queues.values():
            for message in queue._messages:
                message.change_visibility(0)


def test_what_a_bridge_has_claimed_stays_and_what_is_canceled_is_canceled(charged: list[str]) -> None:
    order("purge")
    bundles = [one for one in world.waiting(f"gateway-{GATEWAY}") if isinstance(one, wire.DispatchBundle)]
    (many,) = [one for one in bundles if len(one.messages) > 1]
    (alone,) = [one for one in bundles if len(one.messages) == 1]
    queues.send_many(f"gateway-{GATEWAY}", bundles)
    dispatches.claim(f"{many.id}#10", "bridge_1", NOW_MS)  # its second slice
    dispatches.claim(alone.id, dispatches.CANCEL, NOW_MS)
    assert swept() == 10
    told()
    assert {world.status(message) for message in charged[:10]} == {Status.CANCELED}
    assert {world.status(message) for message in charged[10:12]} == {Status.QUEUED}
    error = world.message(charged[12]).error
    assert error is not None
    assert error.code == "canceled"
    assert world.balance() == CREDIT - 2 * PRICE_MICROS
    assert left() == set(charged[:12])  # whole, as it came: a bridge finds what is claimed of it


def test_what_no_order_is_for_stays_and_is_no_dead_letter_however_often_it_is_looked_at(charged: list[str]) -> None:
    order("purge", "ord_1", account="acc_other")
    order("purge", "ord_2", account=ACCOUNT, job="job_1")
    order("purge", "ord_3", at_ms=NOW_MS - 1)
    for minute in range(queues.RECEIVES_BEFORE_DEAD + 1):
        assert swept(LATER_MS + minute * 60_000) == 0
    assert left() == set(charged)
    assert world.waiting("dead") == []


def test_a_gateway_that_a_bridge_holds_is_left_to_it_until_it_is_gone(charged: list[str]) -> None:
    order("purge")
    leases.join(Bridge(id="bridge_1", beat=1, at_ms=LATER_MS))
    leases.take((GATEWAY, 0), "bridge_1", None)
    assert swept() == 0
    assert swept(LATER_MS + 61_000) == 13


@pytest.mark.parametrize("deed", ["purge", "move"])
def test_a_customer_may_cancel_what_was_purged_and_no_more_what_was_moved(charged: list[str], deed: Deed) -> None:
    account = accounts.get(ACCOUNT)
    assert account is not None
    order(deed)
    swept()
    if deed == "move":
        with pytest.raises(Fault, match="handed to its gateway"):
            cancel(account, charged[12], LATER_MS)
    else:
        assert cancel(account, charged[12], LATER_MS).status is Status.CANCELED
    told()
    assert world.balance() == world.ledger_sum() == CREDIT - (13 * PRICE_MICROS if deed == "move" else 0)


def test_an_order_ends_when_nothing_is_left_that_it_could_be_for(charged: list[str]) -> None:
    order("purge")
    swept()
    assert waiting_orders.all_open()
    swept(LATER_MS + DONE_MS)
    found = waiting_orders.get("ord_1")
    assert found is not None
    assert (found.state, found.messages, found.closed_ms) == ("done", 13, LATER_MS + DONE_MS)
    assert waiting_orders.all_open() == []
    assert not waiting_orders.close("ord_1", "withdrawn", LATER_MS)


def test_of_two_orders_the_older_counts_and_an_order_that_is_withdrawn_no_more() -> None:
    order("move", "ord_1")
    order("purge", "ord_2")
    waiting_orders.close("ord_1", "withdrawn", LATER_MS)
    order("move", "ord_3")
    assert swept() == 13
    assert moved() == set()
