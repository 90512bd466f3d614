"""User data headers are read and written to the letter, and leave the room that is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.concatenation import concatenate, parts_taken
from chalicelib.domain.content import Segment
from chalicelib.domain.headers import MAX_ELEMENTS, BadHeader, read_header, room_beside, write_header
from chalicelib.domain.rules import LongMessageForm
from chalicelib.domain.text import COUNTED, Encoding, decode

PORTS = b"\x05\x04\x0b\x84\x23\xf0"
SEGMENTS = st.builds(
    lambda reference, total, number: Segment(reference, total, min(number, total)),
    st.integers(0, 0xFFFF),
    st.integers(2, 255),
    st.integers(1, 255),
)
ELEMENTS = st.sampled_from([b"", PORTS, b"\x24\x01\x01" + PORTS])


@given(SEGMENTS, ELEMENTS, st.binary(max_size=100))
def test_what_is_written_is_read(segment: Segment, elements: bytes, behind: bytes) -> None:
    header, rest = read_header(write_header(elements, segment) + behind)
    assert (header.elements, header.segment, rest) == (elements, segment, behind)


@given(st.binary(max_size=160))
def test_octets_from_anywhere_are_a_header_or_none(octets: bytes) -> None:
    try:
        header, rest = read_header(octets)
    except BadHeader:
        return
    assert octets.endswith(rest)
    assert len(header.elements) + len(rest) < len(octets)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x05", b"\x01\x00", b"\x03\x00\x03\x01", b"\x05\x00\x03\x01\x00\x00", b"\x05\x00\x03\x01\x02\x03"],
    ids=["empty", "too short", "half an element", "runs past", "no parts", "part 3 of 2"],
)
def test_what_is_no_header_is_refused(octets: bytes) -> None:
    with pytest.raises(BadHeader):
        read_header(octets)


def test_a_header_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(BadHeader):
        read_header(bytes((MAX_ELEMENTS + 3,)) + b"\x70" + bytes((MAX_ELEMENTS + 1,)) + bytes(MAX_ELEMENTS + 1))


def test_beside_no_elements_there_is_the_room_that_is_counted() -> None:
    assert all(room_beside(encoding, b"").joined == COUNTED[encoding].joined for encoding in Encoding)
    assert room_beside(Encoding.GSM7, PORTS).alone == 152  # (140 - 7) * 8 // 7


@given(
    text=st.text("abcñ{€é", max_size=600),
    encoding=st.sampled_from([Encoding.GSM7, Encoding.UCS2]),
    form=st.sampled_from(["udh", "udh8", "sar", "payload"]),
)
def test_a_long_text_beside_elements_has_them_in_each_part_and_as_many_parts_as_are_counted(
    text: str, encoding: Encoding, form: LongMessageForm
) -> None:
    parts = concatenate(text, encoding, form, 0x1234, udh=PORTS)
    assert len(parts) == parts_taken(text, encoding, PORTS)
    read = [read_header(part.octets) for part in parts]
    assert all(part.esm_class_udhi for part in parts)
    assert {header.elements for header, _ in read} == {PORTS}
    assert "".join(decode(rest, encoding) for _, rest in read) == text
    septets = 8 if encoding is Encoding.UCS2 else 7
    assert all(len(rest) * septets / 8 + len(write_header(h.elements, h.segment)) <= 140 for h, rest in read)
    if len(parts) > 1:
        expected = [Segment(0x34, len(parts), number) for number in range(1, len(parts) + 1)]
        assert [header.segment for header, _ in read] == expected


@pytest.mark.parametrize(
    ("form", "reference", "header", "sar"),
    [
        ("udh", 7, b"\x05\x00\x03\x07\x03\x02", None),
        ("payload", 0x1234, b"\x06\x08\x04\x12\x34\x03\x02", None),
        ("sar", 0x1234, b"", (0x1234, 3, 2)),
    ],
)
def test_a_part_of_the_customers_goes_as_that_part(
    form: LongMessageForm, reference: int, header: bytes, sar: tuple[int, int, int] | None
) -> None:
    segment = Segment(reference, 3, 2)
    (part,) = concatenate("hola", Encoding.GSM7, form, 1, part=segment)
    assert (part.octets, part.sar, part.total) == (header + b"hola", sar, 1)
    assert parts_taken("hola", Encoding.GSM7, b"", segment) == 1


def test_a_part_without_room_for_its_header_goes_as_a_message() -> None:
    segment = Segment(7, 3, 2)
    parts = concatenate("x" * 160, Encoding.GSM7, "udh", 1, part=segment)
    assert [part.octets for part in parts] == [b"x" * 160]
    assert parts_taken("x" * 160, Encoding.GSM7, b"", segment) == 1
    assert parts_taken("x" * 161, Encoding.GSM7, b"", segment) == len(
        concatenate("x" * 161, Encoding.GSM7, "udh", 1, part=segment)
    )


@given(octets=st.binary(min_size=1, max_size=254), encoding=st.sampled_from(list(Encoding)))
def test_octets_that_are_no_text_are_sent_as_they_are(octets: bytes, encoding: Encoding) -> None:
    parts = concatenate(octets, encoding, "udh", 1, part=Segment(7, 2, 1))
    assert len(parts) == parts_taken(octets, encoding, b"", Segment(7, 2, 1))
    assert b"".join(read_header(p.octets)[1] if p.esm_class_udhi else p.octets for p in parts) == octets
