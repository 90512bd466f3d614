"""The desk answers each submit once: with an id when the message is durable, or with what is wrong."""

import asyncio

from chalicelib.domain import ids
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.join import Taken, Waits
from chalicelib.wire import MAX_BUNDLE_MESSAGES
from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.desk import SubmitDesk
from smpp_bridge.customers.gathering import AT_ONCE, MAX_WAITING
from smpp_bridge.customers.rates import Rates
from smpp_bridge.customers.statuses import OwnStatus
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.messages import DataSm
from smpp_bridge.protocol.pdu import Pdu
from smpp_bridge.protocol.status import Status as Smpp
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs
from tests.smpp_bridge.customers.submit_world import NAME, Bound, Hand, Memory, answer, answers, desk
from tests.smpp_bridge.customers.test_submits import NOW_MS, submit
from tests.smpp_bridge.gateways.world import run, until

# --- submits


def test_submits_are_gathered_and_each_has_its_own_answer() -> None:
    platform = Memory()
    platform.faults = {"poor": Fault("no_credit", ""), "nowhere": invalid_field("/to", "invalid_number", "")}
    told = answers(platform, *[submit(short_message=text) for text in (b"one", b"poor", b"nowhere", b"two")])
    assert [each.status for each in told] == [0, OwnStatus.NO_CREDIT, Smpp.INVALID_DESTINATION, 0]
    assert len({each.fields["message_id"] for each in told if not each.status}) == 2
    ((account, submissions),) = platform.bundles
    assert account == "acc_one"
    assert [each.text for each in submissions] == ["one", "poor", "nowhere", "two"]


def test_nothing_is_answered_before_it_is_durable() -> None:
    async def main() -> None:
        platform = Memory()
        platform.held = asyncio.Event()
        coming = asyncio.ensure_future(desk(platform).serve(Bound(), submit()))
        await until(lambda: platform.under_way)
        await asyncio.sleep(0.01)
        assert not coming.done()
        platform.held.set()
        assert (await coming).status == 0

    run(main())


def test_bundles_have_no_more_than_fits_and_are_one_accounts() -> None:
    async def main() -> None:
        platform = Memory()
        front = desk(platform)
        sessions = [Bound("a", "acc_a"), Bound("b", "acc_b")]
        coming = [front.serve(sessions[number % 2], submit()) for number in range(3 * MAX_BUNDLE_MESSAGES)]
        await asyncio.gather(*coming)
        assert {account for account, _ in platform.bundles} == {"acc_a", "acc_b"}
        assert max(len(submissions) for _, submissions in platform.bundles) == MAX_BUNDLE_MESSAGES
        assert sum(len(submissions) for _, submissions in platform.bundles) == 3 * MAX_BUNDLE_MESSAGES

    run(main())


def test_a_busy_account_does_not_keep_another_waiting() -> None:
    async def main() -> None:
        platform = Memory()
        platform.held = asyncio.Event()
        front = desk(platform)
        busy = [front.serve(Bound("a", "acc_a"), submit()) for _ in range((AT_ONCE + 10) * MAX_BUNDLE_MESSAGES)]
        await until(lambda: platform.under_way == AT_ONCE)
        other = front.serve(Bound("b", "acc_b"), submit())
        platform.held.set()
        assert (await other).status == 0
        accounts = [account for account, _ in platform.bundles]
        assert accounts.index("acc_b") <= 2 * AT_ONCE
        await asyncio.gather(*busy)
        assert platform.most_under_way == AT_ONCE

    run(main())


def test_trouble_of_ours_is_told_as_passing() -> None:
    platform = Memory()
    platform.unwell = {"accept"}
    assert answer(platform, submit()).status == Smpp.SYSTEM_ERROR


def test_too_much_is_told_as_a_full_queue() -> None:
    async def main() -> None:
        platform = Memory()
        front = desk(platform)
        front.gatherer.pending = MAX_WAITING
        assert (await front.serve(Bound(), submit())).status == Smpp.QUEUE_FULL
        front.gatherer.pending = 0
        assert (await front.serve(Bound(), submit())).status == 0

    run(main())


def test_who_is_gone_while_a_bundle_is_sent_disturbs_nobody() -> None:
    async def main() -> None:
        platform = Memory()
        front = desk(platform)
        gone, stays = (asyncio.ensure_future(front.serve(Bound(), submit())) for _ in range(2))
        gone.cancel()
        assert (await stays).status == 0

    run(main())


def test_a_stop_waits_until_all_is_durable() -> None:
    async def main() -> None:
        platform = Memory()
        front = SubmitDesk(platform, Clock(), linger_seconds=5.0)
        coming = [front.serve(Bound(), submit()) for _ in range(150)]
        await front.stop()
        assert [(await each).status for each in coming] == [0] * 150

    run(main())


def test_over_its_rate_a_login_is_throttled_and_others_are_not() -> None:
    async def main() -> None:
        platform, hand = Memory(), Hand()
        front = desk(platform, hand)
        slow, other = Bound("slow", per_second=2.0), Bound("other", per_second=2.0)
        told = await asyncio.gather(*[front.serve(slow, submit()) for _ in range(4)])
        assert [each.status for each in told] == [0, 0, Smpp.THROTTLED, Smpp.THROTTLED]
        assert (await front.serve(other, submit())).status == 0
        hand.seconds += 0.5
        assert (await front.serve(slow, submit())).status == 0
        assert (await front.serve(slow, submit())).status == Smpp.THROTTLED

    run(main())


def test_what_is_over_a_burst_at_once_passes_from_a_full_bucket_and_is_paid_off() -> None:
    rates = Rates()
    assert rates.take("acme", 2.0, 5, now=0.0)
    assert not rates.take("acme", 2.0, 1, now=1.0)
    assert rates.take("acme", 2.0, 1, now=2.0)
    assert not rates.take("acme", 2.0, 5, now=2.0)


def test_a_scheduled_submit_says_when() -> None:
    platform = Memory()
    assert answer(platform, submit(schedule_delivery_time="000003000200000R")).status == 0
    assert platform.bundles[0][1][0].send_at_ms == NOW_MS + (3 * 86_400 + 120) * 1000


def test_replace_if_present_takes_the_last_one_back_first() -> None:
    platform = Memory()
    assert answer(platform, submit(replace_if_present_flag=1)).status == 0
    assert platform.canceled == [("acc_one", "acme", "ACME", "+34600111222", True)]
    platform.unwell = {"cancel_waiting"}
    assert answer(platform, submit(replace_if_present_flag=1)).status == Smpp.SYSTEM_ERROR
    assert len(platform.bundles) == 1


def test_data_sm_is_a_submit() -> None:
    platform = Memory()
    pdu = DataSm(
        source_addr="ACME",
        source_addr_ton=5,
        destination_addr="34600111222",
        dest_addr_ton=1,
        tlvs=((Tag.MESSAGE_PAYLOAD, b"hola"),),
    )
    assert answer(platform, pdu).status == 0
    assert platform.bundles[0][1][0].text == "hola"


# --- parts


def parted(number: int, total: int = 2) -> Pdu:
    return submit(tlvs=segment_tlvs(7, total, number))


def test_a_part_that_waits_is_ended_when_it_is_due() -> None:
    async def main() -> None:
        platform, hand = Memory(), Hand()
        waits = Waits("key", ids.part_id(NAME, 0), NOW_MS + 50)
        platform.taken = [Taken(ids.part_id(NAME, 1), waits)]
        front = desk(platform, hand)
        told = await front.serve(Bound(), parted(1))
        assert told == Answer(0, {"message_id": ids.part_id(NAME, 1)})
        assert not platform.ended
        await until(lambda: platform.ended == [waits])

    run(main())


def test_a_message_that_is_whole_is_not_ended() -> None:
    async def main() -> None:
        platform = Memory()
        waits = Waits("key", ids.part_id(NAME, 0), NOW_MS + 50)
        platform.taken = [Taken(ids.part_id(NAME, 1), waits), Taken(ids.part_id(NAME, 2))]
        front = desk(platform)
        for number in (1, 2):
            assert (await front.serve(Bound(), parted(number))).status == 0
        assert not len(front.groups)
        assert [part.submission.segment.number for part in platform.parts if part.submission.segment] == [1, 2]
        assert platform.parts[0].session == "session of acme"

    run(main())


def test_a_part_may_be_refused_or_meet_trouble() -> None:
    platform = Memory()
    platform.taken = [Fault("no_credit", "")]
    assert answer(platform, parted(1)).status == OwnStatus.NO_CREDIT
    platform.unwell = {"take_part"}
    assert answer(platform, parted(1)).status == Smpp.SYSTEM_ERROR
