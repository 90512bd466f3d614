"""The simulator over real sockets: whom it binds, where receipts go, what it counts, how it misbehaves."""

import asyncio

import pytest

from infra.local.smsc import Config, Control, Smsc
from smpp_bridge.protocol.events import BindRefused
from smpp_bridge.protocol.pdu import BindReceiver, BindTransceiver, BindTransmitter
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs
from tests.infra.local.esme import Esme
from tests.infra.local.scenario import PREFIX, bound, run, settled


@pytest.mark.parametrize(
    ("registered_delivery", "suffix", "wanted"),
    [(0, "9999", False), (1, "9999", True), (2, "9999", False), (2, "0001", True), (3, "0001", False)],
)
def test_receipts_honour_registered_delivery(registered_delivery: int, suffix: str, wanted: bool) -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + suffix, registered_delivery=registered_delivery)
            await esme.until(lambda: len(esme.responses) == 1)
            assert smsc.stats.receipts_waiting == int(wanted)

    run(scenario)


def test_receipts_go_to_the_receiver_of_the_same_system_id_and_to_nobody_else() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with (
            bound(smsc, BindTransmitter(system_id="demo")) as transmitter,
            bound(smsc, BindTransceiver(system_id="other")) as other,
        ):
            transmitter.submit(PREFIX + "9999")
            await transmitter.until(lambda: len(transmitter.responses) == 1)
            await asyncio.sleep(0.05)
            assert smsc.stats.receipts_waiting == 1  # kept while there is no receiver
            async with bound(smsc, BindReceiver(system_id="demo")) as receiver:
                await receiver.until(lambda: len(receiver.receipts) == 1)
            assert other.receipts == transmitter.receipts == []

    run(scenario)


def test_a_refused_receipt_is_sent_again_until_it_is_taken() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.receipt_status = Status.TEMPORARY_APP_ERROR
            esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.receipts) == 2)
            esme.receipt_status = Status.OK
            await esme.until(lambda: len(esme.receipts) == 3)
            await settled(smsc, receipts_refused=2, receipts_acked=1, receipts_waiting=0)

    run(scenario)


def test_a_receipt_that_was_not_acknowledged_when_the_connection_broke_comes_on_the_next() -> None:
    async def scenario(smsc: Smsc) -> None:
        esme = await Esme.bound(smsc.port, acknowledges=False)
        esme.submit(PREFIX + "9999")
        await esme.until(lambda: len(esme.receipts) == 1)
        esme.close()
        async with bound(smsc) as again:
            await again.until(lambda: len(again.receipts) == 1)
            await settled(smsc, receipts_acked=1, receipts_waiting=0)

    run(scenario)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (BindTransceiver(system_id="nobody", password="right"), Status.INVALID_SYSTEM_ID),
        (BindTransceiver(system_id="me", password="wrong"), Status.INVALID_PASSWORD),
    ],
)
def test_a_bind_with_wrong_credentials_is_refused(request_: BindTransceiver, status: Status) -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc, request_) as esme:
            assert esme.of(BindRefused) == [BindRefused(status)]
            assert (smsc.stats.binds, smsc.stats.binds_refused) == (0, 1)

    run(scenario, Config(system_id="me", password="right", admin_port=None))


def udh(reference: int, total: int, number: int) -> bytes:
    return b"\x06\x08\x04" + reference.to_bytes(2) + bytes((total, number))


def test_parts_by_header_by_sar_and_payloads_are_joined_to_the_text_the_recipient_sees() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit("5210", udh(7, 2, 2) + b" mundo", esm_class=0x40)
            esme.submit("5210", udh(7, 2, 1) + b"hola", esm_class=0x40)
            esme.submit("5211", b"ho", tlvs=segment_tlvs(9, 2, 1))
            esme.submit("5211", b"la", tlvs=segment_tlvs(9, 2, 2))
            esme.submit("5212", b"", tlvs=((Tag.MESSAGE_PAYLOAD, b"\xd8\x3d\xde\x00"),), data_coding=8)
            esme.submit("5213", b"\x05\x00\x03\x01\x02\x01lone", esm_class=0x40)
            esme.submit("5214", b"\x00\x1be")  # @ and the euro sign in GSM 03.38
            await esme.until(lambda: len(esme.responses) == 7)
            texts = {m["to"]: (m["text"], m["parts"], m["total"]) for m in smsc.messages()}
            assert texts == {
                "5210": ("hola mundo", [1, 2], 2),
                "5211": ("hola", [1, 2], 2),
                "5212": ("😀", [1], 1),
                "5213": ("lone", [1], 2),
                "5214": ("@€", [1], 1),
            }
            (message,) = smsc.messages("5210")
            assert message["message_ids"] == [esme.responses[1].message_id, esme.responses[0].message_id]
            assert (smsc.stats.messages, smsc.stats.accepted, smsc.stats.duplicates) == (4, 7, 0)

    run(scenario)


def test_the_same_submit_twice_is_counted_as_a_duplicate() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for text in (b"a", b"b", b"a"):
                esme.submit("5210", text)
            await esme.until(lambda: len(esme.responses) == 3)
            assert (smsc.stats.duplicates, smsc.stats.destinations, smsc.stats.messages) == (1, 1, 3)

    run(scenario)


def test_answers_wait_for_the_response_delay_and_are_throttled_beyond_the_window() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            started = esme.loop.time()
            for _ in range(3):
                esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.responses) == 3)
            assert esme.loop.time() - started >= 0.05
            assert [response.status for response in esme.responses] == [0, 0, Status.THROTTLED]

    run(scenario, Config(response_delay_ms=50, window=2, admin_port=None))


def test_a_rate_over_the_limit_is_throttled() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for _ in range(20):
                esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.responses) == 20)
            assert [r.status for r in esme.responses[:5]] == [Status.OK] * 5
            assert smsc.stats.refused >= 10

    run(scenario, Config(rate_per_second=5, admin_port=None))


def test_control_throttles_is_silent_and_disconnects() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            smsc.control(Control(throttle=True))
            esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.responses) == 1)
            assert esme.responses[0].status == Status.THROTTLED
            smsc.control(Control(throttle=False, silent=True))
            esme.submit(PREFIX + "9999")
            await asyncio.sleep(0.1)
            assert len(esme.responses) == 1
            smsc.control(Control(silent=False))
            await esme.until(lambda: len(esme.responses) == 2)
            smsc.control(Control(disconnect=True))
            await esme.until(lambda: esme.closed)

    run(scenario)


def test_garbage_and_half_open_peers_end_their_own_connection_only() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"\0\0\0\x10\x80\0\0\0\0\0\0\x02")
            idle, idle_writer = await asyncio.open_connection("127.0.0.1", smsc.port)
            assert await idle.read() == b""
            writer.close()
            idle_writer.close()
            esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.receipts) == 1)

    run(scenario, Config(receipt_delay_seconds=0, session_init_seconds=0.1, admin_port=None))
