"""Workers follow the published rules, and one gateway's trouble stays its own."""

import asyncio

import msgspec

from chalicelib.wire import SubmitOutcome
from infra.local.smsc import Config, Smsc
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

QUIET = Config(receipts=False)


def test_a_dead_gateway_does_not_hold_up_another() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(1, id="dead"), gateway(smsc.port, id="alive"))
            platform.put(bundle(dispatch(), gateway="dead"))
            platform.put(bundle(dispatch(), gateway="alive"))
            async with bridge(platform) as supervisor:
                await until(lambda: platform.deleted)
                state = supervisor.state()["gateways"]
                assert [state[id_]["sessions"][0]["bound"] for id_ in ("dead", "alive")] == [False, True]
            assert len(platform.waiting["gateway-dead"]) == 1

    run(main())


def test_a_paused_gateway_submits_nothing_and_a_resumed_one_goes_on() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            active = gateway(smsc.port)
            platform = Memory(msgspec.structs.replace(active, state="paused"))
            platform.put(bundle(dispatch()))
            async with bridge(platform):
                await until(lambda: smsc.stats.sessions == 1)
                await asyncio.sleep(0.2)
                assert (smsc.stats.submits, platform.claimed) == (0, [])
                platform.publish(active, number=2)
                await until(lambda: len(platform.deleted) == 1)
                platform.publish(msgspec.structs.replace(active, state="paused"), number=3)
                await asyncio.sleep(0.3)
                handle = platform.put(bundle(dispatch()))
                await asyncio.sleep(0.2)
                assert (smsc.stats.submits, len(platform.claimed)) == (1, 1)
            assert smsc.stats.binds == 1
            assert (handle, 0) in platform.hidden

    run(main())


def test_pausing_hands_back_what_was_taken() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            active = gateway(smsc.port, messages_per_second=2.0)
            platform = Memory(active)
            platform.put(bundle(*(dispatch(f"+3460000{number:03}99") for number in range(10))))
            async with bridge(platform):
                await until(lambda: smsc.stats.submits)
                platform.publish(msgspec.structs.replace(active, state="paused"), number=2)
                await until(lambda: platform.deleted)
                assert len(platform.dispatched) == 10 - smsc.stats.submits

    run(main())


def test_a_changed_rate_needs_no_new_session_and_a_changed_window_does() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            first = gateway(smsc.port)
            platform = Memory(first)
            async with bridge(platform) as supervisor:
                await until(lambda: smsc.stats.sessions == 1)
                platform.publish(msgspec.structs.replace(first, messages_per_second=7.0), number=2)
                await until(lambda: supervisor.state()["gateways"]["gw"]["rate"] == 7.0)
                assert smsc.stats.binds == 1
                platform.publish(msgspec.structs.replace(first, window=7, sessions=2), number=3)
                await until(lambda: smsc.stats.binds == 3)
                await until(lambda: smsc.stats.sessions == 2)

    run(main())


def test_a_gateway_that_is_gone_from_the_rules_is_left_and_a_new_one_is_bound() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, id="old"))
            async with bridge(platform) as supervisor:
                await until(lambda: smsc.stats.sessions == 1)
                platform.publish(gateway(smsc.port, id="new"), number=2)
                await until(lambda: list(supervisor.workers) == ["new"])
                platform.put(bundle(dispatch(), gateway="new"))
                await until(lambda: platform.of(SubmitOutcome))
            assert platform.of(SubmitOutcome)[0].gateway == "new"

    run(main())


def test_rules_that_cannot_be_read_leave_those_at_hand_in_force() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            async with bridge(platform) as supervisor:
                await until(lambda: smsc.stats.sessions == 1)
                platform.unwell = {"rules"}
                platform.put(bundle(dispatch()))
                await until(lambda: platform.deleted)
                assert supervisor.state()["status"] == "ok"

    run(main())


def test_what_fails_over_is_submitted_by_the_other_gateway() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as first, Smsc(QUIET) as second:
            platform = Memory(gateway(first.port, id="one"), gateway(second.port, id="two"))
            message = dispatch("+34600000011", failover=("two",))  # submit failed, for ever
            platform.put(bundle(message, gateway="one"))
            async with bridge(platform):
                await until(lambda: platform.dispatched)
                ((queue, handed),) = platform.dispatched
                platform.put(handed, queue)
                await until(lambda: len(platform.deleted) == 2)
            assert (first.stats.refused, second.stats.refused) == (1, 1)
            kinds = [type(outcome).__name__ for outcome in platform.outcomes]
            assert kinds == ["AttemptOutcome", "EndOutcome"]

    run(main())


def test_slots_that_are_taken_while_a_worker_stops_get_no_session() -> None:
    """Nobody would close it: the process would hang, or the gateway have more sessions than it allows."""

    async def main() -> None:
        async with Smsc() as smsc:
            platform = Memory(gateway(smsc.port, sessions=2))
            async with bridge(platform) as supervisor:
                worker = supervisor.workers["gw"]
                await until(lambda: smsc.stats.sessions == 2)
                binds = smsc.stats.binds
                await asyncio.gather(worker.stop(), worker.hold(), worker.change(worker.gateway))
                await asyncio.sleep(0.2)
                assert (smsc.stats.sessions, smsc.stats.binds, worker.slots) == (0, binds, [])
                del supervisor.workers["gw"]

    run(main())
