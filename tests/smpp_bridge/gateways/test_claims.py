"""A dispatch is submitted by whoever claimed it first; what a dead bridge left is taken up by what the log tells."""

import asyncio
from typing import Any

import msgspec
import pytest

from chalicelib.domain.facts import AnyFact, Attempted, ErrorInfo, Submitted
from chalicelib.domain.facts import Final as FinalFact
from chalicelib.domain.ids import next_hop, slice_id
from chalicelib.domain.status import Status
from chalicelib.wire import Dispatch, EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways import claims
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.platform import Holder
from smpp_bridge.gateways.slices import slices_of
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

QUIET = Config(receipts=False)
LONG = "x" * 400  # three parts
ERROR = ErrorInfo(code="x", title="X.")


def submitted(part: int, parts: int, gateway: str = "gw") -> Submitted:
    return Submitted(at_ms=1, part=part, parts=parts, gateway=gateway, smsc_message_id=str(part), session="s")


def attempted(what_next: str, attempt: int = 2, gateway: str = "gw") -> Attempted:
    return Attempted(at_ms=1, attempt=attempt, part=1, gateway=gateway, error=ERROR, next=what_next)


async def taken_up(
    smsc: Smsc, holder: Holder, facts: list[AnyFact] | None = None, *, text: str = "hola", **given: Any
) -> Memory:
    """The platform after a record whose claim is `holder`'s was dealt with."""
    platform = Memory(gateway(smsc.port))
    message = dispatch(text=text, **given)
    record = bundle(message)
    platform.claims[record.id] = holder
    platform.facts[message.id] = facts or []
    platform.put(record)
    async with bridge(platform):
        await until(lambda: platform.deleted or platform.hidden)
    return platform


def test_a_canceled_message_is_not_submitted() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = await taken_up(smsc, Holder.CANCELED)
            (end,) = platform.of(EndOutcome)
            assert (end.status, end.refundable, end.error and end.error.code) == ("canceled", True, "canceled")
            assert smsc.stats.submits == 0

    run(main())


@pytest.mark.parametrize(
    "facts",
    [
        [submitted(1, 1)],
        [attempted("fail over to other")],
        [FinalFact(at_ms=1, status=Status.REJECTED)],
    ],
    ids=["submitted", "failed over", "ended"],
)
@pytest.mark.parametrize("priority", ["bulk", "high"])
def test_what_the_log_tells_is_done_is_not_done_again(facts: list[AnyFact], priority: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = await taken_up(smsc, Holder.EARLIER, facts, priority=priority)
            assert platform.outcomes == []
            assert smsc.stats.submits == 0
            assert platform.deleted

    run(main())


@pytest.mark.parametrize("facts", [[], [attempted("retry in 5 s")], [submitted(1, 1, "another")]])
def test_what_nobody_knows_is_held_unless_it_is_urgent(facts: list[AnyFact]) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            held = await taken_up(smsc, Holder.EARLIER, facts, priority="bulk")
            (end,) = held.of(EndOutcome)
            assert (end.status, end.refundable, smsc.stats.submits) == ("unknown", False, 0)
            urgent = await taken_up(smsc, Holder.EARLIER, facts, priority="high")
            assert (len(urgent.of(SubmitOutcome)), smsc.stats.submits) == (1, 1)

    run(main())


def test_of_an_urgent_message_only_the_missing_parts_are_sent_again() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = await taken_up(smsc, Holder.EARLIER, [submitted(2, 3)], text=LONG, priority="high")
            assert [outcome.part for outcome in platform.of(SubmitOutcome)] == [1, 3]

    run(main())


def test_what_another_bridge_is_at_work_on_is_kept_until_the_log_tells_that_it_is_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "_AT_WORK_SECONDS", 0.1)

    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            one, other = dispatch(), dispatch(priority="high")
            record = bundle(one, other)
            platform.claims[record.id] = Holder.AT_WORK
            platform.facts[one.id] = [submitted(1, 1)]
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.claimed.count(record.id) >= 3)
                assert (platform.deleted, platform.outcomes, smsc.stats.submits) == ([], [], 0)
                platform.facts[other.id] = [submitted(1, 1)]
                await until(lambda: platform.deleted)
            assert (platform.outcomes, smsc.stats.submits) == ([], 0)

    run(main())


def test_what_another_bridge_is_at_work_on_is_given_back_at_a_stop() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            record = bundle(dispatch())
            platform.claims[record.id] = Holder.AT_WORK
            handle = platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.claimed)
            assert (platform.hidden, platform.deleted) == ([(handle, 0)], [])

    run(main())


def many(count: int, **given: Any) -> list[Dispatch]:
    return [dispatch(f"+3460000{number:03}99", **given) for number in range(count)]


def test_a_bundle_is_claimed_in_slices_of_ten_of_which_the_first_has_its_name() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            record = bundle(*many(34))
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert sorted(platform.claimed) == [record.id, *(f"{record.id}#{place}" for place in (10, 20, 30))]
            assert smsc.stats.accepted == 34

    run(main())


def test_of_a_dead_bridge_s_bundle_only_the_claimed_slices_are_in_doubt() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, unanswered="hold"))
            record = bundle(*many(34))
            platform.claims[record.id] = platform.claims[f"{record.id}#10"] = Holder.EARLIER
            platform.facts = {one.id: [submitted(1, 1)] for one in record.messages[:15]}
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert [end.message for end in platform.of(EndOutcome)] == [one.id for one in record.messages[15:20]]
            sent = {outcome.message for outcome in platform.of(SubmitOutcome)}
            assert sent == {one.id for one in record.messages[20:]}
            assert smsc.stats.submits == 14

    run(main())


def test_slices_that_are_not_claimed_at_a_stop_go_back_under_the_names_of_their_claims() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=100)) as smsc:
            platform = Memory(gateway(smsc.port, window=2))
            record = bundle(*many(34))
            platform.put(record)
            async with bridge(platform):
                await until(lambda: smsc.stats.submits == 2)
            claimed = len(platform.claimed)
            assert claimed == 1
            parts = [back for _, back in platform.dispatched if "#" in back.id]
            assert [back.id for back in parts] == [f"{record.id}#{place}" for place in (10, 20, 30)]
            assert [one for back in parts for one in back.messages] == list(record.messages[10:])
            assert platform.deleted == [f"handle of {record.id}"]
            for back in parts:
                platform.put(back)
            async with bridge(platform):
                await until(lambda: len(platform.deleted) == 4)
            assert platform.claimed[claimed:] == [back.id for back in parts]

    run(main())


def test_a_part_of_a_record_is_not_taken_for_the_record() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            record = bundle(*many(12))
            part = next(slices_of(Held(record, "", bulk=False, visible_until=0, through=print))).as_bundle()
            platform.put(part)
            async with bridge(platform):
                await until(lambda: len(platform.deleted) == 1)
                platform.claims[record.id] = Holder.EARLIER
                platform.facts = {one.id: [submitted(1, 1)] for one in part.messages}
                platform.put(record)
                await until(lambda: len(platform.deleted) == 2)
            assert platform.claimed == [record.id, record.id, f"{record.id}#10"]
            assert smsc.stats.accepted == 12

    run(main())


@pytest.mark.parametrize("name", ["B", "B/gateway-gw-bulk"])
def test_a_message_is_claimed_by_the_name_that_billing_wrote_down_for_it(name: str) -> None:
    record = msgspec.structs.replace(bundle(*many(34)), id=name)
    claimed_by = {
        one.id: each.name
        for each in slices_of(Held(record, "", bulk=False, visible_until=0, through=print))
        for one in each.messages
    }
    assert claimed_by == {one.id: slice_id(name, place) for place, one in enumerate(record.messages)}


@pytest.mark.parametrize(
    ("dispatch_id", "hop"),
    [
        ("B", "B/msg_1/1"),
        ("B/gateway-gw-bulk", "B/msg_1/1"),
        ("B/gateway-gw#20", "B/msg_1/1"),
        ("B/msg_1/1", "B/msg_1/2"),
        ("B/msg_1/1#0", "B/msg_1/2"),
    ],
)
def test_a_message_that_goes_on_is_named_after_its_bundle_and_how_often_it_did(dispatch_id: str, hop: str) -> None:
    assert next_hop(dispatch_id, "msg_1") == hop


@pytest.mark.parametrize("call", ["claim", "receive", "facts_of"])
def test_while_aws_is_unwell_nothing_is_submitted_and_then_it_goes_on(call: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {call}
            message = dispatch(priority="high")
            record = bundle(message)
            if call == "facts_of":
                platform.claims[record.id] = Holder.EARLIER
            platform.put(record)
            async with bridge(platform):
                await until(lambda: smsc.stats.sessions == 1)
                await asyncio.sleep(0.2)
                assert smsc.stats.submits == 0
                platform.unwell.clear()
                await until(lambda: platform.deleted)
            assert smsc.stats.accepted == 1

    run(main())


def test_messages_are_claimed_only_when_their_turn_is_near() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port, messages_per_second=1.0, window=1))
            for _ in range(20):
                platform.put(bundle(dispatch()))
            async with bridge(platform):
                await until(lambda: smsc.stats.submits)
                await asyncio.sleep(0.2)
                assert len(platform.claimed) <= 3
            assert len(platform.hidden) >= 17  # given back, unclaimed
            assert {seconds for _, seconds in platform.hidden} == {0}

    run(main())
