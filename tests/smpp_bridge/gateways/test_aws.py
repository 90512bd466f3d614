"""The bridge on the real store, AWS in this process: from a gateway's queue to ⟨outcomes⟩ and a deleted record."""

import asyncio
import threading
from typing import Any

import msgspec
import pytest

from chalicelib.domain.facts import Submitted
from chalicelib.domain.ids import day_at
from chalicelib.domain.waiting_order import Fate, WaitingOrder
from chalicelib.settings import Settings
from chalicelib.store import aws as clients
from chalicelib.store import (
    binds,
    dispatches,
    gateway_beats,
    leases,
    made_queues,
    messages,
    queues,
    rules,
    secrets,
    waiting_orders,
)
from chalicelib.store.leases import Bridge
from chalicelib.store.messages import Noted
from chalicelib.wire import AttemptOutcome, EndOutcome, OutcomeBundle, ReceiptOutcome, SubmitOutcome, decode
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.aws import BEHIND, AwsPlatform
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.platform import Holder
from smpp_bridge.main import run as run_bridge
from smpp_bridge.settings import BridgeSettings
from tests.smpp_bridge.gateways.world import bundle, dispatch, gateway, now_ms, run, until

SETTINGS = BridgeSettings(port=0, poll_seconds=0.1, receive_seconds=1)
PASSWORD = "s3cret"


def publish(port: int, **given: Any) -> None:
    made_queues.create_gateway_queues("gw")
    secrets.put(secrets.gateway_password("gw"), PASSWORD)
    rules.publish([gateway(port, **given)], [], [], by="test", note="", now_ms=now_ms())


def outcomes() -> list[Any]:
    """What lies on ⟨outcomes⟩ now."""
    found: list[Any] = []
    while records := queues.receive(queues.OUTCOMES, wait_seconds=0):
        for record in records:
            told = decode(record.body)
            assert isinstance(told, OutcomeBundle)
            found += told.outcomes
    return found


def left(queue: str) -> int:
    attributes = clients.client("sqs").get_queue_attributes(QueueUrl=queues.url(queue), AttributeNames=["All"])
    counted = attributes["Attributes"]
    return int(counted["ApproximateNumberOfMessages"]) + int(counted["ApproximateNumberOfMessagesNotVisible"])


def test_a_message_goes_from_its_queue_to_the_smsc_and_its_receipt_to_outcomes(aws: Settings) -> None:
    async def main() -> None:
        async with Smsc(Config(password=PASSWORD, receipt_delay_seconds=0.1)) as smsc:
            publish(smsc.port)
            message = dispatch(text="¿Qué tal? 👋 " * 20)
            queues.send("gateway-gw", bundle(message))
            queues.send("gateway-gw-bulk", bundle(dispatch("+34600000010", priority="bulk")))
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: smsc.stats.receipts_acked == smsc.stats.accepted > 0)
            await until(lambda: left("gateway-gw") == left("gateway-gw-bulk") == 0)
            stop.set()
            await bridge
            told = outcomes()
            parts = [one for one in told if isinstance(one, SubmitOutcome)]
            assert [one.message for one in parts] == [message.id] * len(parts)
            assert len(parts) == parts[0].parts == smsc.stats.accepted > 1
            assert len([one for one in told if isinstance(one, ReceiptOutcome)]) == len(parts)
            assert [one.status for one in told if isinstance(one, EndOutcome)] == ["rejected"]
            assert smsc.stats.sessions == 0

    run(main())


def test_a_canceled_dispatch_is_told_and_not_submitted(aws: Settings) -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            publish(smsc.port)
            canceled = bundle(dispatch())
            assert dispatches.claim(canceled.id, dispatches.CANCEL, now_ms()).fresh
            queues.send("gateway-gw", canceled)
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: left("gateway-gw") == 0)
            stop.set()
            await bridge
            assert [one.status for one in outcomes()] == ["canceled"]
            assert smsc.stats.submits == 0

    run(main())


def test_a_receipt_is_not_acknowledged_while_sqs_fails(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    down = threading.Event()
    send_many = queues.send_many

    def failing(queue: str, bundles: Any) -> None:
        if down.is_set():
            raise queues.Undelivered("by the test")
        send_many(queue, bundles)

    monkeypatch.setattr(queues, "send_many", failing)

    async def main() -> None:
        settings = Config(receipt_delay_seconds=0.3, receipt_retry_seconds=0.3)
        async with Smsc(settings) as smsc:
            publish(smsc.port)
            queues.send("gateway-gw", bundle(dispatch()))
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: left("gateway-gw") == 0)
            down.set()
            await until(lambda: smsc.stats.receipts_refused >= 1)
            assert smsc.stats.receipts_acked == 0
            down.clear()
            await until(lambda: smsc.stats.receipts_acked == 1)
            stop.set()
            await bridge
            assert [type(one) for one in outcomes()] == [SubmitOutcome, ReceiptOutcome]

    run(main())


def test_who_asks_first_has_the_claim_and_asking_again_changes_nothing(aws: Settings) -> None:
    now = [now_ms()]
    clock = Clock(epoch_ms=lambda: now[0])

    async def main() -> None:
        platform = AwsPlatform(clock, receive_seconds=0, settled_seconds=30)
        row = Bridge(id="bridge_1", beat=1, at_ms=now[0])
        leases.join(row)
        at = now[0]
        assert await platform.claim("d", "bridge_1", at) is Holder.NOW_OURS
        assert await platform.claim("d", "bridge_1", at) is Holder.NOW_OURS  # the answer was lost, say
        assert await platform.claim("d", "bridge_1", at + 1) is Holder.AT_WORK  # delivered again
        assert await platform.claim("d", "bridge_2", at) is Holder.AT_WORK
        now[0] += 30_000
        assert await platform.claim("d", "bridge_1", at + 1) is Holder.EARLIER
        assert await platform.claim("d", "bridge_2", now[0]) is Holder.AT_WORK
        leases.fence(row)
        assert await platform.claim("d", "bridge_2", now[0]) is Holder.EARLIER
        dispatches.claim("c", dispatches.CANCEL, at)
        assert await platform.claim("c", "bridge_1", at) is Holder.CANCELED

    run(main())


def test_while_settle_is_behind_nobody_goes_by_what_the_log_does_not_tell(aws: Settings) -> None:
    now = [1_000.0]
    made_ms = now_ms()
    clock = Clock(monotonic=lambda: now[0], epoch_ms=lambda: made_ms + int(now[0] * 1000))

    async def asked(after_seconds: float) -> Holder | Fate:
        now[0] += after_seconds
        return await platform.claim("d", "bridge_2", clock.epoch_ms())

    platform = AwsPlatform(clock, receive_seconds=0, settled_seconds=30)
    dispatches.claim("d", "a bridge that died", clock.epoch_ms())
    told = [OutcomeBundle(id=str(number), outcomes=()) for number in range(BEHIND + 1)]
    queues.send_many(queues.OUTCOMES, told)
    assert run(asked(120)) is Holder.AT_WORK
    (record,) = queues.receive(queues.OUTCOMES, 1, 0)
    queues.delete_many(queues.OUTCOMES, [record.handle])
    assert run(asked(1)) is Holder.AT_WORK  # it was looked a moment ago
    assert run(asked(5)) is Holder.EARLIER
    queues.send_many(queues.OUTCOMES, told)
    assert run(asked(5)) is Holder.AT_WORK
    assert run(asked(30 * 60)) is Holder.EARLIER  # not for ever


def test_a_redelivered_record_is_taken_up_by_the_log(aws: Settings) -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            publish(smsc.port)
            done, open_ = dispatch(), dispatch()
            again = bundle(done, open_)
            dispatches.claim(again.id, "bridge_that_died", now_ms() - 30_000)
            fact = Submitted(at_ms=1, part=1, parts=1, gateway="gw", smsc_message_id="1", session="s")
            messages.put_facts([Noted("acc_1", done.id, fact, 90)])
            queues.send("gateway-gw", again)
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: left("gateway-gw") == 0)
            stop.set()
            await bridge
            assert [(one.message, one.status) for one in outcomes()] == [(open_.id, "unknown")]
            assert smsc.stats.submits == 0

    run(main())


def test_what_waits_without_a_session_is_moved_by_order_and_goes_out_elsewhere_once(aws: Settings) -> None:
    async def main() -> None:
        async with Smsc(Config(password=PASSWORD, receipts=False)) as smsc:
            publish(smsc.port)
            made_queues.create_gateway_queues("down")
            gateways = [gateway(smsc.port), gateway(1, "down")]
            rules.publish(gateways, [], [], by="test", note="", now_ms=now_ms())
            waits = bundle(*(dispatch() for _ in range(12)), gateway="down")
            waits = msgspec.structs.replace(waits, id=f"{waits.id}/gateway-down", since_ms=now_ms())
            queues.send("gateway-down", waits)
            ordered = WaitingOrder(id="ord_1", gateway="down", deed="move", at_ms=now_ms(), by="test", to="gw")
            waiting_orders.create(ordered)
            stop = asyncio.Event()
            running = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: smsc.stats.accepted == 12)
            await until(lambda: left("gateway-down") == left("gateway-gw") == 0)
            stop.set()
            await running
            told = outcomes()
            assert {one.gateway for one in told if isinstance(one, SubmitOutcome)} == {"gw"}
            assert {one.next for one in told if isinstance(one, AttemptOutcome)} == {"fail over to gw"}
            assert {dispatches.claim(f"{waits.id}{place}", "x", 0).by for place in ("", "#10")} == {"move/gw"}
            progress = waiting_orders.get("ord_1")
            assert progress is not None
            assert progress.messages == 12
            assert {beat.gateway for beat in gateway_beats.everyone()} == {"gw", "down"}
            lines = binds.of_day(day_at(now_ms()), None, 100)
            assert {(line.name, line.kind) for line in lines} >= {("gw", "bound"), ("gw", "unbound")}

    run(main())


@pytest.mark.parametrize("fate", [Fate("purge"), Fate("expire"), Fate("move", "other")], ids=lambda fate: fate.deed)
def test_a_claim_for_a_fate_says_so_to_whoever_comes_and_is_given_once(aws: Settings, fate: Fate) -> None:
    async def main() -> None:
        platform = AwsPlatform(Clock(), receive_seconds=0, settled_seconds=30.0)
        at_ms = now_ms()
        assert await platform.claim("one", fate.claimant, at_ms) is Holder.NOW_OURS
        assert await platform.claim("one", fate.claimant, at_ms) is Holder.NOW_OURS  # asked twice: the answer was lost
        assert await platform.claim("one", fate.claimant, at_ms + 1) == fate
        assert await platform.claim("one", "bridge_1", at_ms) == fate
        assert await platform.claim("two", "bridge_1", at_ms - 60_000) is Holder.NOW_OURS
        assert await platform.claim("two", fate.claimant, at_ms) is Holder.EARLIER  # of a bridge that is gone
        assert dispatches.taken(["one", "two"]) == {"two"}
        assert dispatches.is_taken("one") is (fate.deed == "move")  # where it may be submitted by now
        platform.close()

    run(main())
