"""Messages from handsets (MO): whose the number is that they went to, how parts are joined, what is answered."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

import msgspec

from chalicelib.domain import ids, inbound_coding
from chalicelib.domain.inbound_coding import Decoded
from chalicelib.domain.numbers import MAX_INTERNATIONAL, MAX_SHORT_CODE, MIN_INTERNATIONAL
from chalicelib.domain.text import Encoding

INBOUND_PREFIX: Final = "in_"
UNASSIGNED: Final = "-"  # stands for the account of what came to a number that is nobody's
MAX_KEYWORDS: Final = 200  # of a number
JOIN_SECONDS: Final = 900  # for so long missing parts are waited for: as long as SQS delays
_INTERNATIONAL: Final = 1  # type of number (SMPP 3.4, 5.2.5)
_ALPHANUMERIC: Final = 5
_WORD: Final = re.compile(r"\w+")
_REPLYABLE: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class Keyword(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What begins with `word` (in any case) is this account's."""

    word: str
    account: str
    reply: str = ""
    login: str = ""


class InboundNumber(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number or short code that people write to.

    It is one account's, or shared by keywords, or both: `account` gets what no keyword claims.
    """

    id: str  # see number_id
    number: str  # E.164 with +, or a short code
    gateway: str | None = None  # None: whichever gateway it comes by
    account: str | None = None
    reply: str = ""  # what is answered to what no keyword claims; '': nothing
    login: str = ""  # the SMPP login that it goes to as well
    keywords: tuple[Keyword, ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Everybody who has a share in it."""
        own = (self.account,) if self.account else ()
        return tuple(dict.fromkeys((*own, *(keyword.account for keyword in self.keywords))))


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a message is, by which keyword, and what follows from that."""

    account: str
    keyword: str | None = None
    reply: str = ""
    login: str = ""


class Inbound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An inbound message of an account. Exactly one of `text` and `data` is meant by `encoding`."""

    id: str  # in_ and a ULID
    account: str
    at_ms: int  # when its first part came
    sender: str
    recipient: str
    gateway: str
    encoding: Encoding
    text: str = ""
    data: bytes = b""
    parts: int = 1
    received: int = 1  # how many of them are in it
    keyword: str | None = None
    number: str = ""  # the id of the number it went to; '': it is nobody's

    @property
    def complete(self) -> bool:
        return self.received == self.parts


def inbound_id(at_ms: int, *named: object) -> str:
    """A ULID that is always the same for the same instant and names: of what came, where, and as what."""
    digest = int.from_bytes(sha256("\n".join(map(str, named)).encode()).digest()[:10], "big")
    return ids.floor_at(at_ms) + "".join(ids.CROCKFORD[digest >> shift & 31] for shift in range(75, -1, -5))


def number_id(number: str, gateway: str | None) -> str:
    """The name under which a number is kept: digits of E.164, or `sc-` and a short code; then the gateway's, if any."""
    plain = number.removeprefix("+") if number.startswith("+") else f"sc-{number}"
    return f"{plain}.{gateway}" if gateway else plain


def address(value: str, ton: int) -> str:
    """An address field as E.164 with +, as a short code or national number (digits), or as the letters it is."""
    given = value.strip()
    digits = given.removeprefix("+")
    if ton == _ALPHANUMERIC or not (digits.isascii() and digits.isdigit()):
        return given
    if given.startswith("+") or ton == _INTERNATIONAL:
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    international = MAX_SHORT_CODE < len(digits) <= MAX_INTERNATIONAL and not digits.startswith("0")
    return f"+{digits}" if international else digits


def claim(number: InboundNumber, text: str) -> Claim | None:
    """Whose the message is: by its first word, else its number's owner's; None where nobody claims it."""
    word = first_word(text)
    for keyword in number.keywords:
        if word and keyword.word == word:
            return Claim(account=keyword.account, keyword=keyword.word, reply=keyword.reply, login=keyword.login)
    if number.account is None:
        return None
    return Claim(account=number.account, reply=number.reply, login=number.login)


def first_word(text: str) -> str:
    """What a keyword is held against: the first word, folded; '' where there is none."""
    found = _WORD.search(text)
    return found.group().casefold() if found else ""


def joined(parts: Mapping[int, bytes], coding: int) -> Decoded:
    """The parts (number → octets) in their order as one; decoded together, as a character may lie across a border."""
    return inbound_coding.decode(b"".join(parts[number] for number in sorted(parts)), coding)


def may_answer(sender: str) -> bool:
    """Whether something can be sent back: short codes and names take nothing, and a machine may be behind them."""
    return _REPLYABLE.fullmatch(sender) is not None


def ids_of(number: str, gateway: str) -> Iterator[str]:
    """The ids under which a number that a message went to may be kept: that gateway's own before everybody's."""
    yield number_id(number, gateway)
    yield number_id(number, None)


def is_number(number: str) -> bool:
    """Whether it can be assigned: E.164 with +, or a short code of 3 to MAX_SHORT_CODE digits."""
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return False
    if number.startswith("+"):
        return MIN_INTERNATIONAL <= len(digits) <= MAX_INTERNATIONAL and not digits.startswith("0")
    return 3 <= len(digits) <= MAX_SHORT_CODE
