"""Trace a message: its whole life on one page, each fact with the fields of the PDU that it came out of."""

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.message import AnyFact, timeline
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.services.faults import not_found
from chalicelib.services.find_messages import owner_of
from chalicelib.store import hash_keys, messages


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and all that happened to it, in order of time."""

    cdr: Cdr
    facts: tuple[AnyFact, ...]


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
    return Life(cdr=cost_as_taken(cdr), facts=timeline(facts))
