"""What the octets of SMPP customers' messages say: data_coding (SMPP 3.4, 5.2.19; 3GPP TS 23.038, 4) as a table."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from chalicelib.domain import gsm
from chalicelib.domain.text import Encoding


class BadOctets(ValueError):
    """The octets are none of their data_coding."""


class Coding(msgspec.Struct, frozen=True):
    """A row: how the octets are read (None: they are data), and how a part that stays alone is sent on."""

    read: Callable[[bytes], str] | None
    encoding: Encoding | None  # None: as the text has it
    message_class: int | None = None


def _gsm(octets: bytes) -> str:
    text = gsm.decode(octets)
    if gsm.REPLACEMENT in text:
        raise BadOctets("an octet over 0x7F is none of the GSM alphabet, unpacked")
    return text


def _utf_16(octets: bytes) -> str:
    """UTF-16 in network order: handsets take UCS-2 for it."""
    try:
        return octets.decode("utf-16-be")
    except UnicodeDecodeError:
        raise BadOctets("an odd octet, or half a surrogate pair") from None


def _charset(name: str) -> Callable[[bytes], str]:
    def read(octets: bytes) -> str:
        try:
            return octets.decode(name)
        except UnicodeDecodeError:
            raise BadOctets(f"an octet that {name} has no character for") from None

    return read


def _by_class(first: int, read: Callable[[bytes], str] | None, encoding: Encoding) -> dict[int, Coding]:
    return {first + each: Coding(read, encoding, each) for each in range(4)}


# What is not here is refused: to guess would be to send something else than was meant.
CODINGS: Final[Mapping[int, Coding]] = {
    0x00: Coding(_gsm, Encoding.GSM7),  # the SMSC's default alphabet, here GSM 03.38, a septet an octet
    0x01: Coding(_charset("latin-1"), None),  # IA5; what has its eighth bit set is taken for Latin-1, as it is meant
    0x02: Coding(None, Encoding.BINARY),
    0x03: Coding(_charset("latin-1"), None),
    0x04: Coding(None, Encoding.BINARY),
    0x06: Coding(_charset("iso8859-5"), None),  # Cyrillic
    0x07: Coding(_charset("iso8859-8"), None),  # Hebrew
    0x08: Coding(_utf_16, Encoding.UCS2),
    **_by_class(0x10, _gsm, Encoding.GSM7),  # 3GPP's general group with a class, which many clients use for flash
    **_by_class(0x14, None, Encoding.BINARY),
    **_by_class(0x18, _utf_16, Encoding.UCS2),
    **_by_class(0xF0, _gsm, Encoding.GSM7),  # 3GPP's group of data coding and class, which SMPP names
    **_by_class(0xF4, None, Encoding.BINARY),
}
