"""Receipts are told as they are, acknowledged once they are durable, and found whatever form their id has."""

import asyncio

import msgspec
import pytest

from chalicelib.wire import Outcome, ReceiptOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from tests.smpp_bridge.gateways.world import bundle, dispatch, run, sending, until

SOON = Config(receipt_delay_seconds=0.05, receipt_retry_seconds=0.2)


@pytest.mark.parametrize(
    ("ending", "status", "state", "code"),
    [
        ("9999", "delivered", "DELIVRD", None),
        ("0001", "undelivered", "UNDELIV", "001"),
        ("0002", "expired", "EXPIRED", "002"),
        ("0003", "rejected", "REJECTD", "003"),
        ("0004", "unknown", "UNKNOWN", "00A"),
        ("0044", "delivered", "DELIVRD", None),
        ("0045", "delivered", "DELIVRD", None),
        ("0046", "delivered", "DELIVRD", None),
        ("0047", "delivered", "DELIVRD", None),
    ],
)
def test_each_kind_of_receipt_is_told_as_it_is(ending: str, status: str, state: str, code: str | None) -> None:
    async def main() -> None:
        async with Smsc(SOON) as smsc, sending(smsc, bundle(dispatch(f"+3460000{ending}"))) as (platform, _):
            await until(lambda: smsc.stats.receipts_acked == 1)
            (receipt,) = platform.of(ReceiptOutcome)
            assert (receipt.gateway, receipt.status, receipt.state) == ("gw", status, state)
            assert (receipt.error.gateway_code if receipt.error else None) == code
            assert platform.of(SubmitOutcome)[0].smsc_message_id in receipt.ids

    run(main())


@pytest.mark.parametrize(
    ("ending", "form"),
    [("9999", "raw"), ("0041", "hex"), ("0041", "either"), ("0042", "decimal"), ("0042", "either")],
    ids=["the same", "hex in the response", "hex, not known", "decimal in the response", "decimal, not known"],
)
def test_the_id_of_the_response_is_among_the_receipts_forms(ending: str, form: str) -> None:
    async def main() -> None:
        message = bundle(dispatch(f"+3460000{ending}"))
        async with Smsc(SOON) as smsc, sending(smsc, message, message_id_form=form) as (platform, _):
            await until(lambda: platform.of(ReceiptOutcome))
            await until(lambda: platform.of(SubmitOutcome))
            assert platform.of(SubmitOutcome)[0].smsc_message_id in platform.of(ReceiptOutcome)[0].ids

    run(main())


def test_a_receipt_before_its_response_is_told_like_any_other() -> None:
    async def main() -> None:
        async with Smsc(SOON) as smsc, sending(smsc, bundle(dispatch("+34600000040"))) as (platform, _):
            await until(lambda: len(platform.outcomes) == 2)
            first, second = platform.outcomes
            assert isinstance(first, ReceiptOutcome)
            assert isinstance(second, SubmitOutcome)
            assert second.smsc_message_id in first.ids

    run(main())


def test_an_intermediate_receipt_is_no_end_and_a_doubled_one_is_told_twice() -> None:
    async def main() -> None:
        both = bundle(dispatch("+34600000005"), dispatch("+34600000043"))
        async with Smsc(SOON) as smsc, sending(smsc, both) as (platform, _):
            await until(lambda: smsc.stats.receipts_acked == 4)
            told = sorted((receipt.state, receipt.status) for receipt in platform.of(ReceiptOutcome))
            assert told == [("DELIVRD", "delivered")] * 3 + [("ENROUTE", "submitted")]

    run(main())


def test_a_receipt_is_put_off_while_its_outcome_cannot_be_kept_and_comes_again() -> None:
    async def main() -> None:
        async with Smsc(SOON) as smsc, sending(smsc, bundle(dispatch())) as (platform, supervisor):
            await until(lambda: platform.of(SubmitOutcome))
            platform.unwell = {"send_outcomes"}
            await until(lambda: smsc.stats.receipts_refused >= 1)
            assert smsc.stats.receipts_acked == 0
            assert supervisor.workers["gw"].counts.receipts_put_off >= 1
            platform.unwell.clear()
            await until(lambda: smsc.stats.receipts_acked == 1)
            assert len(platform.of(ReceiptOutcome)) == 1

    run(main())


def test_many_receipts_share_a_send() -> None:
    async def main() -> None:
        many = bundle(*(dispatch(f"+3460000{number:03}99") for number in range(100)))
        async with Smsc(SOON) as smsc, sending(smsc, many) as (platform, supervisor):
            sends = 0
            send = platform.send_outcomes

            async def counted(outcomes: list[Outcome]) -> None:
                nonlocal sends
                sends += 1
                await send(outcomes)

            for gatherer in (supervisor.gathering.outcomes, supervisor.gathering.receipts):
                gatherer._send = counted  # what it was given when it was made
            await until(lambda: smsc.stats.receipts_acked == 100)
            assert len(platform.of(ReceiptOutcome)) == 100
            assert sends <= 60

    run(main())


def test_a_paused_gateway_still_takes_its_receipts() -> None:
    async def main() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.4)) as smsc, sending(smsc, bundle(dispatch())) as (platform, _):
            await until(lambda: platform.of(SubmitOutcome))
            (paused,) = (await platform.rules()).gateways
            platform.publish(msgspec.structs.replace(paused, state="paused"), number=2)
            await asyncio.sleep(0.1)
            platform.put(bundle(dispatch()))
            await until(lambda: smsc.stats.receipts_acked == 1)
            assert smsc.stats.submits == 1

    run(main())
