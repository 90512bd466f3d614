"""A text's encoding and its parts, decided by splitting: what is counted here is what is sent and paid for."""

import re
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Final, Literal

import msgspec

from chalicelib.domain import gsm

MAX_PARTS: Final = 255  # the part number of a concatenated message is one octet (3GPP TS 23.040, 9.2.3.24.1)


class Encoding(StrEnum):
    """What a message's octets mean."""

    GSM7 = "gsm7"  # GSM 03.38 with its extension table
    UCS2 = "ucs2"  # UTF-16BE: what handsets take UCS-2 for
    BINARY = "binary"  # 8-bit data


class Room(msgspec.Struct, frozen=True):
    """How much a part holds, in the encoding's units: septets, UTF-16 code units, octets."""

    alone: int  # a message of one part
    joined: int  # a part of several


# What is counted and paid for, as sms-segments-calculator does: 140 octets, 6 of them a header where there are several.
COUNTED: Final[Mapping[Encoding, Room]] = {
    Encoding.GSM7: Room(160, 153),
    Encoding.UCS2: Room(70, 67),
    Encoding.BINARY: Room(140, 134),
}


class BadText(ValueError):
    """The text cannot be sent. `code` is stable."""

    def __init__(self, code: Literal["invalid_text", "text_too_long"], detail: str) -> None:
        super().__init__(detail)
        self.code: Final = code


class Segments(msgspec.Struct, frozen=True):
    """A text's encoding and its parts, in order; joined they are the text. An empty text is one empty part."""

    encoding: Encoding
    parts: tuple[str, ...]


def segment(text: str, encoding: Encoding | None = None) -> Segments:
    """The parts that a text is counted as: 160 or 153 septets each, 70 or 67 UTF-16 units.

    `encoding` overrides the text's own, for a customer who asked for UCS-2. Raises BadText: `invalid_text` for a
    lone surrogate or a character that the encoding lacks, `text_too_long` beyond MAX_PARTS.
    """
    if encoding is None:
        encoding = encoding_of(text)
    elif encoding is not Encoding.UCS2 and not _holds(encoding, text):
        raise BadText("invalid_text", f"the text has characters that {encoding} lacks")
    room = COUNTED[encoding]
    if len(text) > MAX_PARTS * room.joined:  # before any work: a body may be large
        raise _too_long()
    parts = split(text, encoding, room)
    if len(parts) > MAX_PARTS:
        raise _too_long()
    return Segments(encoding, parts)


def segment_binary(data: bytes) -> tuple[bytes, ...]:
    """The parts that binary data is counted as: 140 octets, or 134 each. Raises BadText `text_too_long`."""
    parts = split_binary(data, COUNTED[Encoding.BINARY])
    if len(parts) > MAX_PARTS:
        raise _too_long()
    return parts


def encoding_of(text: str) -> Encoding:
    """GSM7 where every character is in GSM 03.38 or its extension table; one outside makes the whole text UCS2."""
    return Encoding.GSM7 if gsm.is_gsm(text) else Encoding.UCS2


def encode(text: str, encoding: Encoding) -> bytes:
    """The text's octets: one septet an octet (SMPP data_coding 0), UTF-16BE, or one octet a character (U+0000-00FF).

    Raises BadText `invalid_text`.
    """
    try:
        if encoding is Encoding.GSM7:
            return gsm.encode(text)
        return text.encode("utf-16-be" if encoding is Encoding.UCS2 else "latin-1")
    except UnicodeEncodeError as error:
        raise BadText("invalid_text", f"the text has a character that {encoding} lacks at {error.start}") from None


def decode(octets: bytes, encoding: Encoding) -> str:
    """The inverse of `encode`, for octets from anywhere: what has no meaning becomes U+FFFD; never raises."""
    if encoding is Encoding.GSM7:
        return gsm.decode(octets)
    return octets.decode("utf-16-be" if encoding is Encoding.UCS2 else "latin-1", errors="replace")


def split(text: str, encoding: Encoding, room: Room) -> tuple[str, ...]:
    """The text as the fewest parts that hold it; joined they are the text.

    No escape pair, surrogate pair or grapheme cluster lies across a border, but a cluster larger than a part. CR LF
    stays together where that costs no further part: the reference counts the two apart. Raises BadText.
    """
    if _units(text, encoding) <= room.alone:
        return (text,)
    parts = _cut(text, encoding, room.joined, keep_crlf=False)
    if any(after.startswith("\n") and before.endswith("\r") for before, after in pairwise(parts)):
        together = _cut(text, encoding, room.joined, keep_crlf=True)
        parts = together if len(together) == len(parts) else parts
    return tuple(parts)


def split_binary(data: bytes, room: Room) -> tuple[bytes, ...]:
    """The data in parts that fit."""
    if len(data) <= room.alone:
        return (data,)
    return tuple(data[at : at + room.joined] for at in range(0, len(data), room.joined))


# Characters that take two units: a border must not lie within them.
_WIDE: Final[Mapping[Encoding, re.Pattern[str]]] = {
    Encoding.GSM7: re.compile(f"[{re.escape(''.join(sorted(gsm.EXTENDED)))}]"),
    Encoding.UCS2: re.compile("[\U00010000-\U0010ffff]"),
    Encoding.BINARY: re.compile(r"(?!)"),
}
# Between two of these there is always a grapheme border, but within CR LF: Latin, Greek, Cyrillic, punctuation and
# currencies, Han. It spares most texts the tables of grapheme clusters.
_PLAIN: Final = re.compile("[\x00-\u02ff\u0370-\u0482\u048a-\u052f\u200e-\u20bf\u4e00-\u9fff]{2}")


def _holds(encoding: Encoding, text: str) -> bool:
    return gsm.is_gsm(text) if encoding is Encoding.GSM7 else all(character <= "\xff" for character in text)


def _units(text: str, encoding: Encoding) -> int:
    match encoding:
        case Encoding.GSM7:
            return gsm.septets(text)
        case Encoding.UCS2:
            return len(encode(text, encoding)) // 2  # raises for a lone surrogate
        case Encoding.BINARY:
            return len(text)


def _cut(text: str, encoding: Encoding, room: int, *, keep_crlf: bool) -> list[str]:
    wide = _WIDE[encoding]
    parts = []
    start = 0
    while start < len(text):
        end = _reach(text, start, room, wide)
        if end < len(text):
            end = _border(text, start, end, keep_crlf=keep_crlf)
        parts.append(text[start:end])
        start = end
    return parts


def _reach(text: str, start: int, room: int, wide: re.Pattern[str]) -> int:
    """The highest end so that text[start:end] takes at most `room` units."""
    end = start + room
    for found in wide.finditer(text, start, min(end, len(text))):
        if found.end() >= end:  # it starts in the last unit, or beyond
            end = min(end, found.start())
            break
        end -= 1
    return min(end, len(text))


def _border(text: str, start: int, end: int, *, keep_crlf: bool) -> int:
    """The last grapheme border at or before `end`; `end` itself where the cluster begins with the part."""
    if text[end - 1 : end + 1] == "\r\n":
        return end - 1 if keep_crlf and end - 1 > start else end
    if _PLAIN.match(text, end - 1):
        return end
    from pyuegc import EGC  # noqa: PLC0415  # 15 ms and a megabyte, only where a border needs it

    certain = end - 1
    while certain > start and not _PLAIN.match(text, certain - 1):
        certain -= 1
    border = certain
    for cluster in EGC(text[certain : end + 1]):
        if border + len(cluster) > end:
            break
        border += len(cluster)
    return border if border > start else end


def _too_long() -> BadText:
    return BadText("text_too_long", f"the text takes more than {MAX_PARTS} parts")
