"""A stop loses nothing: what is in flight is waited for, the rest goes back, and what was told is durable."""

import asyncio

import msgspec

from chalicelib.wire import EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

SLOW = Config(receipts=False, response_delay_ms=200)


def test_a_stop_waits_for_what_is_in_flight_and_hands_back_the_rest() -> None:
    async def main() -> None:
        async with Smsc(SLOW) as smsc:
            platform = Memory(gateway(smsc.port, window=3))
            messages = bundle(*(dispatch(f"+3460000{number:03}99") for number in range(10)))
            platform.put(messages)
            async with bridge(platform):
                await until(lambda: smsc.stats.submits == 3)
            assert (smsc.stats.submits, len(platform.of(SubmitOutcome))) == (3, 3)
            assert smsc.stats.sessions == 0  # unbound
            handed = [one for _, back in platform.dispatched for one in back.messages]
            assert [one.id for one in handed] == [one.id for one in messages.messages[3:]]
            assert {back.id for _, back in platform.dispatched} == {f"{messages.id}/{one.id}/1" for one in handed}
            assert {queue for queue, _ in platform.dispatched} == {"gateway-gw"}
            assert platform.deleted == [f"handle of {messages.id}"]

    run(main())


def test_another_bridge_sends_only_the_parts_that_are_missing() -> None:
    async def main() -> None:
        async with Smsc(SLOW) as smsc:
            platform = Memory(gateway(smsc.port, window=1))
            message = dispatch(text="x" * 400)
            platform.put(bundle(message))
            async with bridge(platform):
                await until(lambda: smsc.stats.submits == 1)
            ((_, back),) = platform.dispatched
            assert back.messages == (msgspec.structs.replace(message, done=(1,)),)
            platform.put(back)
            async with bridge(platform):
                await until(lambda: len(platform.deleted) == 2)
            assert [outcome.part for outcome in platform.of(SubmitOutcome)] == [1, 2, 3]
            assert [seen["text"] for seen in smsc.messages()] == ["x" * 400]

    run(main())


def test_a_message_that_waits_for_its_retry_goes_back_with_its_attempts() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.put(bundle(dispatch("+34600000021")))  # the queue is full, once
            async with bridge(platform) as supervisor:
                await until(lambda: supervisor.workers["gw"].submitter.backlog.put_off == 1)
            ((_, back),) = platform.dispatched
            assert (back.messages[0].attempt, back.messages[0].done) == (1, ())
            assert platform.deleted

    run(main())


def test_what_was_put_back_too_often_is_sent_anew_rather_than_become_a_dead_letter() -> None:
    async def main() -> None:
        async with Smsc(SLOW) as smsc:
            platform = Memory(gateway(smsc.port, window=1, messages_per_second=1.0))
            submitted, fresh, old = bundle(dispatch()), bundle(dispatch()), bundle(dispatch())
            platform.put(submitted)
            async with bridge(platform):
                await until(lambda: smsc.stats.submits == 1)
                for _ in range(2):  # of which one may be claimed
                    platform.put(bundle(dispatch()), received_times=1)
                platform.put(fresh, received_times=3)
                platform.put(old, received_times=4)
                await until(lambda: not platform.waiting["gateway-gw"])
            assert (f"handle of {fresh.id}", 0) in platform.hidden
            assert ("gateway-gw", old) in platform.dispatched
            assert f"handle of {old.id}" in platform.deleted
            assert fresh.id not in {back.id for _, back in platform.dispatched}

    run(main())


def test_a_stop_with_an_smsc_that_never_answers_ends() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            platform = Memory(gateway(smsc.port, response_timeout_seconds=0.5))
            platform.put(bundle(dispatch("+34600000030")))
            async with bridge(platform):
                await until(lambda: smsc.stats.submits == 1)
            assert [end.status for end in platform.of(EndOutcome)] == ["unknown"]
            assert platform.deleted

    run(main())


def test_a_stop_while_outcomes_cannot_be_sent_keeps_the_record() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {"send_outcomes"}
            platform.put(bundle(dispatch()))

            async def get_well() -> None:
                await asyncio.sleep(0.6)
                platform.unwell.clear()

            async with bridge(platform):
                await until(lambda: smsc.stats.accepted == 1)
                well = asyncio.create_task(get_well())
            await well
            assert (len(platform.of(SubmitOutcome)), len(platform.deleted)) == (1, 1)

    run(main())
