"""Messages: send, read, follow, cancel, list."""

from typing import Final

import msgspec

from chalicelib.api import message_types as types
from chalicelib.api import timeline
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints, Reply
from chalicelib.api.message_types import MessageId, MessageQuery, MessageView, NewMessage, Quote
from chalicelib.api.timeline import Timeline
from chalicelib.domain.facts import Accepted, AnyFact, Scheduled
from chalicelib.domain.message import Message, fold
from chalicelib.services.accept import Acceptance, accept, estimate
from chalicelib.services.cancel import cancel
from chalicelib.services.check import Submission
from chalicelib.services.faults import not_found
from chalicelib.services.keep_webhooks import check_callback
from chalicelib.services.once import Once
from chalicelib.services.read_messages import listing, read, span

endpoints: Final = Endpoints(__name__, tag="Messages", role="customer")
_REFUSALS: Final = (
    "text_too_long",
    "sender_not_allowed",
    "no_route",
    "no_price",
    "no_gateway",
    "no_simulator",
    "account_suspended",
)


@endpoints.post(
    "/v1/messages",
    status=202,
    also={200: Quote},
    faults=(*_REFUSALS, "no_credit", "idempotency_key_reused", "webhooks_off"),
    idempotent=True,
    changes=False,  # a message's own facts say who sent it
)
def send_message(call: CustomerCall, body: NewMessage) -> MessageView | Reply[Quote]:
    """Send a message.

    Answers 202 once the message is durable: its id follows it to its end. With `dry_run`, answers 200 with what it
    would be and cost; nothing is sent or written.
    """
    account = call.caller.account
    submission = Submission(
        to=body.to,
        sender=body.sender,
        text=body.text,
        data=body.data,
        validity_seconds=body.validity_seconds,
        priority=body.priority,
        client_ref=body.client_ref,
        mode=call.caller.key.mode,
        callback_url=body.callback_url or "",
        category=body.category,
        send_at_ms=None if body.send_at is None else round(body.send_at.timestamp() * 1000),
    )
    if body.callback_url:
        check_callback(account.id, body.callback_url, call.now_ms)
    if body.dry_run:
        made = estimate(submission, account, call.now_ms)
        return Reply(types.quote(made.draft.content, made.estimate), status=200)
    once = Once.of(call.idempotency_key, submission) if call.idempotency_key else None
    # Not in what the key names: the same request from another of the account's keys is the same request.
    return _accepted(accept(msgspec.structs.replace(submission, by=call.caller.by), account, call.now_ms, once))


@endpoints.get("/v1/messages", faults=("invalid_cursor",))
def list_messages(call: CustomerCall, query: MessageQuery) -> Listing[MessageView]:
    """List messages, newest first.

    Those of today (UTC), unless days are named. A page may be short, or empty, before the last: go on while there is
    a `next_cursor`.
    """
    days = span(query.date_from, query.date_to, call.now_ms)
    name = f"messages {days.first} {days.last} {query.status or ''}"
    position = unseal(call, name, query.cursor)
    found, after = listing(call.caller.account, days, query.status, position, query.limit)
    data = tuple(types.view(message, message.content) for message in found if message.content)
    return Listing(data=data, next_cursor=seal(call, name, after))


@endpoints.get("/v1/messages/{message}")
def read_message(call: CustomerCall, message: MessageId) -> MessageView:
    """Read a message as it stands."""
    return _view(read(call.caller.account, message).message)


@endpoints.get("/v1/messages/{message}/events")
def read_message_events(call: CustomerCall, message: MessageId) -> Timeline:
    """Read a message's timeline.

    Every fact with its time; the `queued` one says which gateway, route, price and rules it was given, and why.
    """
    return Timeline(data=tuple(timeline.event(fact) for fact in read(call.caller.account, message).facts))


@endpoints.post("/v1/messages/{message}/cancel", faults=("already_submitted", "already_final"))
def cancel_message(call: CustomerCall, message: MessageId) -> MessageView:
    """Cancel a message that was not submitted yet.

    What it was charged is given back. Canceling it again answers the same.
    """
    return _view(cancel(call.caller.account, message, call.now_ms))


def _accepted(made: Acceptance) -> MessageView:
    draft = made.draft
    first: AnyFact = Accepted(at_ms=draft.at_ms, content=draft.content)
    if made.due_ms is not None:
        first = Scheduled(at_ms=draft.at_ms, content=draft.content, due_ms=made.due_ms)
    message = fold(draft.id, (first,))
    if message is None:
        raise AssertionError("one fact makes a message")
    return types.view(message, draft.content, made.estimate)


def _view(message: Message) -> MessageView:
    if message.content is None:  # known by its end alone, where its first facts were lost
        raise not_found("message")
    return types.view(message, message.content)
