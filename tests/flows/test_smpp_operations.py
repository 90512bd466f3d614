"""What an SMPP customer may ask beside plain submits, through the running platform."""

import asyncio
import time
from typing import Any

import pytest

from smpp_bridge.protocol.events import Response
from smpp_bridge.protocol.multi import Destination, SubmitMulti, SubmitMultiResp
from smpp_bridge.protocol.pdu import CancelSm, Pdu, QuerySm, QuerySmResp, ReplaceSm
from smpp_bridge.protocol.status import Status
from tests.flows.platform import Administrator, Smsc
from tests.flows.test_smpp import PATIENCE_SECONDS, Number, answered, bound, login_of, opened, receipts
from tests.infra.local.esme import Esme

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module")
def client(card: dict[str, Any], administrator: Administrator, smsc: Smsc) -> dict[str, Any]:
    """An account of its own, and its SMPP login, open."""
    customer, account = opened(administrator, "4.5")
    return {**card["smpp"], **login_of(administrator, account, "asker"), "customer": customer}


async def asked(esme: Esme, request: Pdu) -> Any:
    """The response to a request."""
    esme.session.send(request, request, esme.loop.time())
    esme.flush()

    def its() -> list[Pdu]:
        return [event.pdu for event in esme.of(Response) if event.context is request]

    await esme.until(lambda: bool(its()))
    return its()[0]


async def ended(esme: Esme, message_id: str) -> QuerySmResp:
    """What query_sm says once the message has ended."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = await asked(esme, QuerySm(message_id=message_id, source_addr="Chasqui", source_addr_ton=5))
        assert isinstance(told, QuerySmResp)
        assert told.status == Status.OK
        if told.final_date:
            return told
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


def test_flash_emoji_and_a_text_cut_within_characters_arrive_as_they_were_written(
    client: dict[str, Any], smsc: Smsc, number: Number
) -> None:
    flash, cut = number(), number()
    text = "Su código es {1234}, válido 5 min € 😀"
    octets = text.encode("utf-16-be")
    parts = (octets[:35], octets[35 : len(octets) - 2], octets[len(octets) - 2 :])  # within a unit, within the emoji

    async def main() -> None:
        async with bound(client) as esme:
            first = await answered(esme, flash, b"ol\x05 \x1b\x28x\x1b\x29", data_coding=0xF0, registered_delivery=0)
            for at in (2, 3, 1):
                header = bytes((6, 8, 4, 0x12, 0x34, 3, at))
                last = await answered(
                    esme, cut, header + parts[at - 1], data_coding=8, esm_class=0x40, registered_delivery=0
                )
            for message_id in (first, last):
                assert (await ended(esme, message_id)).message_state == 2

    asyncio.run(main())
    (shown,) = smsc.received(flash)
    assert (shown["text"], shown["data_coding"]) == ("olé {x}", 0xF0)
    (whole,) = smsc.received(cut)
    assert whole["text"] == text


def test_one_submit_to_several_numbers_tells_who_was_refused(
    client: dict[str, Any], smsc: Smsc, number: Number
) -> None:
    good, other = number(), number()
    to = tuple(Destination(each.removeprefix("+"), 1, 1) for each in (good, "+3412", other))

    async def main() -> None:
        async with bound(client) as esme:
            multi = SubmitMulti(
                source_addr="Chasqui", source_addr_ton=5, destinations=to, registered_delivery=1, short_message=b"hola"
            )
            told = await asked(esme, multi)
            assert isinstance(told, SubmitMultiResp)
            assert [(one.destination, one.status) for one in told.unsuccessful] == [(to[1], Status.INVALID_DESTINATION)]
            for receipt in await receipts(esme, 2):
                assert receipt.startswith(f"id:{told.message_id} ")

    asyncio.run(main())
    assert [len(smsc.received(each)) for each in (good, other)] == [1, 1]


def test_a_scheduled_message_is_replaced_and_sent_at_its_new_time(
    client: dict[str, Any], smsc: Smsc, number: Number
) -> None:
    to = number()

    async def main() -> None:
        async with bound(client) as esme:
            message_id = await answered(esme, to, schedule_delivery_time="000001000000000R")
            named: dict[str, Any] = {"message_id": message_id, "source_addr": "Chasqui", "source_addr_ton": 5}
            assert (await asked(esme, ReplaceSm(**named, short_message=b"otra"))).status == Status.OK
            now = ReplaceSm(
                **named, short_message=b"ahora", registered_delivery=1, schedule_delivery_time="000000000001000R"
            )
            assert (await asked(esme, now)).status == Status.OK
            assert (await asked(esme, ReplaceSm(**named, short_message=b"tarde"))).status == Status.REPLACE_FAILED
            assert (await asked(esme, ReplaceSm(message_id="msg_none"))).status == Status.INVALID_MESSAGE_ID
            (receipt,) = await receipts(esme, 1)
            assert receipt.startswith(f"id:{message_id} ")

    asyncio.run(main())
    assert [one["text"] for one in smsc.received(to)] == ["ahora"]


def test_a_scheduled_message_is_taken_back_before_its_time(client: dict[str, Any], smsc: Smsc, number: Number) -> None:
    to = number()

    async def main() -> None:
        async with bound(client) as esme:
            message_id = await answered(esme, to, schedule_delivery_time="000001000000000R")
            assert (await asked(esme, QuerySm(message_id=message_id))).message_state == 1
            assert (await asked(esme, CancelSm(message_id=message_id))).status == Status.OK
            assert (await ended(esme, message_id)).message_state == 4  # DELETED
            assert (await asked(esme, CancelSm(message_id="msg_none"))).status == Status.INVALID_MESSAGE_ID
            (receipt,) = await receipts(esme, 1)
            assert " stat:DELETED " in receipt

    asyncio.run(main())
    assert smsc.received(to) == []
