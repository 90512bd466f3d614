"""Messages as customers write and read them."""

from datetime import date, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.instants import instant
from chalicelib.domain.content import Content, Mode, Priority
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.message import Message
from chalicelib.domain.status import Status
from chalicelib.domain.text import MAX_PARTS, Encoding

MAX_TEXT: Final = MAX_PARTS * 153  # characters that 255 parts hold; the account allows fewer parts
MAX_DATA_BYTES: Final = MAX_PARTS * 134
MIN_VALIDITY_SECONDS: Final = 10  # less does not reach an operator
MAX_VALIDITY_SECONDS: Final = 30 * 24 * 3600

MessageId = Annotated[
    str, Meta(pattern="^msg_[0-7][0-9A-HJKMNP-TV-Z]{25}(-[0-9]{7})?$", description="The id of a message.")
]
Recipient = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description="The recipient's number: with + and country code, or as written in the account's default region.",
        examples=["+34600000000"],
    ),
]
Sender = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description="A number, a short code, or up to 11 letters and digits. Default: the account's default sender.",
        examples=["Chasqui"],
    ),
]


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to send. Exactly one of `text` and `data` is given."""

    to: Recipient
    sender: Sender | None = msgspec.field(name="from", default=None)
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, description="What to send.")] | None = None
    data: Annotated[bytes, Meta(min_length=1, max_length=MAX_DATA_BYTES, description="8-bit data, base64.")] | None = (
        None
    )
    validity_seconds: (
        Annotated[
            int,
            Meta(
                ge=MIN_VALIDITY_SECONDS,
                le=MAX_VALIDITY_SECONDS,
                description="For how long to try. Default and limit: the account's setting.",
            ),
        ]
        | None
    ) = None
    priority: Annotated[Priority, Meta(description="`high` for one-time passwords, `bulk` for campaigns.")] = "normal"
    category: (
        Annotated[
            Literal["promotional", "transactional"],
            Meta(description="Hours and DND are not for transactional ones, if the account has the right to them."),
        ]
        | None
    ) = None
    client_ref: Annotated[str, Meta(min_length=1, max_length=64, description="Your own name for it.")] | None = None
    callback_url: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=2000,
                description="https: where its events go, beside your webhooks, signed as the oldest of them.",
            ),
        ]
        | None
    ) = None
    send_at: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                description="Not before then, with an offset. Until then it is `scheduled`, and can be canceled. At "
                "most 30 days ahead, and for no longer than your account keeps messages, less four days.",
            ),
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Check, count and price it; send and write nothing.")] = False


class MessageError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message failed."""

    code: str
    title: str
    gateway_code: str | None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a message would be, and cost."""

    to: str
    sender: str = msgspec.field(name="from")
    encoding: Encoding
    parts: int
    price: Annotated[Amount, Meta(description="For all parts: an estimate until the message is queued.")]
    price_per_part: Amount
    country: str
    operator: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it stands. Price, operator and what follows from routing are null until it is routed."""

    id: str
    status: Status
    final: Annotated[bool, Meta(description="Nothing more will happen, but for a late receipt.")]
    permanent: Annotated[bool, Meta(description="Sending the same again cannot help.")]
    to: str
    sender: str = msgspec.field(name="from")
    text: str | None
    data: bytes | None
    encoding: Encoding
    parts: int
    parts_submitted: int
    price: Annotated[Amount, Meta(description="For all parts: an estimate until it is queued.")] | None
    refunded: Amount
    country: str
    operator: str | None
    priority: Priority
    mode: Mode
    client_ref: str | None
    by: Annotated[str, Meta(description="Who sent it: a user's id, an API key's, or the SMPP login; '' if unknown.")]
    error: MessageError | None
    created_at: datetime
    updated_at: datetime
    send_at: datetime | None
    valid_until: datetime


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages to list."""

    date_from: Annotated[date, Meta(description="First day (UTC). Default: today.")] | None = None
    date_to: Annotated[date, Meta(description="Last day (UTC), included. Default: today.")] | None = None
    status: Status | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


def quote(content: Content, decision: Decision) -> Quote:
    """What the message would be."""
    return Quote(
        to=content.to,
        sender=content.sender,
        encoding=content.encoding,
        parts=content.parts,
        price=Amount(decision.price_micros * content.parts),
        price_per_part=Amount(decision.price_micros),
        country=content.country,
        operator=decision.operator,
    )


def view(message: Message, content: Content, estimate: Decision | None = None) -> MessageView:
    """The message as it stands; `estimate` is what accept decided, where nothing is charged yet."""
    queued = message.queued
    micros = queued.charge_micros if queued else estimate.price_micros * content.parts if estimate else None
    binary = content.encoding is Encoding.BINARY or bool(content.data)  # a part cut within a character is octets
    return MessageView(
        id=message.id,
        status=message.status,
        final=message.final,
        permanent=message.permanent,
        to=content.to,
        sender=content.sender,
        text=None if binary or content.text_hash else content.text,
        data=content.data if binary else None,
        encoding=content.encoding,
        parts=content.parts,
        parts_submitted=message.parts_submitted,
        price=None if micros is None else Amount(micros),
        refunded=Amount(message.refund_micros),
        country=content.country,
        operator=queued.operator if queued else estimate.operator if estimate else None,
        priority=content.priority,
        mode=content.mode,
        client_ref=content.client_ref,
        by=content.by,
        error=error_view(message.error),
        created_at=instant(message.created_ms),
        updated_at=instant(message.updated_ms),
        send_at=instant(message.due_ms),
        valid_until=instant(content.valid_until_ms),
    )


def error_view(error: ErrorInfo | None) -> MessageError | None:
    if error is None:
        return None
    return MessageError(code=error.code, title=error.title, gateway_code=error.gateway_code)
