"""A customer's submit becomes the message that was meant, to the letter, or a status that says what is wrong."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain import gsm
from chalicelib.domain.content import Segment, Tlv
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.domain.text import Encoding
from smpp_bridge.customers.refused import Refused
from smpp_bridge.customers.statuses import OwnStatus
from smpp_bridge.customers.submits import MAX_TLV_OCTETS, ReadSubmit, read_submit
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.messages import DataSm, SubmitSm
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag, segment_tlvs

NOW_MS = 1_763_856_000_000  # 2025-11-23 00:00 UTC
LOGIN = SmppLogin(system_id="acme", account="acc_one", name="", password_hash="", created_ms=0)
GSM_TEXT = st.text(st.sampled_from(sorted(gsm.BASIC | gsm.EXTENDED)), max_size=120)
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
DLT_ENTITY = (0x1400, b"1101234567890\0")


def submit(**fields: Any) -> SubmitSm:
    """A plain submit_sm with what is of interest, through the codec as from a customer."""
    plain: dict[str, Any] = {"source_addr": "ACME", "source_addr_ton": 5, "destination_addr": "34600111222"}
    plain |= {"dest_addr_ton": 1, "dest_addr_npi": 1, "short_message": b"hola"}
    read = decode(encode(SubmitSm(**plain | fields)))
    assert isinstance(read, SubmitSm)
    return read


def read(**fields: Any) -> ReadSubmit:
    return read_submit(submit(**fields), LOGIN, NOW_MS)


def status(**fields: Any) -> int:
    with pytest.raises(Refused) as refused:
        read(**fields)
    return refused.value.status


# --- text


@given(text=GSM_TEXT)
def test_the_default_alphabet_arrives_as_it_was_written_escapes_and_all(text: str) -> None:
    assert read(short_message=gsm.encode(text), data_coding=0).submission.text == text


@given(text=st.text(st.characters(max_codepoint=0x7F), max_size=160))
def test_ascii_arrives_as_it_was_written(text: str) -> None:
    assert read(short_message=text.encode(), data_coding=1).submission.text == text


def test_a_login_whose_client_means_gsm_by_data_coding_1_is_read_so_and_for_it_parts_are_gsm_too() -> None:
    login = msgspec.structs.replace(LOGIN, data_coding_1="gsm")
    text = "¿Cuánto? [20 €] @ñ_$"
    made = read_submit(submit(short_message=gsm.encode(text.replace("á", "a")), data_coding=1), login, NOW_MS)
    assert (made.submission.text, made.data_coding) == (text.replace("á", "a"), 0)
    assert read_submit(submit(short_message="ñ".encode("latin-1"), data_coding=3), login, NOW_MS).submission.text == "ñ"


@given(text=st.text(st.characters(max_codepoint=0xFF), max_size=160))
def test_latin_1_arrives_as_it_was_written(text: str) -> None:
    assert read(short_message=text.encode("latin-1"), data_coding=3).submission.text == text


@given(text=ANY_TEXT)
def test_ucs_2_arrives_as_it_was_written_emoji_and_all(text: str) -> None:
    assert read(short_message=text.encode("utf-16-be"), data_coding=8).submission.text == text


def test_a_long_text_may_come_as_message_payload() -> None:
    text = "x" * 3000
    made = read(short_message=b"", tlvs=((Tag.MESSAGE_PAYLOAD, text.encode()),))
    assert (made.submission.text, made.submission.tlvs) == (text, ())


@pytest.mark.parametrize(
    ("data_coding", "message_class", "kind"),
    [
        (0x10, 0, "text"),
        (0x11, 1, "text"),
        (0x18, 0, "wide"),
        (0x1B, 3, "wide"),
        (0xF0, 0, "text"),
        (0xF2, 2, "text"),
        (0x14, 0, "data"),
        (0xF5, 1, "data"),
        (0x04, None, "data"),
        (0x02, None, "data"),
        (0x06, None, "cyrillic"),
    ],
)
def test_data_coding_says_class_and_alphabet(data_coding: int, message_class: int | None, kind: str) -> None:
    octets, said = {
        "text": (b"ol\x1b\x65", "ol€"),
        "wide": ("olá 😀".encode("utf-16-be"), "olá 😀"),
        "data": (b"\x00\x01\xff", None),
        "cyrillic": ("Привет".encode("iso8859-5"), "Привет"),
    }[kind]
    made = read(short_message=octets, data_coding=data_coding).submission
    assert (made.message_class, made.text) == (message_class, said)
    assert made.data == (octets if kind == "data" else None)


def test_the_display_as_destination_is_flash() -> None:
    made = read(tlvs=((0x0005, b"\x01"),)).submission
    assert (made.message_class, made.tlvs) == (0, ())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"data_coding": 0, "short_message": b"caf\xe9"}, OwnStatus.INVALID_TEXT),
        ({"data_coding": 8, "short_message": b"\x00h\x00"}, Status.INVALID_MESSAGE_LENGTH),
        ({"data_coding": 8, "short_message": b"\xd8\x3d"}, OwnStatus.INVALID_TEXT),
        ({"data_coding": 5}, OwnStatus.INVALID_TEXT),
        ({"esm_class": 0x08}, Status.INVALID_ESM_CLASS),
        ({"esm_class": 0x02}, Status.INVALID_ESM_CLASS),
        ({"esm_class": 0x40, "short_message": b"\x05\x00\x03"}, Status.INVALID_ESM_CLASS),
        ({"esm_class": 0x40, "short_message": b"\x05\x00\x03\x01\x02\x03hi"}, Status.INVALID_ESM_CLASS),
        ({"tlvs": segment_tlvs(7, 3, 1)[:2]}, Status.INVALID_PARAMETER_VALUE),
        ({"priority_flag": 4}, Status.INVALID_PRIORITY),
        ({"registered_delivery": 3}, Status.INVALID_REGISTERED_DELIVERY),
        ({"replace_if_present_flag": 2}, Status.INVALID_REPLACE_FLAG),
        ({"sm_default_msg_id": 1}, Status.INVALID_DEFAULT_MESSAGE_ID),
        ({"dest_addr_ton": 5}, Status.INVALID_DESTINATION_TON),
        ({"dest_addr_ton": 7}, Status.INVALID_DESTINATION_TON),
        ({"dest_addr_npi": 2}, Status.INVALID_DESTINATION_NPI),
        ({"source_addr_ton": 7}, Status.INVALID_SOURCE_TON),
        ({"source_addr_npi": 2}, Status.INVALID_SOURCE_NPI),
        ({"tlvs": ((0x1400, bytes(MAX_TLV_OCTETS)),)}, Status.INVALID_PARAMETER_LENGTH),
        ({"validity_period": "251122235959000+"}, Status.INVALID_VALIDITY),
        ({"validity_period": "000000000000000R"}, Status.INVALID_VALIDITY),
        ({"validity_period": "251399000000000+"}, Status.INVALID_VALIDITY),
        ({"schedule_delivery_time": "251122000000000+"}, Status.INVALID_SCHEDULE),
        ({"schedule_delivery_time": "000031000000000R"}, Status.INVALID_SCHEDULE),
        ({"schedule_delivery_time": "000000001501000R", "tlvs": segment_tlvs(7, 2, 1)}, Status.INVALID_SCHEDULE),
        ({"schedule_delivery_time": "someday, perhaps"}, Status.INVALID_SCHEDULE),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_own_status(fields: dict[str, Any], expected: int) -> None:
    assert status(**fields) == expected


def test_text_in_two_places_is_refused() -> None:
    pdu = SubmitSm(short_message=b"here", tlvs=((Tag.MESSAGE_PAYLOAD, b"and here"),), destination_addr="34600111222")
    with pytest.raises(Refused) as refused:
        read_submit(pdu, LOGIN, NOW_MS)
    assert refused.value.status == Status.INVALID_MESSAGE_LENGTH


# --- parts and headers


@pytest.mark.parametrize(
    ("header", "segment", "udh"),
    [
        (b"\x05\x00\x03\x2a\x03\x01", Segment(0x2A, 3, 1), b""),
        (b"\x06\x08\x04\x01\x2a\x03\x02", Segment(0x12A, 3, 2), b""),
        (b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x02", Segment(7, 2, 2), b"\x05\x04\x0b\x84\x23\xf0"),
        (b"\x06\x05\x04\x0b\x84\x23\xf0", None, b"\x05\x04\x0b\x84\x23\xf0"),
        (b"\x05\x00\x03\x2a\x01\x01", None, b""),
        (b"\x00", None, b""),
    ],
    ids=["8 bits", "16 bits", "with ports", "ports alone", "one of one", "empty"],
)
def test_a_header_tells_the_part_and_the_rest_of_it_is_kept(header: bytes, segment: Segment | None, udh: bytes) -> None:
    made = read(esm_class=0x40, short_message=header + b"hola")
    assert (made.submission.segment, made.submission.udh, made.octets) == (segment, udh, b"hola")


def test_sar_parameters_tell_the_part() -> None:
    made = read(tlvs=(*segment_tlvs(0x1234, 3, 2), DLT_ENTITY)).submission
    assert (made.segment, made.tlvs) == (Segment(0x1234, 3, 2), (Tlv(*DLT_ENTITY),))


@given(text=st.one_of(GSM_TEXT, ANY_TEXT), cuts=st.lists(st.integers(0, 400), max_size=4), wide=st.booleans())
@settings(max_examples=60)
def test_a_part_that_was_cut_anywhere_is_taken_and_keeps_its_octets(text: str, cuts: list[int], wide: bool) -> None:
    octets = text.encode("utf-16-be") if wide or not gsm.is_gsm(text) else gsm.encode(text)
    coding = 8 if wide or not gsm.is_gsm(text) else 0
    borders = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    pieces = [octets[start:end] for start, end in pairwise(borders)]
    for number, piece in enumerate(pieces, 1):
        made = read(short_message=piece, data_coding=coding, tlvs=segment_tlvs(9, len(pieces) + 1, number))
        assert made.octets == piece
        assert made.submission.encoding is (Encoding.UCS2 if coding else Encoding.GSM7)
        said = made.submission.text
        again = None if said is None else said.encode("utf-16-be") if coding else gsm.encode(said)
        assert piece in (made.submission.data, again)


# --- the rest


@pytest.mark.parametrize(("flag", "priority"), [(0, "bulk"), (1, "normal"), (2, "high"), (3, "high")])
def test_priority_flags(flag: int, priority: str) -> None:
    assert read(priority_flag=flag).submission.priority == priority


@pytest.mark.parametrize(
    ("address", "ton", "to"),
    [
        ("34600111222", 1, "+34600111222"),
        ("+34600111222", 1, "+34600111222"),
        ("0034600111222", 1, "0034600111222"),
        ("600111222", 2, "600111222"),
        ("34600111222", 0, "34600111222"),
    ],
)
def test_recipients_by_their_type_of_number(address: str, ton: int, to: str) -> None:
    assert read(destination_addr=address, dest_addr_ton=ton).submission.to == to


@pytest.mark.parametrize(
    ("address", "ton", "sender"),
    [
        ("ACME", 5, "ACME"),
        ("34600111222", 1, "+34600111222"),
        ("22222", 3, "22222"),
        ("22222", 1, "22222"),
        ("22222", 0, "22222"),
        ("", 0, None),
    ],
)
def test_senders_by_their_type_of_number(address: str, ton: int, sender: str | None) -> None:
    assert read(source_addr=address, source_addr_ton=ton).submission.sender == sender


def test_what_the_customer_asks_for_is_kept() -> None:
    pdu_tlvs = (DLT_ENTITY, (0x1401, b"1107\0"), (Tag.USER_MESSAGE_REFERENCE, b"\x01\x02"))
    made = read(registered_delivery=0x12, validity_period="000001020304000R", tlvs=pdu_tlvs).submission
    assert (made.registered, made.login, made.source, made.mode) == (0x12, "acme", "smpp", "live")
    assert made.validity_seconds == ((24 + 2) * 60 + 3) * 60 + 4
    assert made.tlvs == (Tlv(*DLT_ENTITY), Tlv(0x1401, b"1107\0"))
    assert made.client_ref == "258"


def test_an_absolute_validity_counts_from_now_in_its_own_time_zone() -> None:
    assert read(validity_period="251123030000008+").submission.validity_seconds == 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("000000000500000R", 300), ("251123000500000+", 300), ("251122235930000+", None), ("000000000000000R", None)],
    ids=["relative", "absolute", "half a minute ago", "no time from now"],
)
def test_scheduled_delivery(text: str, seconds: int | None) -> None:
    expected = None if seconds is None else NOW_MS + seconds * 1000
    assert read(schedule_delivery_time=text).submission.send_at_ms == expected


def test_data_sm_is_read_alike() -> None:
    pdu = DataSm(
        source_addr="ACME",
        source_addr_ton=5,
        destination_addr="34600111222",
        dest_addr_ton=1,
        data_coding=8,
        registered_delivery=1,
        tlvs=((Tag.MESSAGE_PAYLOAD, "olá".encode("utf-16-be")), (0x0017, (90).to_bytes(4)), DLT_ENTITY),
    )
    made = read_submit(pdu, LOGIN, NOW_MS).submission
    assert (made.text, made.validity_seconds, made.registered, made.tlvs) == ("olá", 90, 1, (Tlv(*DLT_ENTITY),))
