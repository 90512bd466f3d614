"""Encoding and parts: every border, and the count against an independent writing of the reference."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyuegc import EGC

from chalicelib.domain import gsm
from chalicelib.domain.text import (
    COUNTED,
    MAX_PARTS,
    BadText,
    Encoding,
    Room,
    decode,
    encode,
    encoding_of,
    segment,
    segment_binary,
    split,
)

FAMILY = "👨‍👩‍👧‍👦"  # 7 code points, 11 UTF-16 units
FLAG = "🇲🇽"  # 2 code points, 4 UTF-16 units
ACCENTED = "e\u0301"

PIECES = [FAMILY, FLAG, ACCENTED, "👍🏽", "1️⃣", "😀", "\r\n", "é", "я", "漢", "ก็", "각", "नि", "a", " ", "€", "\u200d"]


def texts_of(pieces: list[str], most: int) -> st.SearchStrategy[str]:
    """Long ones as often as short ones, which lists alone would not give."""
    piece = st.sampled_from(pieces)
    return st.integers(0, most).flatmap(lambda size: st.lists(piece, min_size=size, max_size=size)).map("".join)


gsm_texts = texts_of([*sorted(gsm.BASIC), *sorted(gsm.EXTENDED), "\r\n", "€", "{"], 500)
ucs2_texts = texts_of(PIECES, 200)
mixed_texts = st.tuples(texts_of(["a", "я", "€", "\r\n"], 160), texts_of(PIECES, 40), texts_of(["b", "漢"], 80)).map(
    "".join
)
any_texts = st.one_of(gsm_texts, ucs2_texts, mixed_texts, st.text(max_size=500))


def units(text: str, encoding: Encoding) -> int:
    return len(encode(text, encoding)) // (2 if encoding is Encoding.UCS2 else 1)


def reference_count(text: str) -> int:
    """sms-segments-calculator 1.3.0, in bits as it counts: 1120 a part, 48 of them a header where there are several.

    It takes a text by grapheme clusters, CR and LF apart, and moves what the first part's header displaces.
    """
    clusters = [piece for cluster in EGC(text) for piece in (cluster if cluster == "\r\n" else [cluster])]
    is_gsm = all(cluster in gsm.BASIC or cluster in gsm.EXTENDED for cluster in clusters)
    sizes = [
        7 * (1 + (cluster in gsm.EXTENDED)) if is_gsm else 8 * len(cluster.encode("utf-16-be")) for cluster in clusters
    ]
    parts: list[list[int]] = [[]]
    for size in sizes:
        if sum(parts[-1]) + size > 1120:
            parts.append([48])
            if len(parts) == 2:
                parts[0].insert(0, 48)
                displaced: list[int] = []
                while sum(parts[0]) > 1120:
                    displaced.insert(0, parts[0].pop())
                parts[1].extend(displaced)
        parts[-1].append(size)
    return len(parts)


# Lengths of the parts in units: what sms-segments-calculator 1.3.0 answers, where not said otherwise.
BORDERS = [
    ("nothing", "", Encoding.GSM7, [0]),
    ("160 septets", "a" * 160, Encoding.GSM7, [160]),
    ("161 septets", "a" * 161, Encoding.GSM7, [153, 8]),
    ("306 septets", "a" * 306, Encoding.GSM7, [153, 153]),
    ("307 septets", "a" * 307, Encoding.GSM7, [153, 153, 1]),
    ("459 septets", "a" * 459, Encoding.GSM7, [153, 153, 153]),
    ("460 septets", "a" * 460, Encoding.GSM7, [153, 153, 153, 1]),
    ("80 euros", "€" * 80, Encoding.GSM7, [160]),
    ("81 euros", "€" * 81, Encoding.GSM7, [152, 10]),
    ("an escape pair in the last two septets", "a" * 158 + "{", Encoding.GSM7, [160]),
    ("an escape pair over the last septet", "a" * 159 + "{", Encoding.GSM7, [153, 8]),
    ("an escape pair over a part's last septet", "a" * 152 + "€" + "a" * 20, Encoding.GSM7, [152, 22]),
    ("an escape pair that ends a part", "a" * 151 + "€" + "a" * 20, Encoding.GSM7, [153, 20]),
    ("two pairs over a part's last septet", "€" + "a" * 150 + "€" + "a" * 20, Encoding.GSM7, [152, 22]),
    ("306 septets that escape pairs make three parts of", "a" * 152 + "€" + "a" * 152, Encoding.GSM7, [152, 153, 1]),
    ("section sign", "§" * 160, Encoding.GSM7, [160]),
    ("form feed", "\f" * 80, Encoding.GSM7, [160]),
    ("backtick", "`" * 70, Encoding.UCS2, [70]),
    ("backtick among GSM", "a" * 70 + "`", Encoding.UCS2, [67, 4]),
    ("CR LF", "\r\n" * 80, Encoding.GSM7, [160]),
    ("CR LF at a border", "a" * 152 + "\r\n" + "a" * 20, Encoding.GSM7, [152, 22]),
    ("CR LF at a border, where keeping it costs a part", "a" * 152 + "\r\n" + "a" * 152, Encoding.GSM7, [153, 153]),
    ("70 units", "я" * 70, Encoding.UCS2, [70]),
    ("71 units", "я" * 71, Encoding.UCS2, [67, 4]),
    ("134 units", "я" * 134, Encoding.UCS2, [67, 67]),
    ("135 units", "я" * 135, Encoding.UCS2, [67, 67, 1]),
    ("201 units", "я" * 201, Encoding.UCS2, [67, 67, 67]),
    ("202 units", "я" * 202, Encoding.UCS2, [67, 67, 67, 1]),
    ("an extension character counts one in UCS-2", "я" + "€" * 69, Encoding.UCS2, [70]),
    ("35 emoji", "😀" * 35, Encoding.UCS2, [70]),
    ("36 emoji", "😀" * 36, Encoding.UCS2, [66, 6]),
    ("67 emoji", "😀" * 67, Encoding.UCS2, [66, 66, 2]),
    ("an emoji over a part's last unit", "я" * 66 + "😀" + "я" * 5, Encoding.UCS2, [66, 7]),
    ("an emoji that ends a part", "я" * 65 + "😀" + "я" * 5, Encoding.UCS2, [67, 5]),
    ("flags", FLAG * 33, Encoding.UCS2, [64, 64, 4]),
    ("families", FAMILY * 12, Encoding.UCS2, [66, 66]),
    ("flags on a line of their own", "я" * 62 + "\n" + FLAG * 3, Encoding.UCS2, [67, 8]),
    ("a combining mark at a border", "я" * 66 + ACCENTED + "я" * 10, Encoding.UCS2, [66, 12]),
    ("CR LF at a border in UCS-2", "я" * 66 + "\r\n" + "я" * 10, Encoding.UCS2, [66, 12]),
    ("CR LF in UCS-2, where keeping it costs a part", "я" * 66 + "\r\n" + "я" * 66, Encoding.UCS2, [67, 67]),
    # The reference makes a part of 201 units, which no SMSC takes.
    ("a cluster larger than a part", "a" + "\u0301" * 200, Encoding.UCS2, [67, 67, 67]),
    ("emoji in a cluster larger than a part", "\u200d".join("👩" * 40), Encoding.UCS2, [66, 53]),
]


@pytest.mark.parametrize(("text", "encoding", "lengths"), [pytest.param(*row, id=name) for name, *row in BORDERS])
def test_a_text_is_cut_at_its_borders(text: str, encoding: Encoding, lengths: list[int]) -> None:
    segments = segment(text)
    assert segments.encoding is encoding
    assert [units(part, encoding) for part in segments.parts] == lengths
    assert "".join(segments.parts) == text


@given(any_texts)
def test_parts_decode_and_join_to_the_text(text: str) -> None:
    encoding, parts = (segments := segment(text)).encoding, segments.parts
    assert "".join(parts) == text
    assert "".join(decode(encode(part, encoding), encoding) for part in parts) == text


@given(any_texts)
def test_every_part_has_room_and_none_is_empty(text: str) -> None:
    segments = segment(text)
    room = COUNTED[segments.encoding]
    if len(segments.parts) == 1:
        assert units(text, segments.encoding) <= room.alone
    else:
        assert all(0 < units(part, segments.encoding) <= room.joined for part in segments.parts)


@given(any_texts)
def test_the_count_is_the_references(text: str) -> None:
    if any(units(cluster, Encoding.UCS2) > 30 for cluster in EGC(text)):
        return  # there the reference overfills its second part
    assert len(segment(text).parts) == reference_count(text)


@given(any_texts, st.integers(2, 30))
def test_no_pair_and_no_cluster_that_fits_is_cut(text: str, joined: int) -> None:
    encoding = encoding_of(text)
    parts = split(text, encoding, Room(alone=joined, joined=joined))
    borders = {sum(map(len, parts[:at])) for at in range(1, len(parts))}
    at = 0
    for cluster in EGC(text):
        inside = borders & set(range(at + 1, at + len(cluster)))
        assert not inside or cluster == "\r\n" or units(cluster, encoding) > joined
        at += len(cluster)
    for part in parts:
        octets = encode(part, encoding)
        assert decode(octets, encoding) == part
        if encoding is Encoding.UCS2:
            octets.decode("utf-16-be", "strict")


@given(texts_of(["a", "€", "\r", "\n"], 60), st.integers(2, 9))
def test_cr_lf_is_cut_only_where_keeping_it_costs_a_part(text: str, joined: int) -> None:
    parts = split(text, Encoding.GSM7, Room(joined, joined))
    if any(before.endswith("\r") and after.startswith("\n") for before, after in pairwise(parts)):
        clusters, kept = list(EGC(text)), [0]
        for cluster in clusters:
            size = gsm.septets(cluster)
            kept = [*kept[:-1], kept[-1] + size] if kept[-1] + size <= joined else [*kept, size]
        assert len(kept) > len(parts)


def test_between_plain_characters_there_is_always_a_border() -> None:
    ranges = [(0x00, 0x300), (0x370, 0x483), (0x48A, 0x530), (0x200E, 0x20C0), (0x4E00, 0x4F00), (0x9FF0, 0xA000)]
    characters = [chr(code) for first, last in ranges for code in range(first, last)]
    for neighbour in ["a", "\r", "\n", "\xad", "©", "\u2028", "漢"]:
        text = "".join(neighbour + character for character in characters) + neighbour
        assert all(len(cluster) == 1 or cluster == "\r\n" for cluster in EGC(text))


def test_one_character_outside_gsm_makes_the_text_ucs2() -> None:
    assert encoding_of("".join(sorted(gsm.BASIC | gsm.EXTENDED))) is Encoding.GSM7
    for character in ["`", "ç", "á", "\x1b", "\x00", "\t", "“", "😀", "\xa0"]:
        assert encoding_of("hello " + character) is Encoding.UCS2


def test_ucs2_can_be_asked_for_and_gsm_only_where_it_holds_the_text() -> None:
    assert segment("hola", Encoding.UCS2).encoding is Encoding.UCS2
    assert len(segment("a" * 71, Encoding.UCS2).parts) == 2
    with pytest.raises(BadText) as refused:
        segment("привет", Encoding.GSM7)
    assert refused.value.code == "invalid_text"


@pytest.mark.parametrize("text", ["\ud83d", "a\ude00b", "\ude00\ud83d", "я" * 100 + "\ud800"])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    for attempt in (lambda: segment(text), lambda: encode(text, Encoding.UCS2), lambda: encode(text, Encoding.GSM7)):
        with pytest.raises(BadText) as refused:
            attempt()
        assert refused.value.code == "invalid_text"


def test_more_parts_than_a_header_can_number_are_refused() -> None:
    assert len(segment("a" * 153 * MAX_PARTS).parts) == MAX_PARTS
    assert len(segment_binary(b"\0" * 134 * MAX_PARTS)) == MAX_PARTS
    for attempt in (
        lambda: segment("a" * (153 * MAX_PARTS + 1)),
        lambda: segment("€" * 76 * MAX_PARTS + "€"),
        lambda: segment("я" * 10_000_000),
        lambda: segment_binary(b"\0" * (134 * MAX_PARTS + 1)),
    ):
        with pytest.raises(BadText) as refused:
            attempt()
        assert refused.value.code == "text_too_long"


@pytest.mark.parametrize(("size", "lengths"), [(0, [0]), (140, [140]), (141, [134, 7]), (268, [134, 134])])
def test_binary_data_is_cut_by_octets(size: int, lengths: list[int]) -> None:
    data = bytes(at % 256 for at in range(size))
    parts = segment_binary(data)
    assert [len(part) for part in parts] == lengths
    assert b"".join(parts) == data


@pytest.mark.parametrize(
    ("text", "encoding", "octets"),
    [
        ("@£Δ§", Encoding.GSM7, "00 01 10 5f"),
        ("a€{", Encoding.GSM7, "61 1b 65 1b 28"),
        ("¿ñ à", Encoding.GSM7, "60 7d 20 7f"),
        ("aя", Encoding.UCS2, "00 61 04 4f"),
        ("😀", Encoding.UCS2, "d8 3d de 00"),
        ("\x00ÿ", Encoding.BINARY, "00 ff"),
    ],
)
def test_octets_are_those_of_the_specification(text: str, encoding: Encoding, octets: str) -> None:
    assert encode(text, encoding) == bytes.fromhex(octets)
    assert decode(bytes.fromhex(octets), encoding) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("1b 61", "a"),  # no such extension: the basic character
        ("1b 1b 65", " e"),  # reserved for another extension table: a space
        ("61 1b", "a "),
        ("61 80 ff", "a\ufffd\ufffd"),
        ("1b 0a", "\f"),
        ("1b 80", "\ufffd"),
    ],
)
def test_septets_without_meaning_are_shown_as_23_038_says(octets: str, text: str) -> None:
    assert decode(bytes.fromhex(octets), Encoding.GSM7) == text


@given(st.binary(max_size=300), st.sampled_from(Encoding))
def test_decoding_never_raises_and_gives_text_that_can_be_stored(octets: bytes, encoding: Encoding) -> None:
    decode(octets, encoding).encode("utf-8")
