"""The PDU of a part says what the message and the gateway's settings say."""

from typing import Any

import pytest

from chalicelib.domain.content import Segment, Tlv
from chalicelib.domain.text import Encoding
from smpp_bridge.gateways.compose import Composer, relative_time
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.pdu import SubmitSm
from tests.smpp_bridge.gateways.world import dispatch, gateway

NOW_MS = 1_800_000_000_000


def composed(message: dict[str, Any], settings: dict[str, Any]) -> list[SubmitSm]:
    """Through the codec and back, as the SMSC reads it."""
    composer = Composer(gateway(1, **settings))
    one = dispatch(**{"valid_until_ms": NOW_MS + 3_600_000, **message})
    read = [decode(encode(composer.submit_sm(one.content, part, NOW_MS))) for part in composer.parts_of(one)]
    return [pdu for pdu in read if isinstance(pdu, SubmitSm)]


@pytest.mark.parametrize(
    ("sender", "settings", "address"),
    [
        ("Chasqui", {}, (5, 0, "Chasqui")),
        ("+34600111222", {}, (1, 1, "34600111222")),
        ("25252", {}, (3, 0, "25252")),
        ("25252", {"source_ton": 6, "source_npi": 9}, (6, 9, "25252")),
        ("Chasqui", {"source_ton": 0}, (0, 0, "Chasqui")),
        ("+34600111222", {"sender_override": "Chasqui"}, (5, 0, "Chasqui")),
        ("Chasqui", {"sender_override": "25252"}, (3, 0, "25252")),
    ],
)
def test_the_sender_s_form_or_the_gateway_gives_ton_and_npi(
    sender: str, settings: dict[str, Any], address: tuple[int, int, str]
) -> None:
    (pdu,) = composed({"sender": sender}, settings)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == address


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, (1, 1, "34600001234")),
        ({"destination_plus": True}, (1, 1, "+34600001234")),
        ({"destination_ton": 2, "destination_npi": 8}, (2, 8, "34600001234")),
    ],
)
def test_the_destination_is_as_the_gateway_wants_it(settings: dict[str, Any], address: tuple[int, int, str]) -> None:
    (pdu,) = composed({}, settings)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == address


@pytest.mark.parametrize(
    ("message", "settings", "coding"),
    [
        ({"text": "hola"}, {}, 0),
        ({"text": "hola"}, {"gsm7_data_coding": 0xF1}, 0xF1),
        ({"text": "✓"}, {"gsm7_data_coding": 0xF1}, 8),
        ({"text": "", "encoding": Encoding.BINARY, "data": b"\0\xff"}, {}, 4),
    ],
)
def test_the_data_coding_follows_the_encoding(message: dict[str, Any], settings: dict[str, Any], coding: int) -> None:
    (pdu,) = composed(message, settings)
    assert pdu.data_coding == coding


@pytest.mark.parametrize("form", ["udh", "udh8", "sar", "payload"])
def test_every_part_asks_for_a_receipt_and_has_the_validity(form: str) -> None:
    pdus = composed({"text": "x" * 500}, {"long_messages": form, "service_type": "CMT"})
    assert len(pdus) == (1 if form == "payload" else 4)
    assert {(pdu.registered_delivery, pdu.validity_period, pdu.service_type) for pdu in pdus} == {
        (1, "000000010000000R", "CMT")
    }


def test_the_parts_carry_their_form() -> None:
    long = {"text": "x" * 500}
    wide = composed(long, {"long_messages": "udh"})
    assert [pdu.short_message[:3] for pdu in wide] == [b"\x06\x08\x04"] * 4
    assert {pdu.esm_class for pdu in wide} == {0x40}
    assert [pdu.short_message[5:7] for pdu in wide] == [bytes((4, number)) for number in range(1, 5)]
    narrow = composed(long, {"long_messages": "udh8"})
    assert [pdu.short_message[:3] for pdu in narrow] == [b"\x05\x00\x03"] * 4
    segments = composed(long, {"long_messages": "sar"})
    assert [(pdu.sar_segment_seqnum, pdu.sar_total_segments, pdu.esm_class) for pdu in segments] == [
        (number, 4, 0) for number in range(1, 5)
    ]
    assert len({pdu.sar_msg_ref_num for pdu in segments}) == 1
    (whole,) = composed(long, {"long_messages": "payload"})
    assert (whole.short_message, whole.message_payload) == (b"", b"x" * 500)


def test_a_message_s_parts_are_the_same_each_time() -> None:
    composer = Composer(gateway(1))
    one = dispatch(text="x" * 500)
    assert composer.parts_of(one) == composer.parts_of(one)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-5, "000000000001000R"),
        (0, "000000000001000R"),
        (59, "000000000059000R"),
        (3_600, "000000010000000R"),
        (172_800, "000002000000000R"),
        (93_784, "000001020304000R"),
        (10**9, "000030000000000R"),
    ],
)
def test_a_validity_is_relative_and_16_characters(seconds: int, written: str) -> None:
    assert relative_time(seconds) == written
    assert len(written) == 16


@pytest.mark.parametrize(
    ("text", "message_class", "data_coding"),
    [("hola", 0, 0xF0), ("hola", 1, 0xF1), ("olá ☕", 0, 0x18), ("olá ☕", 3, 0x1B), ("hola", None, 0)],
)
def test_a_message_class_goes_with_its_alphabet(text: str, message_class: int | None, data_coding: int) -> None:
    (pdu,) = composed({"text": text, "message_class": message_class}, {})
    assert pdu.data_coding == data_coding


def test_data_with_a_class() -> None:
    message = {"text": "", "data": b"\x01\x02", "encoding": Encoding.BINARY, "message_class": 1}
    (pdu,) = composed(message, {})
    assert (pdu.data_coding, pdu.short_message) == (0xF5, b"\x01\x02")


@pytest.mark.parametrize("form", ["udh", "udh8", "sar", "payload"])
def test_a_customers_header_comes_first_in_whatever_form(form: str) -> None:
    ports = b"\x05\x04\x0b\x84\x23\xf0"
    (pdu,) = composed({"udh": ports}, {"long_messages": form})
    assert (pdu.esm_class, pdu.short_message, pdu.tlvs) == (0x40, b"\x06" + ports + b"hola", ())
    several = composed({"udh": ports, "text": "x" * 400}, {"long_messages": form})
    assert {pdu.esm_class for pdu in several} == {0x40}
    assert all(ports in pdu.short_message and len(pdu.short_message) <= 159 for pdu in several)


def test_a_customers_part_goes_as_that_part() -> None:
    part = {"segment": Segment(7, 3, 2), "text": "", "data": b"hola\x1b", "encoding": Encoding.GSM7}
    (by_header,) = composed(part, {})
    assert (by_header.esm_class, by_header.short_message) == (0x40, b"\x05\x00\x03\x07\x03\x02hola\x1b")
    (by_sar,) = composed(part, {"long_messages": "sar"})
    assert (by_sar.esm_class, by_sar.short_message) == (0, b"hola\x1b")
    assert (by_sar.sar_msg_ref_num, by_sar.sar_total_segments, by_sar.sar_segment_seqnum) == (7, 3, 2)


@pytest.mark.parametrize(("taken", "tags"), [((), []), ((0x1400, 0x1402), [0x1400]), ("all", [0x1400, 0x1401])])
def test_customers_parameters_go_as_far_as_the_gateway_takes_them(taken: Any, tags: list[int]) -> None:
    entity, template = Tlv(0x1400, b"1101\0"), Tlv(0x1401, b"1107\0")
    for part in composed({"tlvs": (entity, template), "text": "x" * 200}, {"tlvs": taken}):
        assert [tag for tag, _ in part.tlvs] == tags
    (payload,) = composed({"tlvs": (entity,), "text": "x" * 200}, {"tlvs": taken, "long_messages": "payload"})
    assert payload.message_payload == b"x" * 200
