"""What the octets of a message from a handset mean by its data_coding (SMPP 3.4, 5.2.19; 3GPP TS 23.038, 4).

Tolerant, where `data_coding` is strict with customers: what an operator acknowledged to somebody is not refused here.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from chalicelib.domain import gsm, text
from chalicelib.domain.text import Encoding

# Values that SMPP gives a character set of their own; Python's name of it.
_CHARSETS: Final[Mapping[int, str]] = {
    0x01: "ascii",  # IA5
    0x03: "latin-1",
    0x05: "shift_jis",  # JIS X 0208
    0x06: "iso8859_5",
    0x07: "iso8859_8",
    0x0A: "iso2022_jp",  # music codes: of pagers
    0x0D: "shift_jisx0213",  # extended Kanji JIS X 0212
    0x0E: "euc_kr",  # KS C 5601
}
_BINARY: Final = frozenset({0x02, 0x04, 0x09})  # octets; 9 is pictograms
_BY_BITS: Final = (Encoding.GSM7, Encoding.BINARY, Encoding.UCS2, Encoding.BINARY)  # bits 3 and 2; 3 is reserved


class Decoded(msgspec.Struct, frozen=True):
    """What was written. `data` where the encoding is BINARY, else `text`."""

    encoding: Encoding
    text: str = ""
    data: bytes = b""


def decode(octets: bytes, data_coding: int) -> Decoded:
    """The octets, without a user data header, read by their data_coding. What has no meaning becomes U+FFFD.

    A text of another character set is told as the encoding that would carry it onward: GSM7 or UCS2.
    """
    charset = _CHARSETS.get(data_coding)
    if charset is not None:
        written = octets.decode(charset, errors="replace")
        return Decoded(Encoding.GSM7 if gsm.is_gsm(written) else Encoding.UCS2, text=written)
    encoding = encoding_of(data_coding)
    if encoding is Encoding.BINARY:
        return Decoded(encoding, data=octets)
    return Decoded(encoding, text=text.decode(octets, encoding))


def encoding_of(data_coding: int) -> Encoding:
    """The encoding of a data_coding that names no character set of SMPP's own: by the coding groups of GSM."""
    if data_coding in _BINARY:
        return Encoding.BINARY
    group = data_coding >> 4
    if group <= 0x7:  # general data coding, with or without a class, compressed or marked for deletion
        return Encoding.BINARY if data_coding & 0x20 else _BY_BITS[data_coding >> 2 & 3]  # compressed: not for us
    if group == 0xF:  # data coding and message class
        return Encoding.BINARY if data_coding & 0x04 else Encoding.GSM7
    if group == 0xE:  # message waiting, store: UCS-2
        return Encoding.UCS2
    return Encoding.GSM7 if group in (0xC, 0xD) else Encoding.BINARY
