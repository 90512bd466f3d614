"""The simulator's table of outcomes over real sockets, row by row."""

import pytest

from infra.local.smsc import Config, Smsc
from infra.local.smsc.outcomes import OUTCOMES, table
from smpp_bridge.protocol.events import Unanswered
from smpp_bridge.protocol.pdu import DataSm, DeliverSm
from smpp_bridge.protocol.status import Status
from tests.infra.local.scenario import PREFIX, bound, run, settled, text_of


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


def test_the_table_of_outcomes_describes_each_row_once_and_ends_with_all_others() -> None:
    rows = table()
    assert len({description for _, description in rows}) == len(rows) == len(OUTCOMES) + 1
    assert all(len(suffix) == 4 and suffix.isdigit() for suffix in OUTCOMES)
