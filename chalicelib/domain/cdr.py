"""The call detail record: all that is known of a message in one flat line, as reports and the archive have it. Pure."""

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact, Queued, Receipt, Refunded, Submitted
from chalicelib.domain.facts import Final as FinalFact
from chalicelib.domain.message import fold
from chalicelib.domain.status import RANK, Status
from chalicelib.domain.text import Encoding

TYPES: Final[Mapping[Encoding, str]] = {
    Encoding.GSM7: "gsm7",
    Encoding.UCS2: "unicode",
    Encoding.BINARY: "binary",
}
_FLASH: Final = 0  # the message class of what is shown at once (GSM 03.38, 4)
# What a status says, where no error says more.
DESCRIPTIONS: Final[Mapping[Status, str]] = {
    Status.SCHEDULED: "Waits for the time that was asked for",
    Status.ACCEPTED: "Taken, and not charged yet",
    Status.QUEUED: "Charged, and waits for its gateway",
    Status.SUBMITTED: "Handed over to the operator",
    Status.UNKNOWN: "The operator cannot say what became of it",
    Status.EXPIRED: "Its validity ended before it was delivered",
    Status.CANCELED: "Canceled before it was sent",
    Status.FAILED: "It could not be sent",
    Status.REJECTED: "Refused",
    Status.UNDELIVERED: "The operator could not deliver it",
    Status.DELIVERED: "Delivered to the handset",
}


class Cdr(msgspec.Struct, frozen=True, kw_only=True):
    """One message. Instants are epoch milliseconds (UTC), amounts millionths of a credit and of the whole message."""

    message_id: str
    account: str
    at_ms: int  # when it counts: charged, or refused; until then, when it was made
    by: str  # who sent it: a user, an API key, or an SMPP login
    source: str  # https, smpp, panel, job
    login: str
    job: str
    client_ref: str | None
    mode: str  # live, test
    category: str
    mobile_number: str  # E.164 with +
    message_type: str  # see TYPES
    flash: bool
    message_length: int  # characters of the text, or octets of binary data
    parts: int
    text_hash: str  # see text_hash; '': without a key
    sender: str
    country: str
    operator: str  # as the rest down to rules: '' and 0 where it was refused
    gateway: str  # that it was charged for; where it failed over, see submitted_to
    route: str
    rules: int  # number of the snapshot that decided
    price_micros: int  # per part
    credit_micros: int
    refunded_micros: int
    cost_micros: int | None  # what the operator asks for it; None: nobody knows
    status: str
    error_code: str | None
    gateway_code: str | None
    description: str
    created_ms: int
    charged_ms: int | None  # None: it was not
    submitted_ms: int | None  # when the SMSC took its first part
    submitted_to: str  # the gateway that took it; '': none
    done_ms: int | None  # when its end was learned
    handset_ms: int | None  # when it was delivered, or given up, as the SMSC says it
    smsc_ids: tuple[str, ...]  # of its parts, in their order

    @property
    def delivered_ms(self) -> int | None:
        """How long it took from its charge to the news of its delivery; None where it was not (yet)."""
        if self.status != Status.DELIVERED or self.charged_ms is None or self.done_ms is None:
            return None
        return max(0, self.done_ms - self.charged_ms)


def cdr_of(message_id: str, account: str, facts: Iterable[AnyFact], hash_key: bytes | None = None) -> Cdr | None:
    """The record of a message with these facts, in any order; the same facts make the same record.

    None where none of them has its content: its first facts have expired, or were not written yet. `hash_key`: of the
    account (text_hash); without it a text that is still there is given no hash.
    """
    known = list(facts)
    message = fold(message_id, known)
    if message is None or message.content is None:
        return None
    content, queued = message.content, message.queued
    ends = [fact for fact in known if isinstance(fact, FinalFact)]
    end = max(ends, key=lambda fact: RANK[fact.status], default=None)
    submitted = sorted(
        (fact for fact in known if isinstance(fact, Submitted)), key=lambda fact: (fact.part, fact.at_ms)
    )
    created_ms = ids.created_ms_of(message_id)
    return Cdr(
        message_id=message_id,
        account=account,
        at_ms=counted_ms(message_id, queued, ends),
        by=content.by,
        source=content.source,
        login=content.login,
        job=content.job,
        client_ref=content.client_ref,
        mode=content.mode,
        category=content.category,
        mobile_number=content.to,
        message_type=TYPES[content.encoding],
        flash=content.message_class == _FLASH,
        message_length=length_of(content),
        parts=content.parts,
        text_hash=_hash_of(content, hash_key),
        sender=content.sender,
        country=content.country,
        operator=queued.operator if queued else "",
        gateway=queued.gateway if queued else "",
        route=queued.route if queued else "",
        rules=queued.rules if queued else 0,
        price_micros=queued.price_micros if queued else 0,
        credit_micros=queued.charge_micros if queued else 0,
        refunded_micros=sum(fact.refund_micros for fact in known if isinstance(fact, Refunded)),
        cost_micros=_cost_micros(queued),
        status=str(message.status),
        error_code=message.error.code if message.error else None,
        gateway_code=message.error.gateway_code if message.error else None,
        description=message.error.title if message.error else DESCRIPTIONS[message.status],
        created_ms=created_ms,
        charged_ms=queued.at_ms if queued else None,
        submitted_ms=min((fact.at_ms for fact in submitted), default=None),
        submitted_to=submitted[-1].gateway if submitted else "",
        done_ms=end.at_ms if end else None,
        handset_ms=_handset_ms(known, end),
        smsc_ids=tuple(fact.smsc_message_id for fact in submitted),
    )


def counted_ms(message_id: str, queued: Queued | None, ends: Iterable[FinalFact]) -> int:
    """When a message counts (decision 0020): as it is charged, or refused; until then, as it was made."""
    if queued is not None:
        return queued.at_ms
    return min((end.at_ms for end in ends), default=ids.created_ms_of(message_id))


def _hash_of(content: Content, key: bytes | None) -> str:
    """As it is kept, or made here; '' where nobody knows the text any more, or the key."""
    is_gone = content.text_length and not (content.text or content.data)
    return content.text_hash or ("" if is_gone or key is None else text_hash(content, key))


def _cost_micros(queued: Queued | None) -> int | None:
    """Of all parts; None where nobody knows, or there is nothing to pay for."""
    if queued is None or queued.cost_micros is None:
        return None
    return queued.cost_micros * queued.content.parts


def length_of(content: Content) -> int:
    """Characters of the text, or octets of binary data; also where neither is kept (any more)."""
    return len(content.data if content.encoding is Encoding.BINARY else content.text) or content.text_length


def text_hash(content: Content, key: bytes) -> str:
    """HMAC-SHA256 of the text in NFC (or of the data), in hexadecimal, under the account's key.

    With a key, because most texts can be guessed: a plain hash of "your code is 123456" gives the code away to who
    tries a million. Equal texts of an account have equal hashes, so that they can be found; those of two have not.
    """
    octets = (
        content.data if content.encoding is Encoding.BINARY else unicodedata.normalize("NFC", content.text).encode()
    )
    return hmac.new(key, octets, sha256).hexdigest()


def _handset_ms(facts: Iterable[AnyFact], end: FinalFact | None) -> int | None:
    """What the receipts say that brought the end: of several parts, the last."""
    if end is None:
        return None
    told = (fact.done_at_ms for fact in facts if isinstance(fact, Receipt) and fact.status is end.status)
    return max((at_ms for at_ms in told if at_ms is not None), default=None)
