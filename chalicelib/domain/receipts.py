"""Delivery receipts: what an SMSC says in text and in TLVs, read tolerantly and told as it is."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import msgspec

from chalicelib.domain.rules import MessageIdForm
from chalicelib.domain.status import Status

MAX_TEXT: Final = 1_024  # characters read and kept: a receipt of short_message has 255, some come in message_payload
MAX_ID: Final = 64  # SMPP 3.4, 5.3.2.12: receipted_message_id, 65 octets with its NUL
MAX_ERR: Final = 16
MAX_ID_FORMS: Final = 16  # each is a key to look up

# SMPP 3.4, 5.2.12, table 5-6: SMSC delivery receipt, delivery acknowledgement, intermediate notification.
_RECEIPT_BITS: Final = 0x04 | 0x08 | 0x20


class ReceiptState(StrEnum):
    """The SMSC's own words (SMPP 3.4, appendix B), and those of 5.0."""

    SCHEDULED = "SCHEDULED"
    ENROUTE = "ENROUTE"
    ACCEPTD = "ACCEPTD"
    BUFFERED = "BUFFERED"
    DELIVRD = "DELIVRD"
    EXPIRED = "EXPIRED"
    DELETED = "DELETED"
    UNDELIV = "UNDELIV"
    SKIPPED = "SKIPPED"
    REJECTD = "REJECTD"
    UNKNOWN = "UNKNOWN"


# What each state makes of a message. SUBMITTED: not final, a further receipt will come.
STATUS_OF: Final[Mapping[ReceiptState, Status]] = {
    ReceiptState.SCHEDULED: Status.SUBMITTED,
    ReceiptState.ENROUTE: Status.SUBMITTED,
    ReceiptState.ACCEPTD: Status.SUBMITTED,
    ReceiptState.BUFFERED: Status.SUBMITTED,
    ReceiptState.DELIVRD: Status.DELIVERED,
    ReceiptState.EXPIRED: Status.EXPIRED,
    ReceiptState.DELETED: Status.UNDELIVERED,
    ReceiptState.UNDELIV: Status.UNDELIVERED,
    ReceiptState.SKIPPED: Status.UNDELIVERED,
    ReceiptState.REJECTD: Status.REJECTED,
    ReceiptState.UNKNOWN: Status.UNKNOWN,  # soft: a later receipt may still say more
}
# The message_state TLV (SMPP 3.4, 5.2.28; 0 and 9 are 5.0's).
STATE_OF_NUMBER: Final[Mapping[int, ReceiptState]] = {
    0: ReceiptState.SCHEDULED,
    1: ReceiptState.ENROUTE,
    2: ReceiptState.DELIVRD,
    3: ReceiptState.EXPIRED,
    4: ReceiptState.DELETED,
    5: ReceiptState.UNDELIV,
    6: ReceiptState.ACCEPTD,
    7: ReceiptState.UNKNOWN,
    8: ReceiptState.REJECTD,
    9: ReceiptState.SKIPPED,
}
# Words that some SMSCs write out in full, or differently.
_STATE_OF_WORD: Final[Mapping[str, ReceiptState]] = {
    **{state.value: state for state in ReceiptState},
    "DELIVERED": ReceiptState.DELIVRD,
    "UNDELIVERED": ReceiptState.UNDELIV,
    "UNDELIVERABLE": ReceiptState.UNDELIV,
    "UNDELIVRD": ReceiptState.UNDELIV,
    "ACCEPTED": ReceiptState.ACCEPTD,
    "REJECTED": ReceiptState.REJECTD,
    "EN_ROUTE": ReceiptState.ENROUTE,
}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What one receipt says. Times are epoch milliseconds, UTC."""

    id: str  # as the SMSC wrote it; `id_forms` gives what to look for
    state: ReceiptState
    err: str | None = None  # the gateway's own code; may have letters
    submit_ms: int | None = None
    done_ms: int | None = None
    text: str = ""  # the first MAX_TEXT characters, as they came

    @property
    def status(self) -> Status:
        """What the receipt makes of its message; SUBMITTED where the state is not final."""
        return STATUS_OF[self.state]


def is_receipt(esm_class: int, text: str) -> bool:
    """Whether a deliver_sm is a receipt: by esm_class, or by a text with id and stat where the bits are forgotten."""
    return bool(esm_class & _RECEIPT_BITS) or {"id", "stat"} <= _fields(text[:MAX_TEXT]).keys()


def parse_receipt(
    text: str,
    *,
    receipted_message_id: str | None = None,
    message_state: int | None = None,
    network_error_code: bytes | None = None,
    utc_offset_minutes: int = 0,
) -> Receipt | None:
    """The receipt in a deliver_sm or data_sm, or None where there is no id or no state in it; never raises.

    The TLVs, as they came and without the NUL, win over the text. `utc_offset_minutes` is the gateway's: what its
    clock shows minus UTC. A state that no table knows is UNKNOWN.
    """
    text = text[:MAX_TEXT]
    fields = _fields(text)
    message_id = (receipted_message_id or "").strip("\0 ") or fields.get("id", "")
    state = _state(message_state, fields.get("stat"))
    if not message_id or len(message_id) > MAX_ID or not message_id.isprintable() or state is None:
        return None
    return Receipt(
        id=message_id,
        state=state,
        err=_network_error(network_error_code) or fields.get("err", "")[:MAX_ERR] or None,
        submit_ms=_epoch_ms(fields.get("submit date", ""), utc_offset_minutes),
        done_ms=_epoch_ms(fields.get("done date", ""), utc_offset_minutes),
        text=text,
    )


def said_by(text: str) -> str:
    """The beginning of a receipt's text that is nothing but fields, `id:… stat:…`: none of the message's own words."""
    fields = _SAID.match(text)
    return fields[0].rstrip() if fields else ""


def id_forms(raw: str, form: MessageIdForm) -> tuple[str, ...]:
    """The forms under which a receipt's id may have been stored, which is as the submit_sm_resp wrote it.

    `form` is how the gateway's responses write ids: `raw` as its receipts do; `hex` or `decimal` whatever its
    receipts use; `either`, not known. The raw form comes first; no more than MAX_ID_FORMS.
    """
    if form == "raw":
        return (raw,)
    forms = dict.fromkeys((raw, raw.lower(), raw.upper(), *_numeric_forms(raw, form)))
    return tuple(forms)[:MAX_ID_FORMS]


# A key starts the text or follows a separator. Its value is the first word up to the next key.
_KEY: Final = re.compile(
    r"(?<![^\s,;])(id|sub|dlvrd|submit[ _-]?date|done[ _-]?date|stat|err|text)\s{0,4}:", re.IGNORECASE | re.ASCII
)
# A value has no colon: of an empty one the next word is taken, which must not be a key with what stands behind it.
_SAID: Final = re.compile(
    r"(?:(?:id|sub|dlvrd|submit[ _-]?date|done[ _-]?date|stat|err)\s{0,4}:\s{0,4}[^\s,;:]{0,64}[\s,;]{0,4}){1,8}",
    re.IGNORECASE | re.ASCII,
)
# By four letters, as keys are written "submit date", "Submit_Date" and so on.
_KEY_NAMES: Final[Mapping[str, str]] = {
    key[:4]: key for key in ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text")
}
_CENTURY: Final = "20"
_TIME_LENGTHS: Final = (12, 14)  # of CCYYMMDDhhmm and CCYYMMDDhhmmss
_DIGITS: Final = re.compile(r"[0-9]+")
_HEXADECIMAL: Final = re.compile(r"[0-9A-Fa-f]+")
_MAX_DIGITS: Final = {10: 20, 16: 16}  # 64 bits: longer ids are no numbers
_HEX_WIDTHS: Final = (8, 10, 16)  # as SMSCs pad them
_DECIMAL_WIDTHS: Final = (10,)


def _fields(text: str) -> dict[str, str]:
    """Key → value of the text form; the first of a key counts. After `text:` only what is missing is read."""
    fields: dict[str, str] = {}
    for key, value in _pairs(text):
        if key == "text" and {"id", "stat"} <= fields.keys():
            break
        if value:
            fields.setdefault(key, value)
    return fields


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    _, *found = _KEY.split(text)
    for key, value in zip(found[::2], found[1::2], strict=True):
        words = value.split(None, 1)
        yield _KEY_NAMES[key[:4].lower()], words[0].rstrip(",;") if words else ""


def _state(number: int | None, word: str | None) -> ReceiptState | None:
    if number is not None and number in STATE_OF_NUMBER:
        return STATE_OF_NUMBER[number]
    if word is None:
        return None if number is None else ReceiptState.UNKNOWN
    return _STATE_OF_WORD.get(word.upper(), ReceiptState.UNKNOWN)


def _network_error(octets: bytes | None) -> str | None:
    """SMPP 3.4, 5.3.2.31: an octet for the network's type, two for its code; written as the text's err is."""
    return f"{int.from_bytes(octets[1:3], 'big'):03}" if octets is not None and len(octets) == 3 else None


def _epoch_ms(written: str, utc_offset_minutes: int) -> int | None:
    if not _DIGITS.fullmatch(written):
        return None
    for dated in (_CENTURY + written, written):  # YYMMDDhhmm[ss] is the rule; some write the century
        moment = _moment(dated)
        if moment is not None:
            return int(moment.timestamp() - utc_offset_minutes * 60) * 1000
    return None


def _moment(dated: str) -> datetime | None:
    if len(dated) not in _TIME_LENGTHS:
        return None
    month, day, hour, minute = (int(dated[at : at + 2]) for at in range(4, 12, 2))
    try:
        return datetime(int(dated[:4]), month, day, hour, minute, int(dated[12:] or 0), tzinfo=UTC)
    except ValueError:
        return None


def _numeric_forms(raw: str, form: MessageIdForm) -> Iterator[str]:
    """The id as a number read in the bases that it can be in, written in those that `form` allows."""
    for base, digits in ((10, _DIGITS), (16, _HEXADECIMAL)):
        stripped = raw.lstrip("0") or "0"
        if not digits.fullmatch(raw) or len(stripped) > _MAX_DIGITS[base]:
            continue
        number = int(stripped, base)
        if form != "decimal" and (base == 10 or form == "hex" or not _DIGITS.fullmatch(raw)):
            yield from _hexadecimal(number)
        if form != "hex":
            yield from _decimal(number)


def _hexadecimal(number: int) -> Iterator[str]:
    plain = f"{number:x}"
    for written in (plain, *(plain.zfill(width) for width in _HEX_WIDTHS)):
        yield written
        yield written.upper()


def _decimal(number: int) -> Iterator[str]:
    plain = str(number)
    yield plain
    yield from (plain.zfill(width) for width in _DECIMAL_WIDTHS)
