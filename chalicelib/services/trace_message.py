"""Trace a message: its whole life on one page, each fact with the fields of the PDU that it came out of."""

from collections.abc import Iterable

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.message import fold, timeline
from chalicelib.domain.webhook import CALLBACKS
from chalicelib.domain.webhook_delivery import Delivery, delivery_id
from chalicelib.domain.webhook_event import of_message
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.services.faults import not_found
from chalicelib.services.find_messages import owner_of
from chalicelib.store import hash_keys, messages, webhook_deliveries, webhooks


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and all that happened to it, in order of time; and what its customer's webhooks made of the news."""

    cdr: Cdr
    facts: tuple[AnyFact, ...]
    deliveries: tuple[Delivery, ...]


def trace(message_id: str, account: str | None) -> Life:
    """The message's life; without an account every one is asked. Raises Fault `not_found`."""
    try:
        ids.check_message_id(message_id)
    except ids.BadId:
        raise not_found("message") from None
    owner = account or owner_of(message_id)
    if owner is None:
        raise not_found("message")
    facts = messages.facts_of(owner, message_id)
    cdr = cdr_of(message_id, owner, facts, hash_keys.of(owner))
    if cdr is None:
        raise not_found("message")
    message = fold(message_id, facts)
    told = _deliveries(cdr, message.content, facts) if message and message.content else []
    return Life(cdr=cost_as_taken(cdr), facts=timeline(facts), deliveries=tuple(told))


def _deliveries(cdr: Cdr, content: Content, facts: Iterable[AnyFact]) -> list[Delivery]:
    """The log of deliveries holds thirty days; of a webhook that was deleted it is not asked."""
    events = (of_message(cdr.message_id, fact, content) for fact in facts)
    named = [delivery_id(event) for event in events if event is not None]
    endpoints = [endpoint.id for endpoint in webhooks.get(cdr.account).endpoints]
    if content.callback_url:
        endpoints.append(CALLBACKS)
    return webhook_deliveries.named(cdr.account, endpoints, named)
