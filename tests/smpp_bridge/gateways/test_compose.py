"""The PDU of a part says what the message and the gateway's settings say."""

from typing import Any

import pytest

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
