"""A bridge that has the claim of a slice leaves out those of an SMPP customer's messages that are canceled."""

import asyncio

import msgspec
import pytest

from chalicelib.wire import DispatchBundle, EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

QUIET = Config(receipts=False)


def shared(count: int, source: str = "smpp") -> DispatchBundle:
    """A record as it is charged: several messages, the queue in its name."""
    record = bundle(*(dispatch(source=source) for _ in range(count)))
    return msgspec.structs.replace(record, id=f"{record.id}/gateway-gw")


def test_what_is_canceled_is_ended_and_the_rest_is_submitted() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            record = shared(12)
            out = {record.messages[place].id for place in (3, 11)}  # one of each slice
            platform.canceled_ids = set(out)
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert {end.message for end in platform.of(EndOutcome)} == out
            assert {(end.status, end.refundable) for end in platform.of(EndOutcome)} == {("canceled", True)}
            assert {one.message for one in platform.of(SubmitOutcome)} == {one.id for one in record.messages} - out
            assert smsc.stats.submits == 10

    run(main())


@pytest.mark.parametrize("source", ["job", "https"])
def test_marks_are_for_smpp_customers_alone(source: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {"canceled"}  # it is not even asked
            record = shared(2, source)
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert smsc.stats.submits == 2

    run(main())


def test_while_marks_cannot_be_read_nothing_of_the_slice_is_submitted() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {"canceled"}
            record = shared(2)
            platform.canceled_ids = {record.messages[0].id}
            platform.put(record)
            async with bridge(platform):
                await until(lambda: platform.claimed)
                await asyncio.sleep(0.1)
                assert smsc.stats.submits == 0
                platform.unwell.clear()
                await until(lambda: platform.deleted)
            assert smsc.stats.submits == 1

    run(main())
