"""Inbound messages as they are read."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.text import Encoding
from chalicelib.services.read_messages import span

InboundId = Annotated[
    str, Meta(pattern="^in_[0-7][0-9A-HJKMNP-TV-Z]{25}$(?!\\n)", description="The id of an inbound message.")
]


class InboundQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which inbound messages to list."""

    date_from: Annotated[date, Meta(description="First day (UTC). Default: today.")] | None = None
    date_to: Annotated[date, Meta(description="Last day (UTC), included. Default: today.")] | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class InboundView(msgspec.Struct, frozen=True, kw_only=True):
    """A message that somebody wrote to one of your numbers."""

    id: str
    sender: str = msgspec.field(name="from")
    to: str
    text: str | None
    data: bytes | None
    encoding: Encoding
    parts: int
    complete: Annotated[bool, Meta(description="False where parts did not come: the text has gaps.")]
    keyword: Annotated[str | None, Meta(description="By which it is yours, on a shared number.")]
    received_at: datetime


def since_and_until(query: InboundQuery, now_ms: int) -> tuple[int, int, str]:
    """The days that were asked for as epoch milliseconds, the end excluded, and the listing's name.

    Raises Fault `invalid_request`.
    """
    days = span(query.date_from, query.date_to, now_ms)
    since_ms, until_ms = _midnight_ms(days.first), _midnight_ms(days.last) + 86_400_000
    return since_ms, until_ms, f"inbound {days.first} {days.last}"


def view(inbound: Inbound) -> InboundView:
    """The message as it is told."""
    binary = inbound.encoding is Encoding.BINARY
    return InboundView(
        id=inbound.id,
        sender=inbound.sender,
        to=inbound.recipient,
        text=None if binary else inbound.text,
        data=inbound.data if binary else None,
        encoding=inbound.encoding,
        parts=inbound.parts,
        complete=inbound.complete,
        keyword=inbound.keyword,
        received_at=instant(inbound.at_ms),
    )


def _midnight_ms(day: date) -> int:
    return round((datetime(day.year, day.month, day.day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / _MS)


_MS = timedelta(milliseconds=1)
