"""What customers are told, on the wire: each PDU encodes, and says to its readers what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.esme import EsmeInbound, EsmeReceipt
from chalicelib.domain.receipts import is_receipt, parse_receipt
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding, decode
from smpp_bridge.customers.deliveries import Address, address, pdus_of
from smpp_bridge.protocol.codec import decode as read
from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.pdu import DeliverSm

RECEIPT = EsmeReceipt(
    id="msg_01K8QV3J9N7RZ5T2XWYB4M6CDE",
    sender="ACME",
    to="+34600111222",
    submitted_ms=1_763_859_780_000,
    done_ms=1_763_859_905_999,
    status=Status.UNDELIVERED,
    err="021",
    network_error=21,
    text="Hola",
)


def inbound(text: str = "", encoding: Encoding = Encoding.GSM7, data: bytes = b"") -> EsmeInbound:
    return EsmeInbound(
        id="inb_1", sender="+34600111222", recipient="1234", encoding=encoding, at_ms=1, text=text, data=data
    )


def on_the_wire(item: EsmeReceipt | EsmeInbound, *, takes_tlvs: bool = True) -> list[DeliverSm]:
    """As the customer reads them; toward 3.3 the server leaves the TLVs off."""
    found = []
    for pdu in pdus_of(item, takes_tlvs=takes_tlvs):
        pdu.tlvs = pdu.tlvs if takes_tlvs else ()
        back = read(encode(pdu))
        assert isinstance(back, DeliverSm)
        found.append(back)
    return found


def test_a_receipt_goes_from_the_recipient_to_the_sender_in_text_and_tlvs() -> None:
    (pdu,) = on_the_wire(RECEIPT)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "34600111222")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (5, 0, "ACME")
    assert (pdu.esm_class, pdu.data_coding) == (0x04, 3)
    assert pdu.short_message.startswith(b"id:msg_01K8QV3J9N7RZ5T2XWYB4M6CDE sub:001 dlvrd:000 submit date:2511230103")
    assert pdu.short_message.endswith(b"stat:UNDELIV err:021 text:Hola")
    assert (pdu.receipted_message_id, pdu.message_state) == (RECEIPT.id, 5)
    assert pdu.network_error_code == b"\x03\x00\x15"


def test_to_an_old_client_the_text_alone_says_it_all() -> None:
    (pdu,) = on_the_wire(RECEIPT, takes_tlvs=False)
    text = pdu.short_message.decode("latin-1")
    parsed = parse_receipt(text)
    assert is_receipt(pdu.esm_class, text)
    assert parsed is not None
    assert (parsed.id, parsed.state, parsed.err) == (RECEIPT.id, "UNDELIV", "021")


def test_an_intermediate_notification_is_marked_as_one() -> None:
    told = EsmeReceipt(
        id="msg_1", sender="ACME", to="+1", submitted_ms=0, done_ms=0, status=Status.SUBMITTED, intermediate=True
    )
    (pdu,) = on_the_wire(told)
    assert (pdu.esm_class, pdu.message_state, pdu.network_error_code) == (0x20, 1, None)
    assert b"stat:ENROUTE err:000" in pdu.short_message


@given(
    text=st.text(max_size=20),
    sender=st.text(max_size=30),
    to=st.text(max_size=30),
    status=st.sampled_from(Status),
)
def test_whatever_it_is_about_a_receipt_can_be_sent(text: str, sender: str, to: str, status: Status) -> None:
    told = EsmeReceipt(id="msg_1", sender=sender, to=to, submitted_ms=0, done_ms=0, status=status, text=text)
    assert len(on_the_wire(told)) == 1


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+34600111222", Address(1, 1, "34600111222")),
        ("34600111222", Address(1, 1, "34600111222")),
        ("1234", Address(3, 0, "1234")),
        ("ACME", Address(5, 0, "ACME")),
        ("ΔELTA", Address(5, 0, "?ELTA")),
        ("a name that is far too long", Address(5, 0, "a name that is far t")),
        ("", Address(5, 0, "")),
    ],
)
def test_an_address_says_what_kind_it_is(written: str, expected: Address) -> None:
    assert address(written) == expected


@pytest.mark.parametrize(
    ("item", "coding"),
    [
        (inbound("¿Vale o no? [1/2] €"), 0),
        (inbound("да 😀", Encoding.UCS2), 8),
        (inbound("came with octets that mean nothing: \ufffd"), 8),
        (inbound(encoding=Encoding.BINARY, data=bytes(range(140))), 4),
        (inbound(), 0),
    ],
)
def test_a_message_from_a_handset_comes_as_it_was(item: EsmeInbound, coding: int) -> None:
    (pdu,) = on_the_wire(item)
    assert (pdu.esm_class, pdu.data_coding, pdu.source_addr, pdu.destination_addr) == (0, coding, "34600111222", "1234")
    encoding = {0: Encoding.GSM7, 8: Encoding.UCS2, 4: Encoding.BINARY}[coding]
    if encoding is Encoding.BINARY:
        assert pdu.content == item.data
    else:
        assert decode(pdu.content, encoding) == item.text


@pytest.mark.parametrize("encoding", [Encoding.GSM7, Encoding.UCS2])
def test_a_long_message_is_one_payload_or_parts_with_headers(encoding: Encoding) -> None:
    item = inbound("0123456789€" * 40, encoding)
    (whole,) = on_the_wire(item)
    assert (whole.short_message, whole.esm_class) == (b"", 0)
    assert decode(whole.message_payload or b"", encoding) == item.text
    parts = on_the_wire(item, takes_tlvs=False)
    assert {pdu.esm_class for pdu in parts} == {0x40}
    headers = [pdu.short_message[: 1 + pdu.short_message[0]] for pdu in parts]
    assert [(header[-2], header[-1]) for header in headers] == [(len(parts), n) for n in range(1, len(parts) + 1)]
    texts = [decode(pdu.short_message[1 + pdu.short_message[0] :], encoding) for pdu in parts]
    assert "".join(texts) == item.text
