"""A dispatch is submitted by whoever claimed it first; what a dead bridge left is taken up by what the log tells."""

import asyncio
from typing import Any

import pytest

from chalicelib.domain.message import AnyFact, Attempted, ErrorInfo, Status, Submitted
from chalicelib.domain.message import Final as FinalFact
from chalicelib.wire import EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.platform import Holder
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


def test_a_claim_of_a_bridge_at_work_is_left_alone_for_a_while() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = await taken_up(smsc, Holder.TOO_FRESH)
            assert [seconds for _, seconds in platform.hidden] == [30]
            assert (platform.deleted, platform.outcomes, smsc.stats.submits) == ([], [], 0)

    run(main())


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
