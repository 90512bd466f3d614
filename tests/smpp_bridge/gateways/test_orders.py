"""Orders for what waits at a gateway: moved or purged once, session or none, however often it is begun."""

import time
from typing import Any

import msgspec
import pytest

from chalicelib.domain.facts import FAILED_OVER
from chalicelib.domain.status import Status
from chalicelib.domain.waiting_order import Deed, Fate, WaitingOrder
from chalicelib.wire import AttemptOutcome, DispatchBundle, EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.platform import Holder
from tests.smpp_bridge.gateways.test_failover import many
from tests.smpp_bridge.gateways.world import QUICK, Memory, bridge, bundle, dispatch, gateway, now_ms, run, until

QUIET = Config(receipts=False)
NOWHERE = 1  # a port that nobody listens on
SOON = msgspec.structs.replace(QUICK, absent=0.2, unbound=60.0)  # so soon it is taken that there is no session


def ordered(deed: Deed, **more: Any) -> WaitingOrder:
    return WaitingOrder(id=f"ord_{deed}", gateway="gw", deed=deed, at_ms=now_ms() + 60_000, by="test", **more)


def shared(count: int, **given: Any) -> DispatchBundle:
    """A record as it is charged: several messages, since when they wait, the queue in its name."""
    record = bundle(*many(count, **given))
    return msgspec.structs.replace(record, id=f"{record.id}/gateway-gw", since_ms=now_ms())


def messages(*bundles: DispatchBundle) -> set[str]:
    return {one.id for made in bundles for one in made.messages}


def purged(platform: Memory) -> set[str]:
    ends = [end for end in platform.of(EndOutcome) if end.error is not None and end.error.code == "purged"]
    assert {(end.status, end.refundable) for end in ends} <= {(Status.CANCELED, True)}
    return {end.message for end in ends}


def moved(platform: Memory, to: str = "other") -> set[str]:
    """What lies on the other gateway's queue, as the log is told; and nothing else is told of it."""
    told = {one.message for one in platform.of(AttemptOutcome) if one.next == FAILED_OVER + to}
    handed = [made for queue, made in platform.dispatched if queue == f"gateway-{to}"]
    assert {made.gateway for made in handed} <= {to}
    assert len({made.id for made in handed}) == len(messages(*handed))  # each under a name of its own
    return messages(*handed) & told


def bring_back(platform: Memory) -> set[str]:
    """Have the queue bring what the bridge sent there again. Nothing, to be asked for among other conditions."""
    platform.deliver_here("gw")
    return set()


def submitted(platform: Memory) -> set[str]:
    return {outcome.message for outcome in platform.of(SubmitOutcome)}


@pytest.mark.parametrize("session", [True, False], ids=["bound", "no session"])
@pytest.mark.parametrize("deed", ["purge", "move"])
def test_what_waits_is_done_with_as_ordered_wherever_it_waits(deed: Deed, session: bool) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            port = smsc.port if session else NOWHERE
            platform = Memory(gateway(port, messages_per_second=20.0), gateway(port, "other", state="active"))
            records = [shared(30) for _ in range(4)]
            for record in records:
                platform.put(record)
            async with bridge(platform, pace=SOON):
                if session:
                    await until(lambda: smsc.stats.accepted >= 3)
                platform.orders = [ordered(deed, to="other" if deed == "move" else "")]
                began = time.monotonic()
                done = purged if deed == "purge" else moved
                await until(lambda: bring_back(platform) | done(platform) | submitted(platform) == messages(*records))
                assert time.monotonic() - began < 6
                await until(lambda: len(platform.deleted) >= 4)
            assert not done(platform) & submitted(platform)
            assert platform.ordered["ord_" + deed] == len(done(platform))
            assert session or not submitted(platform)

    run(main())


def test_an_order_is_for_whom_it_names_and_what_waited_then() -> None:
    """Another account's, another job's, what came later, what an SMSC has or may have, and test messages stay."""
    orders = HeardOrders(lambda gateway: gateway != "paused")
    mine = msgspec.structs.replace(shared(2, job="job_one"), account="acc_1", since_ms=1_000)
    late = msgspec.structs.replace(mine, since_ms=2_001)
    begun = msgspec.structs.replace(mine.messages[0], done=(1,))
    doubted = msgspec.structs.replace(mine.messages[0], in_doubt=True)
    test = dispatch(mode="test", job="job_one")
    plain = msgspec.structs.replace(ordered("purge"), at_ms=2_000)

    def concerns(order: WaitingOrder, made: DispatchBundle = mine, *messages: Any) -> bool:
        orders.hear([order])
        return orders.for_messages(made, messages or made.messages) is not None

    assert concerns(plain)
    assert concerns(msgspec.structs.replace(plain, account="acc_1", job="job_one"))
    assert not concerns(msgspec.structs.replace(plain, account="acc_2"))
    assert not concerns(msgspec.structs.replace(plain, account="acc_1", job="job_two"))
    assert not concerns(msgspec.structs.replace(plain, gateway="other"))
    assert not concerns(plain, late)
    assert not concerns(plain, mine, begun)
    assert not concerns(plain, mine, doubted)
    move = msgspec.structs.replace(plain, deed="move", to="other")
    assert concerns(move)
    assert not concerns(move, mine, test)
    assert concerns(msgspec.structs.replace(move, to_simulator=True), mine, test)
    assert not concerns(msgspec.structs.replace(move, to="paused"))


@pytest.mark.parametrize("fate", [Fate("purge"), Fate("expire"), Fate("move", "other")], ids=lambda fate: fate.deed)
def test_what_a_bridge_that_died_had_claimed_for_its_fate_is_seen_to_by_the_next_one(fate: Fate) -> None:
    """Whatever is ordered by now; and nothing of it is submitted, though a bridge's claim would have it sent again."""

    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port), gateway(smsc.port, "other"))
            record = shared(3, priority="high")
            platform.fates[record.id] = fate
            platform.put(record)
            async with bridge(platform, pace=SOON):
                await until(lambda: platform.deleted)
            codes = {end.error.code for end in platform.of(EndOutcome) if end.error}
            if fate.deed == "move":
                assert moved(platform) == messages(record)
            else:
                assert codes == {"purged" if fate.deed == "purge" else "waited_too_long"}
            assert smsc.stats.submits == 0
            assert not platform.ordered  # it was counted by whoever claimed it

    run(main())


def test_what_a_bridge_that_died_may_have_submitted_is_neither_moved_nor_paid_back() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.orders = [ordered("purge")]
            bulk, urgent = shared(1, priority="bulk"), shared(1, priority="high")
            for record in (bulk, urgent):
                platform.claims[record.id] = Holder.EARLIER
                platform.put(record)
            async with bridge(platform, pace=SOON):
                await until(lambda: len(platform.deleted) == 2)
            assert [(end.message, end.status, end.refundable) for end in platform.of(EndOutcome)] == [
                (bulk.messages[0].id, Status.UNKNOWN, False)
            ]
            assert submitted(platform) == messages(urgent)

    run(main())


def test_while_aws_is_not_well_nothing_is_lost_and_a_claim_asked_for_twice_is_one() -> None:
    async def main() -> None:
        platform = Memory(gateway(NOWHERE), gateway(NOWHERE, "other"))
        platform.orders = [ordered("move", to="other")]
        platform.unwell = {"claim", "send_dispatches", "count_ordered"}
        record = shared(12)
        platform.put(record)
        async with bridge(platform, pace=SOON):
            await until(lambda: platform.hidden or platform.waiting["gateway-gw"] == [])
            platform.unwell = {"send_dispatches"}
            await until(lambda: len(platform.fates) == 2)  # its two slices
            assert not platform.deleted
            platform.unwell = set()
            await until(lambda: platform.deleted)
        assert moved(platform) == messages(record)

    run(main())


def test_an_order_to_a_gateway_that_is_not_in_force_rests_until_it_is() -> None:
    async def main() -> None:
        platform = Memory(gateway(NOWHERE), gateway(NOWHERE, "other", state="paused"))
        platform.orders = [ordered("move", to="other")]
        record = shared(3)
        platform.put(record)
        async with bridge(platform, pace=SOON) as supervisor:
            await until(lambda: supervisor.workers["gw"].intake.held_messages == 3)
            assert not platform.fates
            platform.publish(gateway(NOWHERE), gateway(NOWHERE, "other"), number=2)
            await until(lambda: moved(platform) == messages(record))

    run(main())


@pytest.mark.parametrize(
    ("of_account", "of_gateway"), [(500, None), (None, 1), (3_600_000, 1)], ids=["account", "gateway", "both"]
)
def test_what_waits_for_longer_than_it_may_expires_though_it_is_valid(
    of_account: int | None, of_gateway: int | None
) -> None:
    async def main() -> None:
        platform = Memory(gateway(NOWHERE, max_wait_seconds=of_gateway))
        since_ms = now_ms()
        record = msgspec.structs.replace(shared(3), wait_until_ms=since_ms + of_account if of_account else 0)
        platform.put(record)
        async with bridge(platform, pace=SOON):
            await until(lambda: len(platform.of(EndOutcome)) == 3)
        ends = platform.of(EndOutcome)
        assert {(end.status, end.error and end.error.code, end.refundable) for end in ends} == {
            (Status.EXPIRED, "waited_too_long", True)
        }

    run(main())


def test_a_part_that_waits_for_its_turn_is_sent_however_long_the_message_has_waited() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=4.0))
            long = bundle(dispatch(text="x" * 400))  # three parts: a second and more
            record = msgspec.structs.replace(long, since_ms=now_ms(), wait_until_ms=now_ms() + 700)
            platform.put(record)
            async with bridge(platform, pace=SOON):
                await until(lambda: len(platform.of(SubmitOutcome)) == 3)
            assert not platform.of(EndOutcome)

    run(main())
