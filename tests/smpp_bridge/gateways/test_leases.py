"""Bridges share a gateway's sessions; who dies is replaced, and who loses its lease submits nothing more."""

import asyncio
import time

from chalicelib.store.leases import Bridge
from chalicelib.wire import EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.leases import Terms
from smpp_bridge.gateways.supervisor import Supervisor
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

QUIET = Config(receipts=False)
SHORT = Terms(lease_seconds=0.8)


def held(supervisor: Supervisor) -> int:
    return len(supervisor.keeper.held("gw"))


def bound(supervisor: Supervisor) -> int:
    worker = supervisor.workers.get("gw")
    return sum(slot.bound for slot in worker.slots) if worker else 0


def test_two_bridges_have_one_session_each_and_half_the_rate() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, sessions=2, messages_per_second=100.0))
            async with bridge(platform, SHORT) as first:
                await until(lambda: bound(first) == 2)
                assert first.workers["gw"].submitter.rate == 100.0
                async with bridge(platform, SHORT) as second:
                    await until(lambda: (bound(first), bound(second)) == (1, 1))
                    assert {worker.submitter.rate for one in (first, second) for worker in one.workers.values()} == {50}
                    assert smsc.stats.sessions == 2
                    await until(lambda: first.keeper.bound_elsewhere("gw"))
                started = time.monotonic()
                await until(lambda: bound(first) == 2)  # what a drained bridge leaves is free at once
                assert time.monotonic() - started < SHORT.lease_seconds
                assert first.workers["gw"].submitter.rate == 100.0

    run(main())


def test_never_are_there_more_sessions_than_the_gateway_allows() -> None:
    async def main() -> None:
        most = 0

        async def watch(smsc: Smsc) -> None:
            nonlocal most
            while True:
                most = max(most, smsc.stats.sessions)
                await asyncio.sleep(0.002)

        async with Smsc(QUIET) as smsc:
            watching = asyncio.create_task(watch(smsc))
            platform = Memory(gateway(smsc.port, sessions=3))
            async with bridge(platform, SHORT) as first, bridge(platform, SHORT) as second:
                await until(lambda: bound(first) + bound(second) == 3)
                async with bridge(platform, SHORT) as third:
                    await until(lambda: bound(first) == bound(second) == bound(third) == 1)
                await until(lambda: bound(first) + bound(second) == 3)
            watching.cancel()
        assert most == 3

    run(main())


def test_a_session_that_goes_to_another_bridge_answers_for_what_is_in_flight() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=300)) as smsc:
            platform = Memory(gateway(smsc.port, sessions=2, window=5))
            async with bridge(platform, SHORT) as first:
                await until(lambda: bound(first) == 2)
                platform.put(bundle(*(dispatch(f"+3460000{number:03}99") for number in range(10))))
                await until(lambda: smsc.stats.submits == 10)
                async with bridge(platform, SHORT) as second:
                    await until(lambda: bound(second) == 1)
            assert platform.of(EndOutcome) == []
            assert len(platform.of(SubmitOutcome)) == 10

    run(main())


def test_a_bridge_without_a_slot_takes_nothing_from_the_queue() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, sessions=1))
            async with bridge(platform, SHORT) as first, bridge(platform, SHORT) as second:
                await until(lambda: bound(first) + bound(second) == 1)
                idle = first if bound(second) else second
                for _ in range(20):
                    platform.put(bundle(dispatch()))
                await until(lambda: len(platform.deleted) == 20)
                assert idle.workers["gw"].counts.messages == 0

    run(main())


def test_without_a_lease_nothing_is_submitted_and_the_session_stays_for_a_while() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            async with bridge(platform, SHORT) as supervisor:
                await until(lambda: bound(supervisor))
                platform.leases.unwell = True
                await until(lambda: not supervisor.keeper.sure)
                platform.put(bundle(dispatch()))
                await asyncio.sleep(0.3)
                assert (smsc.stats.submits, smsc.stats.sessions) == (0, 1)
                assert supervisor.state()["lease"] is False
                platform.leases.unwell = False
                await until(lambda: platform.deleted)
                assert (smsc.stats.binds, supervisor.keeper.times_lost) == (1, 0)

    run(main())


def test_without_a_lease_for_long_the_sessions_are_closed_and_later_opened_again() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            async with bridge(platform, Terms(lease_seconds=0.4, away_seconds=0.3)) as supervisor:
                await until(lambda: bound(supervisor))
                platform.leases.unwell = True
                await until(lambda: smsc.stats.sessions == 0)
                platform.leases.unwell = False
                await until(lambda: bound(supervisor))

    run(main())


def test_a_bridge_that_others_found_gone_gives_back_what_it_had_and_begins_anew() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=1.0))
            async with bridge(platform, SHORT) as supervisor:
                await until(lambda: bound(supervisor))
                platform.put(bundle(*(dispatch(f"+3460000{number:03}99") for number in range(10))))
                await until(lambda: smsc.stats.submits == 1)
                name = supervisor.keeper.name
                platform.leases.bridges.clear()
                platform.leases.slots["gw", 0] = "another"
                platform.leases.bridges["another"] = Bridge(id="another", beat=1, at_ms=0)
                await until(lambda: smsc.stats.sessions == 0)
                await until(lambda: len(platform.dispatched) == 10 - smsc.stats.submits)
                assert (held(supervisor), supervisor.keeper.times_lost) == (0, 1)
                await until(lambda: bound(supervisor))  # the other one never renews
                assert supervisor.keeper.name != name

    run(main())
