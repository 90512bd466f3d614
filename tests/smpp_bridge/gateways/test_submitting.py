"""What arrives at the SMSC is what the customer wrote, in the form and at the pace that the gateway wants."""

import asyncio
from typing import Any

import msgspec
import pytest

from chalicelib.domain.text import Encoding
from chalicelib.wire import EndOutcome, SubmitOutcome
from infra.local.smsc import Config, Control, Smsc
from tests.smpp_bridge.gateways.world import DELIVERED, bundle, dispatch, run, sending, until

UCS2 = "Señor Ólafur, su envío 📦 llegó con éxito 👍🏽. " * 8
QUIET = Config(receipts=False)


@pytest.mark.parametrize("form", ["udh", "udh8", "sar", "payload"])
@pytest.mark.parametrize(
    "text",
    ["hola", "@£$¥èé {}[]~|^€ \n", "Ünïcödé ✓", "ñ{" * 200, UCS2],
    ids=["short", "extended", "ucs2", "long gsm", "long ucs2"],
)
def test_the_smsc_gets_the_text_as_it_was_written(form: str, text: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            message = dispatch(text=text)
            async with sending(smsc, bundle(message), long_messages=form) as (platform, _):
                await until(lambda: platform.deleted)
            (seen,) = smsc.messages()
            assert (seen["text"], seen["to"], seen["from"]) == (text, DELIVERED[1:], "Chasqui")
            submitted = platform.of(SubmitOutcome)
            assert [outcome.smsc_message_id for outcome in submitted] == seen["message_ids"]
            assert [outcome.part for outcome in submitted] == list(range(1, submitted[0].parts + 1))
            assert {outcome.message for outcome in submitted} == {message.id}

    run(main())


@pytest.mark.parametrize("form", ["udh", "udh8", "sar", "payload"])
def test_the_smsc_gets_binary_data_as_it_is(form: str) -> None:
    data = bytes(range(256)) * 2

    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            message = dispatch(text="", encoding=Encoding.BINARY, data=data)
            async with sending(smsc, bundle(message), long_messages=form) as (platform, _):
                await until(lambda: platform.deleted)
            (seen,) = smsc.messages()
            assert (seen["data_coding"], seen["text"].encode("latin-1")) == (4, data)

    run(main())


@pytest.mark.parametrize(("priority", "flag"), [("bulk", 0), ("normal", 1), ("high", 2)])
def test_the_priority_is_told(priority: str, flag: int) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            async with sending(smsc, bundle(dispatch(priority=priority))) as (platform, _):
                await until(lambda: platform.deleted)
            assert smsc.messages()[0]["priority"] == flag

    run(main())


def test_a_record_is_deleted_only_once_the_outcomes_are_durable() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc, sending(smsc) as (platform, supervisor):
            platform.unwell = {"send_outcomes"}
            platform.put(bundle(dispatch(), dispatch()))
            await until(lambda: smsc.stats.accepted == 2)
            await until(lambda: supervisor.gathering.outcomes.failed_sends >= 2)
            assert platform.deleted == []
            platform.unwell.clear()
            await until(lambda: platform.deleted)
            assert len(platform.of(SubmitOutcome)) == 2

    run(main())


def test_never_more_than_the_window_is_unanswered() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=50)) as smsc:
            most, counts = 0, None
            messages = bundle(*(dispatch(f"+3460000{number:04}9") for number in range(60)))
            async with sending(smsc, messages, window=7) as (platform, supervisor):
                while not platform.deleted:
                    worker = supervisor.workers.get("gw")
                    most = max(most, worker.submitter.in_flight if worker else 0)
                    counts = worker.counts if worker else None
                    await asyncio.sleep(0.005)
            assert most == 7
            assert smsc.stats.accepted == 60
            assert counts is not None
            assert counts.window_waits >= 1

    run(main())


def test_the_rate_is_kept_over_all_sessions() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            messages = bundle(*(dispatch(f"+3460000{number:04}9") for number in range(40)))
            async with sending(smsc, messages, messages_per_second=50.0, sessions=2) as (platform, _):
                await until(lambda: smsc.stats.accepted)
                await asyncio.sleep(0.4)
                assert 10 <= smsc.stats.accepted <= 30
                await until(lambda: platform.deleted)
            assert smsc.stats.binds == 2

    run(main())


def test_bulk_never_delays_what_is_not() -> None:
    async def main() -> None:
        async with (
            Smsc(Config(receipts=False, response_delay_ms=20)) as smsc,
            sending(smsc, window=2) as (platform, _),
        ):
            for number in range(30):
                bulk = [dispatch(f"+34611{number:03}{at:02}9", priority="bulk") for at in range(50)]
                platform.put(bundle(*bulk), "gateway-gw-bulk")
            await until(lambda: smsc.stats.accepted >= 10)
            before = smsc.stats.accepted
            platform.put(bundle(dispatch("+34600009999", priority="high")))
            await until(lambda: smsc.messages("34600009999"))
            assert smsc.stats.accepted - before < 100

    run(main())


@pytest.mark.parametrize(
    ("given", "code"),
    [({"sender": "+"}, "unsendable"), ({"encoding": Encoding.GSM7, "text": "Ω✓"}, "unsendable")],
    ids=["sender", "text"],
)
def test_what_cannot_be_written_ends_alone(given: dict[str, Any], code: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            bad, good = dispatch(**{"text": "hola", **given}), dispatch()
            async with sending(smsc, bundle(bad, good)) as (platform, _):
                await until(lambda: platform.deleted)
            (end,) = platform.of(EndOutcome)
            assert (end.message, end.status, end.error and end.error.code) == (bad.id, "rejected", code)
            assert smsc.stats.accepted == 1

    run(main())


def test_an_expired_message_is_not_submitted() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            async with sending(smsc, bundle(dispatch(valid_until_ms=1))) as (platform, _):
                await until(lambda: platform.deleted)
            (end,) = platform.of(EndOutcome)
            assert (end.status, end.refundable) == ("expired", True)
            assert smsc.stats.submits == 0

    run(main())


def test_a_record_delivered_twice_is_submitted_once() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=100)) as smsc:
            again = bundle(dispatch())
            async with sending(smsc, again) as (platform, _):
                await until(lambda: smsc.stats.submits == 1)
                platform.put(again, handle="a newer handle")
                await until(lambda: "a newer handle" in platform.deleted)
                platform.put(again, handle="long after")
                await until(lambda: "long after" in platform.deleted)
            assert smsc.stats.submits == 1

    run(main())


@pytest.mark.parametrize("body", ["no JSON", '{"type":"accepted"}', "{}"])
def test_a_record_that_cannot_be_read_is_left_for_the_dead_letters(body: str) -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc, sending(smsc) as (platform, _):
            platform.put(bundle(dispatch()), handle="good")
            bad = platform.waiting["gateway-gw"][0]
            platform.waiting["gateway-gw"].insert(0, msgspec.structs.replace(bad, handle="bad", body=body))
            await until(lambda: platform.deleted)
            assert platform.deleted == ["good"]

    run(main())


def test_a_reset_of_the_throttle_lets_everything_through() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            smsc.control(Control(throttle=True))
            async with sending(smsc, bundle(*(dispatch(f"+3460000{n:04}9") for n in range(20)))) as (
                platform,
                supervisor,
            ):
                await until(lambda: smsc.stats.refused)
                await asyncio.sleep(0.2)
                refused = smsc.stats.refused
                assert refused <= 20  # one window's worth: then the session pauses
                assert supervisor.state()["gateways"]["gw"]["sessions"][0]["throttled"]
                assert supervisor.state()["gateways"]["gw"]["rate"] < 10_000
                smsc.control(Control(throttle=False))
                await until(lambda: platform.deleted)
            assert smsc.stats.accepted == 20
            assert platform.of(EndOutcome) == []

    run(main())
