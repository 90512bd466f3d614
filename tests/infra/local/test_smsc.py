"""The simulator over real sockets: each row of its table of outcomes, and what it counts."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from infra.local.smsc import Config, Control, Smsc
from infra.local.smsc.outcomes import OUTCOMES, table
from smpp_bridge.protocol.events import BindRefused, Unanswered
from smpp_bridge.protocol.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs
from tests.infra.local.esme import Esme

QUICK = Config(receipt_delay_seconds=0.02, receipt_retry_seconds=0.05, admin_port=None)
RECEIPT = re.compile(
    r"id:(?P<id>\S+) sub:001 dlvrd:(?P<dlvrd>\d{3}) submit date:\d{10} done date:\d{10} "
    r"stat:(?P<stat>[A-Z]{7}) err:(?P<err>\w{3}) text:(?P<text>.{0,20})"
)
PREFIX = "521555123"


def run(scenario: Callable[[Smsc], Awaitable[None]], config: Config = QUICK) -> None:
    async def whole() -> None:
        async with Smsc(config) as smsc:
            await scenario(smsc)

    asyncio.run(whole())


@asynccontextmanager
async def bound(
    smsc: Smsc, request: BindTransceiver | BindTransmitter | BindReceiver | None = None
) -> AsyncIterator[Esme]:
    esme = await Esme.bound(smsc.port, request)
    try:
        yield esme
    finally:
        esme.close()


def text_of(receipt: DeliverSm | DataSm) -> dict[str, str]:
    found = RECEIPT.fullmatch(receipt.content.decode("ascii"))
    assert found, receipt.content
    return found.groupdict()


@pytest.mark.parametrize(
    ("suffix", "stat", "err", "state"),
    [
        ("9999", "DELIVRD", "000", 2),
        ("0001", "UNDELIV", "001", 5),
        ("0002", "EXPIRED", "002", 3),
        ("0003", "REJECTD", "003", 8),
        ("0004", "UNKNOWN", "00A", 7),
    ],
)
def test_a_receipt_says_in_text_and_tlvs_how_the_message_ended(suffix: str, stat: str, err: str, state: int) -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + suffix, "¿Qué tal?".encode("latin-1"))
            await esme.until(lambda: len(esme.receipts) == 1)
            (response,), (receipt,) = esme.responses, esme.receipts
            assert isinstance(receipt, DeliverSm)
            said = text_of(receipt)
            assert (said["stat"], said["err"], said["id"]) == (stat, err, response.message_id)
            assert said["dlvrd"] == ("001" if stat == "DELIVRD" else "000")
            assert receipt.receipted_message_id == response.message_id
            assert receipt.message_state == state
            assert receipt.network_error_code == (b"\x03" + int(err).to_bytes(2) if err.isdigit() else None)
            assert receipt.esm_class == 0x04
            assert (receipt.source_addr, receipt.destination_addr) == (PREFIX + suffix, "Chasqui")
            await settled(smsc, receipts_acked=1)

    run(scenario)


async def settled(smsc: Smsc, **expected: int) -> None:
    """Wait until the counters say so."""
    async with asyncio.timeout(5):
        while any(getattr(smsc.stats, name) != value for name, value in expected.items()):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("suffix", "status"), [("0010", 0x0B), ("0011", 0x45), ("0012", 0x0411)])
def test_a_destination_that_is_refused_stays_refused_and_is_not_recorded(suffix: str, status: int) -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for count in (1, 2, 3):
                esme.submit(PREFIX + suffix)
                await esme.until(lambda count=count: len(esme.responses) == count)  # type: ignore[misc]
            assert {response.status for response in esme.responses} == {status}
            assert (smsc.stats.submits, smsc.stats.refused, smsc.stats.accepted) == (3, 3, 0)
            assert smsc.messages() == []

    run(scenario)


@pytest.mark.parametrize(("suffix", "statuses"), [("0020", [0x58, 0x58, 0]), ("0021", [0x14, 0]), ("0022", [0x08, 0])])
def test_a_destination_refused_for_a_while_is_taken_then_and_refused_anew_for_the_next(
    suffix: str, statuses: list[int]
) -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for _ in range(2 * len(statuses)):
                esme.submit(PREFIX + suffix)
            await esme.until(lambda: len(esme.responses) == 2 * len(statuses))
            assert [response.status for response in esme.responses] == 2 * statuses

    run(scenario)


def test_silence_is_kept_for_0030_and_does_not_fill_the_window() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for _ in range(5):
                esme.submit(PREFIX + "0030")
            esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.receipts) == 1)
            assert [response.status for response in esme.responses] == [Status.OK]
            assert (smsc.stats.unanswered, smsc.stats.accepted) == (5, 1)

    run(scenario, Config(receipt_delay_seconds=0.02, admin_port=None, window=2))


def test_0031_is_taken_and_has_no_receipt() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0031")
            esme.submit(PREFIX + "9999")
            await esme.until(lambda: len(esme.receipts) == 1)
            assert esme.receipts[0].source_addr.endswith("9999")
            assert smsc.stats.accepted == 2

    run(scenario)


def test_the_receipt_of_0040_overtakes_the_response() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0040")
            await esme.until(lambda: len(esme.receipts) == 1)
            assert esme.responses == []
            await esme.until(lambda: len(esme.responses) == 1)
            assert text_of(esme.receipts[0])["id"] == esme.responses[0].message_id

    run(scenario)


def test_ids_are_hexadecimal_on_one_side_and_decimal_on_the_other() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0041")
            await esme.until(lambda: len(esme.receipts) == 1)
            assert int(esme.responses[0].message_id, 16) == int(text_of(esme.receipts[0])["id"])
            esme.submit(PREFIX + "0042")
            await esme.until(lambda: len(esme.receipts) == 2)
            written = text_of(esme.receipts[1])["id"]
            assert len(written) == 16
            assert int(esme.responses[1].message_id) == int(written, 16)

    run(scenario)


def test_receipts_come_twice_or_after_an_intermediate_one() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0043")
            await esme.until(lambda: len(esme.receipts) == 2)
            assert esme.receipts[0].content == esme.receipts[1].content
            esme.submit(PREFIX + "0005")
            await esme.until(lambda: len(esme.receipts) == 4)
            assert [text_of(receipt)["stat"] for receipt in esme.receipts[2:]] == ["ENROUTE", "DELIVRD"]
            assert [receipt.esm_class for receipt in esme.receipts[2:]] == [0x20, 0x04]

    run(scenario)


def test_receipts_come_in_every_carrier() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            for count, suffix in enumerate(("0044", "0045", "0046", "0047"), 1):
                esme.submit(PREFIX + suffix)
                await esme.until(lambda count=count: len(esme.receipts) == count)  # type: ignore[misc]
            tlvs_alone, text_alone, payload, data = esme.receipts
            ids = [response.message_id for response in esme.responses]
            assert (tlvs_alone.content, tlvs_alone.receipted_message_id) == (b"", ids[0])
            assert text_alone.tlvs == ()
            assert text_of(text_alone)["id"] == ids[1]
            assert isinstance(payload, DeliverSm)
            assert payload.short_message == b""
            assert text_of(payload)["id"] == ids[2]
            assert isinstance(data, DataSm)
            assert text_of(data)["id"] == data.receipted_message_id == ids[3]
            await settled(smsc, receipts_acked=4)

    run(scenario)


def test_0050_disconnects_without_an_answer_and_has_not_taken_the_message() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0050")
            await esme.until(lambda: esme.closed)
            assert [event.context for event in esme.of(Unanswered)] == [PREFIX + "0050"]
            assert smsc.stats.accepted == 0

    run(scenario)


def test_the_receipt_of_0051_comes_on_the_next_session() -> None:
    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit(PREFIX + "0051")
            await esme.until(lambda: esme.closed)
            (response,) = esme.responses
        await settled(smsc, sessions=0)
        async with bound(smsc) as esme:
            await esme.until(lambda: len(esme.receipts) == 1)
            assert text_of(esme.receipts[0])["id"] == response.message_id

    run(scenario)


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


def test_the_table_of_outcomes_describes_each_row_once_and_ends_with_all_others() -> None:
    rows = table()
    assert len({description for _, description in rows}) == len(rows) == len(OUTCOMES) + 1
    assert all(len(suffix) == 4 and suffix.isdigit() for suffix in OUTCOMES)
