"""Phone numbers, lenient in and E.164 out; senders and the TON and NPI that go with them; numbers masked for logs."""

import re
from functools import lru_cache
from typing import Final

import msgspec

from chalicelib.domain import gsm

MAX_RAW_LENGTH: Final = 40  # E.164 has 15 digits; the rest is how people write them
MAX_ALPHANUMERIC: Final = 11  # septets that an alphanumeric address field holds (3GPP TS 23.040, 9.1.2.5)
MAX_SHORT_CODE: Final = 8
MIN_INTERNATIONAL: Final = 7
MAX_INTERNATIONAL: Final = 15  # E.164
_CACHED: Final = 16_384  # senders and numbers repeat within a bundle and between steps; about 5 MB when full

_WRITTEN: Final = re.compile(r"\+?[0-9]+")
# Spaces, dashes, brackets, dots, slashes, and the marks of direction that come along when a number is pasted.
_SEPARATORS: Final = re.compile(
    "[\\s()\\[\\]./\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff-]+"
)
# Forms of dialling that ended in Mexico in 2019: +52 1 and ten digits; 01, 044 and 045 before ten digits at home.
_OLD_MEXICAN: Final = re.compile(r"\+521([0-9]{10})")
_OLD_MEXICAN_HOME: Final = re.compile(r"0(?:1|44|45)([0-9]{10})")
# E.164's country codes: two of one digit, those listed of two, all others of three.
_COUNTRY_CODE: Final = re.compile(r"\+(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})")


class BadNumber(ValueError):
    """The text is no phone number. Never says the number itself."""

    code: Final = "invalid_number"


class BadSender(ValueError):
    """The text is no sender."""

    code: Final = "invalid_sender"


class Number(msgspec.Struct, frozen=True):
    """A valid phone number."""

    e164: str  # with +
    country: str  # ISO 3166-1 alpha-2; '001' for numbers of no country, as +800


class Sender(msgspec.Struct, frozen=True):
    """Who a message says it is from, as source_addr, source_addr_ton and source_addr_npi (SMPP 3.4, 5.2.5, 5.2.6)."""

    value: str  # digits without +, or letters
    ton: int
    npi: int

    def __str__(self) -> str:
        """As customers read it: E.164 with +."""
        return f"+{self.value}" if self.ton == 1 else self.value


@lru_cache(_CACHED)
def normalize(raw: str, default_region: str | None = None) -> Number:
    """The number that somebody wrote: with spaces, dashes, brackets, 00 for +, or no + at all.

    `default_region` (ISO country) is where a number without + is read first; then as an international one. Validity is
    that of phonenumbers' metadata. Raises BadNumber.
    """
    if len(raw) > MAX_RAW_LENGTH:
        raise BadNumber("not a phone number: too long")
    written = _SEPARATORS.sub("", raw)
    if not _WRITTEN.fullmatch(written):
        raise BadNumber("not a phone number: digits expected, with + and the country code first")
    for candidate, region in _readings(written, default_region):
        number = _valid(candidate, region)
        if number is not None:
            return number
    raise BadNumber("not a valid phone number of any country" + (f", nor of {default_region}" * bool(default_region)))


def mask(number: str) -> str:
    """The number for logs: country code and last two digits; '+52••••••••78'. Takes any text."""
    code = _COUNTRY_CODE.match(number)
    shown = code.end() if code and len(number) > MIN_INTERNATIONAL else 0
    return f"{number[:shown]}{'•' * (len(number) - shown - 2)}{number[-2:]}" if len(number) > 4 else "•" * len(number)


@lru_cache(_CACHED)
def parse_sender(raw: str) -> Sender:
    """What a customer calls itself.

    | written | TON | NPI |
    |---|---|---|
    | + or 00 and 7 to 15 digits, or 9 to 15 digits | 1 international | 1 E.164 |
    | 3 to 8 digits: a short code | 3 network specific | 0 unknown |
    | up to 11 septets of GSM 03.38 with a letter in it | 5 alphanumeric | 0 unknown |

    Control characters and @ (whose septet is the NUL that ends a C-octet string) are refused. Raises BadSender.
    """
    value = raw.strip()
    if not value or len(value) > MAX_RAW_LENGTH:
        raise BadSender("a sender is a phone number, a short code, or up to 11 characters")
    digits = _SEPARATORS.sub("", value)
    if _WRITTEN.fullmatch(digits):
        return _numeric_sender(digits)
    if not any(character.isalpha() for character in value):
        raise BadSender("a sender that is no number has at least one letter")
    if not gsm.is_gsm(value) or any(character in "@\r\n\f" for character in value):
        raise BadSender("a sender's characters are those of GSM 03.38, without @ and line ends")
    if gsm.septets(value) > MAX_ALPHANUMERIC:
        raise BadSender("an alphanumeric sender has at most 11 characters; ^{}\\[~]|€ count twice")
    return Sender(value, ton=5, npi=0)


def _numeric_sender(digits: str) -> Sender:
    international = digits.startswith(("+", "00"))
    value = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    if not international and 3 <= len(value) <= MAX_SHORT_CODE:
        return Sender(value, ton=3, npi=0)
    if MIN_INTERNATIONAL <= len(value) <= MAX_INTERNATIONAL and not value.startswith("0"):
        return Sender(value, ton=1, npi=1)
    raise BadSender("a numeric sender is a short code of 3 to 8 digits or an international number of up to 15")


def _readings(written: str, region: str | None) -> list[tuple[str, str | None]]:
    """What the digits may mean, likeliest first."""
    if written.startswith("+"):
        return [(_OLD_MEXICAN.sub(r"+52\1", written), None)]
    readings: list[tuple[str, str | None]] = []
    if region is not None:
        readings.append((_OLD_MEXICAN_HOME.sub(r"\1", written) if region == "MX" else written, region))
    international = "+" + written.removeprefix("00")
    readings.append((_OLD_MEXICAN.sub(r"+52\1", international), None))
    return readings


def _valid(written: str, region: str | None) -> Number | None:
    import phonenumbers  # noqa: PLC0415  # 30 to 60 ms: only where numbers are parsed

    try:
        parsed = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    country = phonenumbers.region_code_for_number(parsed)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Number(e164, country) if country else None
