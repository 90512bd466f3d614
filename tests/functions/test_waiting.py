"""The sweep as its function does it: every minute, with what its policy allows, and no longer than its time."""

import time
from datetime import UTC, datetime

import pytest

from chalicelib.domain.rules import Gateway
from chalicelib.domain.waiting_order import WaitingOrder
from chalicelib.services.charge import charge
from chalicelib.store import rules, waiting_orders
from chalicelib.wire import EndOutcome, OutcomeBundle
from functions import waiting
from infra.local import pumps, schedules
from tests.chalicelib.services import world
from tests.chalicelib.services.world import GATEWAY, NOW_MS, OTHER_GATEWAY
from tests.functions.test_upkeep import NOON, fire
from tests.infra.test_permissions import Recorder


@pytest.mark.usefixtures("aws", "own_logging")
def test_a_sweep_each_minute_moves_and_purges_with_what_its_function_may(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import app

    due = {timer.function: schedules.parse(timer.expression) for timer in pumps.timers(app)}
    assert due["sweep"].next_after(NOON) == datetime(2026, 11, 22, 12, 3, tzinfo=UTC)
    now_ms = time.time_ns() // 1_000_000
    world.open_account()
    gateways = [Gateway(id=id_, name=id_, host="h", port=1, system_id="s") for id_ in (GATEWAY, OTHER_GATEWAY)]
    rules.publish(gateways, [], [], by="test", note="", now_ms=NOW_MS)
    charge([world.routed(world.draft()), world.routed(world.draft(), by=world.decision(OTHER_GATEWAY))], NOW_MS)
    for id_, gateway, to in (("ord_1", GATEWAY, ""), ("ord_2", OTHER_GATEWAY, GATEWAY)):
        deed = WaitingOrder(id=id_, gateway=gateway, deed="purge", at_ms=now_ms, by="test")
        move = WaitingOrder(id=id_, gateway=gateway, deed="move", at_ms=now_ms, by="test", to=to)
        waiting_orders.create(move if to else deed)
    with monkeypatch.context() as late:
        late.setattr(waiting, "_SECONDS", -1.0)  # its time is over: nothing is begun
        fire("sweep")
    assert world.waiting("outcomes") == []
    with Recorder().allowed("sweep"):
        fire("sweep")
    told = [
        outcome
        for bundle in world.waiting("outcomes")
        if isinstance(bundle, OutcomeBundle)
        for outcome in bundle.outcomes
    ]
    assert [type(outcome) is EndOutcome for outcome in told] == [True, False]
    assert len(world.waiting(f"gateway-{GATEWAY}")) == 1
    assert [waiting_orders.get(id_).messages for id_ in ("ord_1", "ord_2")] == [1, 1]  # type: ignore[union-attr]
