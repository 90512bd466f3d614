"""Events as customers are told of them: a name that is always the same for the same fact, a type, a JSON body."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from chalicelib.domain.content import Content, Mode
from chalicelib.domain.facts import AnyFact, ErrorInfo, Submitted
from chalicelib.domain.facts import Final as FinalFact
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.status import FINAL, PERMANENT, Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.webhook import EventType

EVENT_PREFIX: Final = "evt_"
TYPE_OF: Final[Mapping[Status, EventType]] = {
    Status.DELIVERED: EventType.DELIVERED,
    Status.UNDELIVERED: EventType.UNDELIVERED,
    Status.EXPIRED: EventType.EXPIRED,
    Status.REJECTED: EventType.REJECTED,
    Status.FAILED: EventType.FAILED,
    Status.CANCELED: EventType.CANCELED,
    Status.UNKNOWN: EventType.UNKNOWN,
}


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to tell. `id` is the webhook-id; `body` is what is sent, to the octet, each time."""

    id: str
    kind: EventType
    at_ms: int
    body: str


class MessageData(msgspec.Struct, frozen=True, kw_only=True):
    """What an event of a message says of it."""

    id: str
    to: str
    sender: str = msgspec.field(name="from")
    status: Status
    final: bool
    permanent: bool
    parts: int
    client_ref: str | None
    mode: Mode
    error: ErrorInfo | None


class InboundData(msgspec.Struct, frozen=True, kw_only=True):
    """What an event of an inbound message says of it."""

    id: str
    sender: str = msgspec.field(name="from")
    to: str
    text: str | None
    data: bytes | None
    encoding: Encoding
    parts: int
    complete: bool
    keyword: str | None
    received_at: datetime


class TestData(msgspec.Struct, frozen=True, kw_only=True):
    """What a test event says."""

    webhook: str
    note: str = "A test event, as asked for."


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a webhook (Standard Webhooks 1.0, "Payload structure")."""

    type: EventType
    timestamp: datetime
    data: MessageData | InboundData | TestData


def of_message(message_id: str, fact: AnyFact, content: Content) -> Event | None:
    """The event that a fact makes; None where it makes none: that a message was submitted is told with its first part.

    The body follows from the fact and the content alone, so that a replay tells the very same.
    """
    match fact:
        case FinalFact() if fact.status in TYPE_OF:
            kind, status, error = TYPE_OF[fact.status], fact.status, fact.error
        case Submitted() if fact.part == 1:
            kind, status, error = EventType.SUBMITTED, Status.SUBMITTED, None
        case _:
            return None
    data = MessageData(
        id=message_id,
        to=content.to,
        sender=content.sender,
        status=status,
        final=status in FINAL,
        permanent=status in PERMANENT,
        parts=content.parts,
        client_ref=content.client_ref,
        mode=content.mode,
        error=error,
    )
    return _event(f"{message_id}_{fact.key}", kind, fact.at_ms, data)


def of_inbound(inbound: Inbound) -> Event:
    """The event of an inbound message; another one where parts came after it was told without them."""
    data = InboundData(
        id=inbound.id,
        sender=inbound.sender,
        to=inbound.recipient,
        text=None if inbound.encoding is Encoding.BINARY else inbound.text,
        data=inbound.data if inbound.encoding is Encoding.BINARY else None,
        encoding=inbound.encoding,
        parts=inbound.parts,
        complete=inbound.complete,
        keyword=inbound.keyword,
        received_at=_instant(inbound.at_ms),
    )
    name = "received" if inbound.complete else f"received-{inbound.received}-of-{inbound.parts}"
    return _event(f"{inbound.id}_{name}", EventType.RECEIVED, inbound.at_ms, data)


def of_test(webhook: str, name: str, at_ms: int) -> Event:
    """A test event; `name` is its own."""
    return _event(f"test_{name}", EventType.TEST, at_ms, TestData(webhook=webhook))


def _event(name: str, kind: EventType, at_ms: int, data: MessageData | InboundData | TestData) -> Event:
    envelope = Envelope(type=kind, timestamp=_instant(at_ms), data=data)
    # No full stop: what is signed has them between its fields. '#' and '/' would have to be escaped in a path.
    id_ = EVENT_PREFIX + name.replace("#", "-").replace(".", "-").replace("/", "-")
    return Event(id=id_, kind=kind, at_ms=at_ms, body=msgspec.json.encode(envelope).decode())


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
