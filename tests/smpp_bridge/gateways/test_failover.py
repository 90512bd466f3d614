"""A gateway that is paused, without sessions, or failing passes its messages on; what has nowhere to go waits."""

import asyncio
from typing import Any

import msgspec
import pytest

from chalicelib.domain.rules import Gateway
from chalicelib.store.leases import Bridge
from chalicelib.wire import AttemptOutcome, Dispatch, DispatchBundle, EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways import intake
from smpp_bridge.gateways.breaker import BreakerTerms
from smpp_bridge.gateways.platform import Holder
from tests.smpp_bridge.gateways.world import QUICK, Memory, bridge, bundle, dispatch, gateway, now_ms, run, until

QUIET = Config(receipts=False)
NOWHERE = 1  # a port on which nobody listens
IMPATIENT = msgspec.structs.replace(QUICK, unbound=0.2)
FAILS, WORKS = "+34600000011", "+34600001234"  # 0x45 for ever, delivered


def paused(one: Gateway) -> Gateway:
    return msgspec.structs.replace(one, state="paused")


def many(count: int, *, to: str = WORKS, **given: Any) -> list[Dispatch]:
    return [dispatch(f"{to[:-6]}{number % 100:02}{to[-4:]}", **given) for number in range(count)]


def charged(*messages: Dispatch, gateway: str = "gw") -> DispatchBundle:
    """As billing names a bundle's dispatch."""
    made = bundle(*messages, gateway=gateway)
    return msgspec.structs.replace(made, id=f"{made.id}/gateway-{gateway}")


def handed_on(platform: Memory, target: str = "other") -> set[str]:
    return {one.id for _, made in platform.dispatched for one in made.messages if made.gateway == target}


def reasons(platform: Memory) -> set[tuple[str, str]]:
    return {(outcome.error.code, outcome.next) for outcome in platform.of(AttemptOutcome)}


@pytest.mark.parametrize("at_the_start", [True, False])
def test_a_paused_gateway_passes_on_what_another_takes_and_keeps_the_rest(at_the_start: bool) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            active, other = gateway(smsc.port, messages_per_second=2.0), gateway(NOWHERE, "other")
            platform = Memory(paused(active) if at_the_start else active, other)
            going, staying = many(15, failover=("other",)), bundle(dispatch())
            record = charged(*going)
            platform.put(record)
            platform.put(staying)
            async with bridge(platform):
                if not at_the_start:
                    await until(lambda: smsc.stats.submits)
                    platform.publish(paused(active), other, number=2)
                await until(lambda: len(handed_on(platform)) == 15 - smsc.stats.accepted)
                await until(lambda: f"handle of {record.id}" in platform.deleted)
                assert reasons(platform) == {("gateway_paused", "fail over to other")}
                assert len(platform.of(AttemptOutcome)) == len(handed_on(platform))
                assert f"handle of {staying.id}" not in platform.deleted
                platform.publish(msgspec.structs.replace(active, messages_per_second=100.0), other, number=3)
                await until(lambda: f"handle of {staying.id}" in platform.deleted)
            assert platform.of(EndOutcome) == []
            root = record.id.partition("/")[0]
            assert {made.id for _, made in platform.dispatched} == {f"{root}/{id_}/1" for id_ in handed_on(platform)}

    run(main())


def test_a_gateway_without_a_session_passes_on_after_a_while_and_what_stays_goes_when_it_is_back() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            port = smsc.port
        platform = Memory(gateway(port), gateway(NOWHERE, "other"))
        going, staying = dispatch(failover=("other",)), dispatch()
        platform.put(charged(going, dispatch(priority="high", failover=("other",))))
        async with bridge(platform, pace=IMPATIENT) as supervisor:
            await asyncio.sleep(0.1)
            assert platform.dispatched == []
            await until(lambda: len(handed_on(platform)) == len(platform.of(AttemptOutcome)) == 2)
            assert reasons(platform) == {("gateway_unbound", "fail over to other")}
            assert supervisor.state()["gateways"]["gw"]["passing_on"] == "gateway_unbound"
            platform.put(bundle(staying))
            await asyncio.sleep(0.2)
            assert platform.claimed == platform.claimed[:1]  # what only waits can still be canceled
            async with Smsc(Config(port=port, receipts=False)):
                await until(lambda: platform.of(SubmitOutcome))
                assert supervisor.state()["gateways"]["gw"]["passing_on"] is None
            assert [outcome.message for outcome in platform.of(SubmitOutcome)] == [staying.id]

    run(main())


@pytest.mark.parametrize("state", ["active", "paused"])
def test_a_message_does_not_outlive_its_validity_at_a_gateway_that_takes_none(state: str) -> None:
    async def main() -> None:
        platform = Memory(msgspec.structs.replace(gateway(NOWHERE), state=state))
        short, long = dispatch(valid_until_ms=now_ms() + 500), dispatch()
        platform.put(bundle(short))
        platform.put(bundle(long))
        async with bridge(platform, pace=IMPATIENT):
            await until(lambda: platform.of(EndOutcome))
            (end,) = platform.of(EndOutcome)
            assert (end.message, end.status, end.refundable) == (short.id, "expired", True)
            await until(lambda: len(platform.deleted) == 1)

    run(main())


def test_what_waits_for_a_session_is_looked_after_before_it_may_go_elsewhere() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            port = smsc.port
        platform = Memory(gateway(port), gateway(NOWHERE, "other"))
        short, long = dispatch(valid_until_ms=now_ms() + 1800, failover=("other",)), dispatch(failover=("other",))
        platform.put(bundle(short))
        handle = platform.put(bundle(long))
        async with bridge(platform, pace=msgspec.structs.replace(QUICK, absent=0.2)) as supervisor:
            await until(lambda: supervisor.workers["gw"].intake.held_messages == 2)
            assert platform.claimed == []
            await until(lambda: len(platform.deleted) == 1)
            (end,) = platform.of(EndOutcome)
            assert (end.message, end.status, end.refundable) == (short.id, "expired", True)
            assert (len(platform.claimed), platform.dispatched, platform.hidden) == (1, [], [])
            async with Smsc(Config(port=port, receipts=False)):
                await until(lambda: handle in platform.deleted)
            assert [outcome.message for outcome in platform.of(SubmitOutcome)] == [long.id]

    run(main())


def test_a_message_that_is_canceled_while_it_waits_for_a_session_ends_so() -> None:
    async def main() -> None:
        platform = Memory(gateway(NOWHERE))
        record = bundle(dispatch(valid_until_ms=now_ms() + 1800))
        platform.put(record)
        async with bridge(platform, pace=msgspec.structs.replace(QUICK, absent=0.1)) as supervisor:
            await until(lambda: supervisor.workers["gw"].intake.held_messages)
            platform.claims[record.id] = Holder.CANCELED
            await until(lambda: platform.deleted)
            assert [end.status for end in platform.of(EndOutcome)] == ["canceled"]

    run(main())


def test_what_waits_for_a_session_for_longer_than_a_queue_hides_it_is_sent_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "_OLD_SECONDS", 0.3)

    async def main() -> None:
        platform = Memory(gateway(NOWHERE))
        record = bundle(dispatch())
        handle = platform.put(record)
        async with bridge(platform, pace=IMPATIENT) as supervisor:
            await until(lambda: handle in platform.deleted)
            assert platform.dispatched == [("gateway-gw", record)]
            platform.deliver_dispatches()
            await until(lambda: supervisor.workers["gw"].intake.held_messages)
        assert (platform.claimed, platform.outcomes) == ([], [])

    run(main())


def test_a_circuit_that_trips_passes_on_and_closes_when_probes_go_through() -> None:
    terms = BreakerTerms(least_answers=10, open_seconds=1.0, probes=2)

    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, window=10), gateway(NOWHERE, "other"))
            alone = many(12, to=FAILS)
            async with bridge(platform, pace=msgspec.structs.replace(QUICK, breaker=terms)) as supervisor:
                await until(lambda: smsc.stats.sessions)
                platform.put(charged(*alone))
                await until(lambda: supervisor.workers["gw"].standing.breaker.trips == 1)
                platform.put(charged(*many(5, failover=("other",))))
                platform.put(charged(*many(5)))
                await until(lambda: len(handed_on(platform)) == 5)
                await until(lambda: reasons(platform) == {("circuit_open", "fail over to other")})
                assert supervisor.state()["gateways"]["gw"]["circuit"] == "open"
                assert smsc.stats.accepted == 0
                await until(lambda: smsc.stats.accepted == 5)
                assert supervisor.state()["gateways"]["gw"]["circuit"] == "closed"

    run(main())


def test_the_list_of_gateways_only_shrinks_and_the_last_one_keeps_the_message() -> None:
    async def main() -> None:
        platform = Memory(paused(gateway(NOWHERE)), gateway(NOWHERE, "second"), gateway(NOWHERE, "third"))
        message = dispatch(failover=("second", "third"))
        platform.put(bundle(message))
        async with bridge(platform, pace=IMPATIENT):
            await until(lambda: len(platform.dispatched) == 1)
            platform.deliver_dispatches()
            await until(lambda: len(platform.dispatched) == 2)
            platform.deliver_dispatches()
            await asyncio.sleep(0.3)
            made = [(made.gateway, made.messages[0].failover) for _, made in platform.dispatched]
            assert made == [("second", ("third",)), ("third", ())]
            assert [one.next for one in platform.of(AttemptOutcome)] == ["fail over to second", "fail over to third"]

    run(main())


def test_gateways_that_are_paused_or_gone_are_left_out() -> None:
    async def main() -> None:
        platform = Memory(*map(paused, (gateway(NOWHERE), gateway(NOWHERE, "second"))), gateway(NOWHERE, "other"))
        message, stays = dispatch(failover=("gone", "second", "other")), dispatch(failover=("gone", "second"))
        platform.put(bundle(message))
        handle = platform.put(bundle(stays))
        async with bridge(platform, pace=IMPATIENT):
            await until(lambda: platform.dispatched)
            await asyncio.sleep(0.2)
            assert handed_on(platform) == {message.id}
        assert (handle, 0) in platform.hidden

    run(main())


def test_what_another_bridge_can_submit_is_left_to_it() -> None:
    async def main() -> None:
        platform = Memory(gateway(NOWHERE, sessions=2), gateway(NOWHERE, "other"))
        elsewhere = Bridge(id="bridge_2", beat=1, at_ms=0, bound=frozenset({"gw"}))
        async with bridge(platform, pace=IMPATIENT) as supervisor:
            handle = platform.put(bundle(dispatch()))
            await until(lambda: supervisor.workers["gw"].intake.held_messages)
            platform.leases.bridges[elsewhere.id] = elsewhere
            supervisor.keeper._wake.set()
            await until(lambda: platform.hidden == [(handle, 0)])
            platform.put(bundle(dispatch(failover=("other",))))
            await asyncio.sleep(0.3)
            assert (platform.dispatched, len(platform.waiting["gateway-gw"])) == ([], 1)

    run(main())


def test_a_message_of_which_a_part_is_taken_waits_for_its_gateway() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            active, other = gateway(smsc.port, messages_per_second=1.0), gateway(NOWHERE, "other")
            platform = Memory(active, other)
            platform.put(bundle(dispatch(text="x" * 400, failover=("other",))))
            async with bridge(platform):
                await until(lambda: smsc.stats.accepted == 1)
                platform.publish(paused(active), other, number=2)
                await until(lambda: platform.deleted)
            ((queue, back),) = platform.dispatched
            assert (queue, back.messages[0].done, platform.of(AttemptOutcome)) == ("gateway-gw", (1,), [])

    run(main())


def test_what_only_waits_does_not_stand_in_the_way_of_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_HELD_MESSAGES", 196)

    async def main() -> None:
        platform = Memory(paused(gateway(NOWHERE)), gateway(NOWHERE, "other"))
        for _ in range(3):
            platform.put(charged(*many(98)))
        goes = dispatch(failover=("other",))
        platform.put(bundle(goes))
        async with bridge(platform):
            await until(lambda: platform.dispatched)
            platform.deliver_dispatches()
            await until(lambda: handed_on(platform) == {goes.id})

    run(main())
