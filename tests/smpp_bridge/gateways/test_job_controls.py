"""Jobs that are paused or stopped while their messages wait at a gateway; and what must not wait behind them."""

import time

from chalicelib.domain.status import Status
from chalicelib.store.job_controls import Control, ControlState
from chalicelib.wire import Dispatch, DispatchBundle, EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.platform import Holder
from tests.smpp_bridge.gateways.test_failover import many
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, now_ms, run, until

QUIET = Config(receipts=False)
BULK = "gateway-gw-bulk"


def of_job(count: int, job: str = "job_one") -> DispatchBundle:
    return bundle(*many(count, job=job, source="job", priority="bulk"))


def told(state: ControlState, version: int = 2, job: str = "job_one") -> Control:
    return Control(job=job, state=state, version=version, at_ms=now_ms())


def messages(*bundles: DispatchBundle) -> set[str]:
    return {one.id for made in bundles for one in made.messages}


def canceled(platform: Memory) -> set[str]:
    return {end.message for end in platform.of(EndOutcome) if end.status is Status.CANCELED and end.refundable}


def submitted(platform: Memory) -> set[str]:
    return {outcome.message for outcome in platform.of(SubmitOutcome)}


def waiting(platform: Memory) -> set[str]:
    """What was sent to the queue again, for later."""
    return messages(*(made for _, made in platform.later))


def bring_again(platform: Memory) -> bool:
    """Have the queue bring what was to come later. False, to be asked for among other conditions."""
    later, platform.later = platform.later, []
    for queue, made in later:
        platform.put(made, queue)
    return False


def test_a_stopped_jobs_messages_end_as_canceled_wherever_they_wait_and_others_go_on() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=50.0))
            records = [of_job(98) for _ in range(3)]
            for record in records:
                platform.put(record, BULK)
            async with bridge(platform):
                await until(lambda: smsc.stats.accepted >= 5)
                platform.controls.append(told("stopped"))
                began = time.monotonic()
                await until(lambda: len(canceled(platform)) + len(submitted(platform)) == 3 * 98)
                assert time.monotonic() - began < 2
                other = bundle(dispatch(job="job_two", priority="bulk"))
                platform.put(other, BULK)
                platform.put(of_job(5), BULK)  # what was on its way here
                await until(lambda: messages(other) <= submitted(platform) and len(canceled(platform)) >= 5)
            assert not canceled(platform) & submitted(platform)
            assert len(platform.deleted) == 5

    run(main())


def test_a_paused_jobs_messages_go_back_to_the_queue_for_later_and_come_again_at_resume() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=200.0))
            records = [of_job(98) for _ in range(2)]
            for record in records:
                platform.put(record, BULK)
            async with bridge(platform):
                await until(lambda: smsc.stats.accepted >= 5)
                platform.controls.append(told("paused"))
                await until(lambda: len(waiting(platform)) + len(submitted(platform)) == 2 * 98)
                assert not waiting(platform) & submitted(platform)
                assert platform.of(EndOutcome) == []
                await until(lambda: len(platform.deleted) == 2)
                platform.controls.append(told("running", version=3))
                await until(lambda: bring_again(platform) or submitted(platform) == messages(*records))
            assert smsc.stats.accepted == 2 * 98

    run(main())


def test_a_bridge_that_starts_hears_of_jobs_before_it_submits() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.controls.append(told("stopped"))
            platform.put(of_job(98), BULK)
            async with bridge(platform):
                await until(lambda: len(canceled(platform)) == 98)
            assert smsc.stats.submits == 0

    run(main())


def test_what_a_dead_bridge_may_have_submitted_of_a_stopped_job_is_not_paid_back() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.controls.append(told("stopped"))
            record = bundle(dispatch(job="job_one", priority="high"))  # which would be sent again
            platform.claims[record.id] = Holder.EARLIER
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.of(EndOutcome))
            assert [(end.status, end.refundable) for end in platform.of(EndOutcome)] == [(Status.UNKNOWN, False)]

    run(main())


def test_an_urgent_message_does_not_wait_behind_a_job_at_its_gateway() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=100.0))
            for _ in range(60):
                platform.put(of_job(98), BULK)
            async with bridge(platform):
                await until(lambda: smsc.stats.accepted >= 20)
                urgent = bundle(dispatch(priority="high"))
                platform.put(urgent)
                began = time.monotonic()
                await until(lambda: messages(urgent) <= submitted(platform))
                assert time.monotonic() - began < 1
                platform.controls.append(told("stopped"))
                await until(lambda: len(platform.deleted) >= 50)

    run(main())


def test_of_two_controls_the_one_of_the_higher_version_counts_in_whatever_order_they_are_heard() -> None:
    controls, waits = JobControls(), Dispatch(id="msg_1", content=dispatch(job="job_one").content)
    assert controls.hear([told("running", version=4), told("paused", version=3)]) is False
    assert not controls.is_paused(waits)
    assert controls.hear([told("paused", version=5)])
    assert controls.is_paused(waits)
    assert controls.hear([told("paused", version=5)]) is False
    assert controls.hear([told("stopped", version=6)])
    assert controls.is_stopped(waits)
    assert not controls.is_stopped(dispatch())


def test_what_was_told_longer_ago_than_a_queue_keeps_anything_is_forgotten() -> None:
    controls, waits = JobControls(), Dispatch(id="msg_1", content=dispatch(job="job_one").content)
    controls.hear([told("stopped")])
    controls.forget_before(now_ms() + 1)
    assert not controls.is_stopped(waits)
