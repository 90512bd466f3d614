"""What is kept of PDUs: their fields as they were, and nothing that the message says."""

import msgspec
import pytest

from chalicelib.domain.pdu import PduTlv
from chalicelib.domain.receipts import said_by
from smpp_bridge.gateways.pdu_fields import of_receipt, of_submit
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, SubmitSm
from smpp_bridge.protocol.tlvs import Tag

UDH = bytes.fromhex("050003010201")
SECRET = b"your code is 123456"


def test_a_submit_is_kept_with_its_fields_and_header_but_neither_text_nor_number() -> None:
    pdu = SubmitSm(
        source_addr_ton=5,
        source_addr="Chasqui",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="+34600000001",
        esm_class=0x40,
        priority_flag=2,
        validity_period="000002000000000R",
        registered_delivery=1,
        short_message=UDH + SECRET,
        tlvs=((0x0204, b"\x00\x07"),),
    )
    kept = of_submit(pdu, 17)
    assert (kept.command, kept.sequence, kept.source, kept.destination) == ("submit_sm", 17, "Chasqui", "+34•••••••01")
    assert (kept.udh, kept.sm_length, kept.priority) == (UDH.hex(), len(UDH + SECRET), 2)
    assert kept.tlvs == (PduTlv(0x0204, 2, "0007"),)
    written = msgspec.json.encode(kept)
    assert b"600000001" not in written
    assert b"code" not in written
    assert len(written) < 200  # one for each part of each message


def test_of_a_message_payload_only_its_length_is_kept() -> None:
    kept = of_submit(SubmitSm(tlvs=((Tag.MESSAGE_PAYLOAD, SECRET),)), 1)
    assert kept.tlvs == (PduTlv(Tag.MESSAGE_PAYLOAD, len(SECRET), ""),)


def test_a_receipt_is_kept_with_what_it_says_and_without_the_messages_own_words() -> None:
    text = "id:7F sub:001 dlvrd:001 submit date:2611230531 done date:2611230532 stat:DELIVRD err:000 text:your code"
    kept = of_receipt(DeliverSm(7, 0, (), source_addr="34600000001", esm_class=4, short_message=text.encode()), text)
    assert kept.said == text.partition(" text:")[0]
    assert "600000001" not in kept.source
    assert kept.command == "deliver_sm"
    by_data = of_receipt(DataSm(sequence=7, tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"7F\0"),)), "")
    assert (by_data.command, by_data.tlvs) == ("data_sm", (PduTlv(Tag.RECEIPTED_MESSAGE_ID, 3, "374600"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id:1 stat:DELIVRD err:000 text:secret", "id:1 stat:DELIVRD err:000"),
        ("id:1 stat:DELIVRD err:000 secret words", "id:1 stat:DELIVRD err:000"),
        ("id:1 stat:UNDELIV err: text:secret", "id:1 stat:UNDELIV err: text"),
        ("ID:1,Submit_Date:26112,Stat:EXPIRED;Text:id:secret", "ID:1,Submit_Date:26112,Stat:EXPIRED;"),
        ("secret id:1 stat:DELIVRD", ""),
        ("", ""),
    ],
)
def test_only_the_fields_that_a_receipt_begins_with_are_kept(text: str, said: str) -> None:
    assert said_by(text) == said
