"""Parts make the text that was cut, wherever it was cut, or no message."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain import gsm
from chalicelib.domain.content import Content
from chalicelib.domain.parts import HeldPart, join
from chalicelib.domain.text import Encoding

NOW_MS = 1_760_000_000_000


def held(octets: bytes, data_coding: int) -> HeldPart:
    content = Content(
        to="+34600111222", country="ES", sender="ACME", encoding=Encoding.GSM7, parts=1, valid_until_ms=NOW_MS
    )
    return HeldPart(content, octets, data_coding, "one")


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300),
    cuts=st.lists(st.integers(0, 600), max_size=5),
    coding=st.sampled_from([0, 8, 3, 1]),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_text_that_was_cut_anywhere_is_whole_again(text: str, cuts: list[int], coding: int) -> None:
    if coding == 0:
        text = "".join(character for character in text if gsm.is_gsm(character)) or "{€}"
    elif coding != 8:
        text = "".join(character for character in text if character <= "\xff") or "é"
    octets = gsm.encode(text) if coding == 0 else text.encode("utf-16-be" if coding == 8 else "latin-1")
    borders = sorted({0, len(octets), *(at % (len(octets) + 1) for at in cuts)})
    parts = [held(octets[start:end], coding) for start, end in pairwise(borders)]
    joined = join(parts, [str(number) for number in range(len(parts))])
    assert joined is not None
    assert joined.text == text


def test_parts_in_several_alphabets_are_one_text() -> None:
    joined = join([held(b"caf\x05 ", 0), held("☕ ".encode("utf-16-be"), 8), held(b"\xe9", 3)], ["1", "2", "3"])
    assert joined is not None
    assert (joined.text, joined.encoding) == ("café ☕ é", Encoding.UCS2)


def test_data_is_joined_as_data() -> None:
    joined = join([held(b"\x00" * 134, 4), held(b"\xff" * 10, 4)], ["1", "2"])
    assert joined is not None
    assert (joined.data, joined.encoding, joined.parts) == (b"\x00" * 134 + b"\xff" * 10, Encoding.BINARY, 2)


def test_data_and_text_are_no_message() -> None:
    assert join([held(b"one", 0), held(b"two", 4)], ["1", "2"]) is None
