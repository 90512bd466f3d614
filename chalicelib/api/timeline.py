"""A message's timeline as it is read: a line for each of its facts."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.instants import instant
from chalicelib.api.message_types import MessageError, error_view
from chalicelib.domain import facts
from chalicelib.domain.status import Status


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact of a message's timeline. Which fields it has goes by its kind."""

    kind: Annotated[str, Meta(description="accepted, held, queued, submitted, attempted, receipt, refunded or final.")]
    at: datetime
    status: Status | None = None
    gateway: str | None = None
    route: str | None = None
    operator: str | None = None
    price_per_part: Amount | None = None
    charge: Amount | None = None
    rules: Annotated[int, Meta(description="The published rules that decided.")] | None = None
    why: str | None = None
    part: int | None = None
    parts: int | None = None
    attempt: int | None = None
    next: str | None = None
    smsc_message_id: str | None = None
    session: str | None = None
    state: Annotated[str, Meta(description="The operator's own word for the outcome.")] | None = None
    done_at: datetime | None = None
    refund: Amount | None = None
    error: MessageError | None = None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """All that happened to a message, in order of time."""

    data: tuple[Event, ...]


def event(fact: facts.AnyFact) -> Event:
    """The fact as a line of the timeline."""
    kind, at = type(fact).__name__.lower(), instant(fact.at_ms)
    match fact:
        case facts.Queued():
            return Event(
                kind=kind,
                at=at,
                gateway=fact.gateway,
                route=fact.route,
                operator=fact.operator,
                price_per_part=Amount(fact.price_micros),
                charge=Amount(fact.charge_micros),
                parts=fact.content.parts,
                rules=fact.rules,
                why=fact.why,
            )
        case facts.Submitted():
            return Event(
                kind=kind,
                at=at,
                gateway=fact.gateway,
                part=fact.part,
                parts=fact.parts,
                smsc_message_id=fact.smsc_message_id,
                session=fact.session,
            )
        case facts.Attempted():
            return Event(
                kind=kind,
                at=at,
                gateway=fact.gateway,
                part=fact.part,
                attempt=fact.attempt,
                next=fact.next,
                error=error_view(fact.error),
            )
        case facts.Receipt():
            return Event(
                kind=kind,
                at=at,
                gateway=fact.gateway,
                part=fact.part,
                parts=fact.parts,
                smsc_message_id=fact.smsc_message_id,
                status=fact.status,
                state=fact.state,
                done_at=instant(fact.done_at_ms),
                error=error_view(fact.error),
            )
        case facts.Refunded():
            return Event(kind=kind, at=at, refund=Amount(fact.refund_micros))
        case facts.Final():
            return Event(kind=kind, at=at, status=fact.status, error=error_view(fact.error))
        case facts.Accepted() | facts.Scheduled():
            return Event(kind=kind, at=at, parts=fact.content.parts)
        case facts.Held():
            return Event(kind=kind, at=at)
