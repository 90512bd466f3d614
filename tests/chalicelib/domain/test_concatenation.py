"""Parts on the wire: as many as are counted, in each form that gateways take."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import gsm
from chalicelib.domain.concatenation import Part, concatenate, reference_of
from chalicelib.domain.rules import LongMessageForm
from chalicelib.domain.text import BadText, Encoding, decode, encode, segment, segment_binary
from tests.chalicelib.domain.test_text import texts_of

FORMS = get_args(LongMessageForm)
REFERENCE = 0xA1B2
texts = st.one_of(
    texts_of([*sorted(gsm.BASIC), "€", "{"], 700),
    texts_of(["a", "я", "漢", "😀", "e\u0301", "🇲🇽", "\r\n"], 300),
    st.text(max_size=300),
)


def body(part: Part) -> bytes:
    return part.octets[part.octets[0] + 1 :] if part.esm_class_udhi else part.octets


@pytest.mark.parametrize("form", FORMS)
def test_a_message_of_one_part_is_its_octets_alone(form: LongMessageForm) -> None:
    assert concatenate("a" * 160, Encoding.GSM7, form, REFERENCE) == (Part(b"a" * 160),)
    assert concatenate("я" * 70, Encoding.UCS2, form, REFERENCE) == (Part(b"\x04\x4f" * 70),)
    assert concatenate(b"\0" * 140, Encoding.BINARY, form, REFERENCE) == (Part(b"\0" * 140),)
    assert concatenate("", Encoding.GSM7, form, REFERENCE) == (Part(b""),)


@pytest.mark.parametrize(
    ("content", "encoding", "header", "sizes"),
    [
        # 16-bit references wherever the count allows: 152 septets, 66 units, 133 octets a part
        pytest.param("a" * 161, Encoding.GSM7, "06 08 04 a1 b2", [152, 9], id="161 septets"),
        pytest.param("a" * 304, Encoding.GSM7, "06 08 04 a1 b2", [152, 152], id="304 septets"),
        pytest.param("a" * 305, Encoding.GSM7, "05 00 03 b2", [153, 152], id="305 septets fit only 8 bits"),
        pytest.param("a" * 306, Encoding.GSM7, "05 00 03 b2", [153, 153], id="306 septets fit only 8 bits"),
        pytest.param("a" * 307, Encoding.GSM7, "06 08 04 a1 b2", [152, 152, 3], id="307 septets"),
        pytest.param("я" * 71, Encoding.UCS2, "06 08 04 a1 b2", [132, 10], id="71 units"),
        pytest.param("я" * 133, Encoding.UCS2, "05 00 03 b2", [134, 132], id="133 units fit only 8 bits"),
        pytest.param(b"\1" * 141, Encoding.BINARY, "06 08 04 a1 b2", [133, 8], id="141 octets"),
        pytest.param(b"\1" * 268, Encoding.BINARY, "05 00 03 b2", [134, 134], id="268 octets fit only 8 bits"),
    ],
)
def test_udh_takes_the_wider_reference_that_costs_no_part(
    content: str | bytes, encoding: Encoding, header: str, sizes: list[int]
) -> None:
    parts = concatenate(content, encoding, "udh", REFERENCE)
    assert [len(body(part)) for part in parts] == sizes
    for number, part in enumerate(parts, 1):
        assert part.octets.startswith(bytes.fromhex(header) + bytes((len(parts), number)))
        assert part.esm_class_udhi


def test_udh8_always_takes_eight_bits() -> None:
    first, second = concatenate("a" * 161, Encoding.GSM7, "udh8", REFERENCE)
    assert first.octets == bytes.fromhex("05 00 03 b2 02 01") + b"a" * 153
    assert second.octets == bytes.fromhex("05 00 03 b2 02 02") + b"a" * 8


def test_sar_says_it_in_tlvs_and_leaves_room_for_the_header_that_the_smsc_makes() -> None:
    parts = concatenate("a" * 161, Encoding.GSM7, "sar", REFERENCE)
    assert parts == (
        Part(b"a" * 153, 1, 2, sar=(REFERENCE, 2, 1)),
        Part(b"a" * 8, 2, 2, sar=(REFERENCE, 2, 2)),
    )


def test_payload_sends_a_long_message_whole() -> None:
    assert concatenate("a" * 161, Encoding.GSM7, "payload", REFERENCE) == (Part(b"a" * 161, payload=True),)


@given(texts, st.sampled_from(FORMS), st.integers(0, 0xFFFF))
def test_parts_join_to_the_message_and_are_as_many_as_counted(text: str, form: LongMessageForm, reference: int) -> None:
    segments = segment(text)
    parts = concatenate(text, segments.encoding, form, reference)
    assert "".join(decode(body(part), segments.encoding) for part in parts) == text
    assert len(parts) == (1 if form == "payload" else len(segments.parts))
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert {part.total for part in parts} == {len(parts)}


@given(texts, st.sampled_from(["udh", "udh8", "sar"]))
def test_a_part_with_its_header_fits_140_octets(text: str, form: LongMessageForm) -> None:
    encoding = segment(text).encoding
    for part in concatenate(text, encoding, form, REFERENCE):
        header = part.octets[0] + 1 if part.esm_class_udhi else 6 if part.sar else 0
        if encoding is Encoding.GSM7:
            assert -(-header * 8 // 7) + len(body(part)) <= 160
        else:
            assert header + len(body(part)) <= 140


@given(st.integers(0, 600).map(lambda size: bytes(at % 251 for at in range(size))), st.sampled_from(FORMS))
def test_binary_data_comes_out_as_it_went_in(data: bytes, form: LongMessageForm) -> None:
    parts = concatenate(data, Encoding.BINARY, form, REFERENCE)
    assert b"".join(map(body, parts)) == data
    assert form == "payload" or len(parts) == len(segment_binary(data))


def test_the_longest_message_is_numbered_to_255_and_a_longer_one_is_refused() -> None:
    assert [part.octets[4:6] for part in concatenate("a" * 153 * 255, Encoding.GSM7, "udh", 1)][-1] == b"\xff\xff"
    with pytest.raises(BadText):
        concatenate("a" * (153 * 255 + 1), Encoding.GSM7, "udh", 1)


def test_a_text_that_its_encoding_lacks_is_refused() -> None:
    with pytest.raises(BadText):
        concatenate("я", Encoding.GSM7, "udh", 1)


def test_a_reference_has_16_bits_is_always_the_same_and_differs_between_messages() -> None:
    ids = [f"msg_01J0000000000000000000{number:04}" for number in range(2_000)]
    references = [reference_of(message_id) for message_id in ids]
    assert references == [reference_of(message_id) for message_id in ids]
    assert all(0 <= reference <= 0xFFFF for reference in references)
    assert len(set(references)) > 1_900  # chance alone would leave about 1,970


def test_octets_of_each_piece_are_those_of_its_text() -> None:
    text = "Número confirmado 😀 " * 10
    parts = concatenate(text, Encoding.UCS2, "udh8", 7)
    assert [body(part) for part in parts] == [encode(piece, Encoding.UCS2) for piece in segment(text).parts]
