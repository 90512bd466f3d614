"""A delivery: one event's way to one endpoint, as far as it has come."""

from typing import Literal

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.webhook import Answer
from chalicelib.domain.webhook_event import Event

DeliveryState = Literal["waiting", "delivered", "failed", "dropped"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`endpoint` is an id or CALLBACKS, whose URL it then has. `next_ms`: about when it is tried again."""

    account: str
    endpoint: str
    event: Event
    state: DeliveryState
    attempts: int = 0
    url: str = ""
    at_ms: int = 0  # of the last attempt
    answer: Answer | None = None  # the last one
    next_ms: int | None = None

    @property
    def id(self) -> str:
        """Its name in its endpoint's log, which is in order of the events' times."""
        return delivery_id(self.event)


def delivery_id(event: Event) -> str:
    """The name of the event's delivery, the same for each endpoint."""
    return f"{ids.floor_at(event.at_ms)}-{event.id}"
