"""What people write is handed to the platform as it came, and acknowledged once it is durable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chalicelib.domain.inbound import joined
from chalicelib.wire import InboundOutcome
from infra.local.smsc import Config, Smsc
from infra.local.smsc.inbound import Written
from smpp_bridge.gateways.inbound import inbound_of
from smpp_bridge.protocol.pdu import DeliverSm
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs
from tests.smpp_bridge.gateways.world import Memory, run, sending, until

LONG = "¿Qué tal? Llegaré mañana 😀. " * 5


@asynccontextmanager
async def bound(**more: Any) -> AsyncIterator[tuple[Smsc, Memory]]:
    async with Smsc(Config(receipt_retry_seconds=0.1)) as smsc, sending(smsc, **more) as (platform, _):
        await until(smsc.centre.post_office.anybody)
        yield smsc, platform


def came(platform: Memory) -> list[InboundOutcome]:
    return [outcome for outcome in platform.outcomes if isinstance(outcome, InboundOutcome)]


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ({"text": "hola"}, 1),
        ({"text": "hola", "data_sm": True}, 1),
        ({"text": "hola", "form": "payload"}, 1),
        ({"text": LONG, "form": "udh"}, 3),
        ({"text": LONG, "form": "udh8"}, 3),
        ({"text": LONG, "form": "sar"}, 3),
        ({"text": LONG, "form": "sar", "data_sm": True}, 3),
        ({"text": LONG, "form": "payload"}, 1),
        ({"text": LONG, "order": (3, 1, 2)}, 3),
    ],
)
def test_a_message_comes_whole_however_it_was_carried(written: dict[str, Any], parts: int) -> None:
    async def main() -> None:
        async with bound() as (smsc, platform):
            smsc.write(Written(sender="+34600000001", to="12345", **written))
            await until(lambda: smsc.stats.receipts_acked == parts)
            outcomes = came(platform)
            assert {(one.gateway, one.sender, one.recipient) for one in outcomes} == {("gw", "+34600000001", "12345")}
            octets = {one.segment.number if one.segment else 1: one.octets for one in outcomes}
            assert joined(octets, outcomes[0].coding).text == written["text"]
            assert {one.segment.total if one.segment else 1 for one in outcomes} == {parts}
            assert len({one.id for one in outcomes}) == parts

    run(main())


def test_it_is_acknowledged_only_once_it_is_durable_and_comes_again_until_then() -> None:
    async def main() -> None:
        async with bound() as (smsc, platform):
            platform.unwell = {"send_outcomes"}
            smsc.write(Written(sender="+34600000001", to="12345", text="hola"))
            await until(lambda: smsc.stats.receipts_refused >= 1)
            assert smsc.stats.receipts_acked == 0
            platform.unwell.clear()
            await until(lambda: smsc.stats.receipts_acked == 1)
            assert [one.octets for one in came(platform)] == [b"hola"]

    run(main())


HEADERS: list[tuple[str, bytes]] = [
    ("longer than the message", b"\xffabc"),
    ("an element that runs out", b"\x03\x00\x09\x01abc"),
    ("part 4 of 3", b"\x05\x00\x03\x01\x03\x04abc"),
    ("nothing at all", b""),
]


@pytest.mark.parametrize("octets", [row[1] for row in HEADERS], ids=[row[0] for row in HEADERS])
def test_a_header_that_cannot_be_read_loses_nothing(octets: bytes) -> None:
    request = DeliverSm(source_addr="1", destination_addr="2", esm_class=0x40, short_message=octets)
    outcome = inbound_of(request, "gw", "s", 1)
    assert (outcome.octets, outcome.segment, outcome.coding) == (octets, None, 0x04)


def test_other_elements_of_a_header_are_no_text() -> None:
    request = DeliverSm(esm_class=0x40, short_message=b"\x06\x05\x04\x0b\x84\x23\xf0hola")
    assert inbound_of(request, "gw", "s", 1).octets == b"hola"


def test_parameters_that_say_no_part_are_passed_over() -> None:
    request = DeliverSm(short_message=b"x", tlvs=segment_tlvs(1, 2, 2)[:2])
    assert inbound_of(request, "gw", "s", 1).segment is None
    request.tlvs = ((Tag.SAR_MSG_REF_NUM, b"\0\1"), (Tag.SAR_TOTAL_SEGMENTS, b"\2"), (Tag.SAR_SEGMENT_SEQNUM, b"\3"))
    assert inbound_of(request, "gw", "s", 1).segment is None
