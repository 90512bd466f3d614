"""What a customer hands over to be sent, after checking."""

from typing import Literal

import msgspec

from chalicelib.domain.text import Encoding

Priority = Literal["bulk", "normal", "high"]
Mode = Literal["live", "test"]
# Promotional traffic minds Do Not Disturb and hours; a confirmation answers the recipient's own message.
Category = Literal["promotional", "transactional", "confirmation"]
Source = Literal["https", "smpp", "panel", "job"]


class Tlv(msgspec.Struct, frozen=True, array_like=True):
    """An optional parameter of SMPP (3.4, 3.2.4.1), as it came."""

    tag: int
    value: bytes


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """One part of a message that its sender cut (GSM 03.40, 9.2.3.24.1): `number` of `total`, from 1."""

    reference: int
    total: int
    number: int


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the customer handed over, after checking. Exactly one of `text` and `data` is meant by `encoding`."""

    to: str  # E.164 with +
    country: str  # ISO 3166-1 alpha-2
    sender: str
    encoding: Encoding
    parts: int
    valid_until_ms: int
    text: str = ""
    data: bytes = b""
    priority: Priority = "normal"
    client_ref: str | None = None
    mode: Mode = "live"
    source: Source = "https"
    login: str = ""  # the SMPP login (system_id) that it came by
    registered: int = 0  # registered_delivery as asked for (SMPP 3.4, 5.2.17)
    message_class: int | None = None  # GSM 03.38, 4: 0 is flash
    udh: bytes = b""  # the customer's own user data header elements, without the length octet
    segment: Segment | None = None  # a part that the customer cut, whose other parts did not come
    tlvs: tuple[Tlv, ...] = ()  # for the gateway
    segment_ids: tuple[str, ...] = ()  # what its sender was answered, if not its id alone: where receipts go to
    callback_url: str = ""  # where its events go, beside the account's webhooks
    job: str = ""  # the job that made it
    category: Category = "promotional"
    data_coding: int | None = None  # as SMPP gave a scheduled one: what replaces its text is read by it
    by: str = ""  # who sent it: the user's id, else the API key's, else the SMPP login
    text_hash: str = ""  # instead of the text, or data, where that is not kept (domain.cdr.text_hash)
    text_length: int = 0  # how many characters, or octets, that one had
