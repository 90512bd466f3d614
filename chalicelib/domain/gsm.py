"""The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038, 6.2.1), one septet per octet."""

import codecs
import re
from typing import Final

# A row is one column of the table in 6.2.1: the position in this string is the septet. 0x1B is the escape.
ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# 6.2.1.1: what follows the escape. Each of these costs two septets.
EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
ESCAPE: Final = "\x1b"
REPLACEMENT: Final = "\ufffd"  # an octet that is no septet

BASIC: Final = frozenset(ALPHABET) - {ESCAPE}
EXTENDED: Final = frozenset(EXTENSION.values())

_OUTSIDE: Final = re.compile(f"[^{re.escape(''.join(sorted(BASIC | EXTENDED)))}]")
_EXTENDED: Final = re.compile(f"[{re.escape(''.join(sorted(EXTENDED)))}]")
_ESCAPED: Final = re.compile(f"{ESCAPE}(.?)", re.DOTALL)

_TO_SEPTETS: Final[dict[int, int | bytes]] = {
    **{ord(character): septet for septet, character in enumerate(ALPHABET) if character != ESCAPE},
    **{ord(character): bytes((ord(ESCAPE), septet)) for septet, character in EXTENSION.items()},
}
_FROM_SEPTETS: Final = ALPHABET + REPLACEMENT * 128
# Keyed by what the septet means without the escape: that is also what is shown where the pair is unknown.
_FROM_ESCAPED: Final = {ALPHABET[septet]: character for septet, character in EXTENSION.items()}


def is_gsm(text: str) -> bool:
    """Whether every character is in the alphabet or its extension table."""
    return _OUTSIDE.search(text) is None


def septets(text: str) -> int:
    """How many septets a GSM text takes; extension characters take two."""
    return len(text) + len(_EXTENDED.findall(text))


def encode(text: str) -> bytes:
    """A GSM text as one septet per octet. Raises UnicodeEncodeError where `is_gsm` does not hold."""
    return codecs.charmap_encode(text, "strict", _TO_SEPTETS)[0]


def decode(octets: bytes) -> str:
    """The text of unpacked septets; never raises.

    An escape before a septet without extension shows the basic character (6.2.1.1); before another escape, or at
    the end, a space (6.2.1, note 1). An octet over 0x7F becomes U+FFFD.
    """
    text = codecs.charmap_decode(octets, "strict", _FROM_SEPTETS)[0]
    if ESCAPE not in text:
        return text
    return _ESCAPED.sub(_unescape, text)


def _unescape(pair: re.Match[str]) -> str:
    character = pair[1]
    if character in ("", ESCAPE):
        return " "
    return _FROM_ESCAPED.get(character, character)
