"""Shelve: what could not be processed is kept, with why, until somebody decides what becomes of it."""

from typing import Final

import msgspec

from chalicelib import wire
from chalicelib.domain.dead_letter import DeadLetter, id_of
from chalicelib.store import dead_letters, queues

MAX_BODY_BYTES: Final = 300_000  # DynamoDB's items end at 400 KB; every bundle is smaller (wire.MAX_BUNDLE_BYTES)

# On which queue each kind of bundle travels; of the others, the bundle itself says to which gateway or login it goes.
_HOMES: Final[dict[type[wire.Bundle], str]] = {
    wire.AcceptedBundle: queues.ACCEPTED,
    wire.RoutedBundle: queues.BILLING,
    wire.OutcomeBundle: queues.OUTCOMES,
    wire.JobWork: queues.JOBS,
    wire.MailBundle: queues.MAILS,
    wire.InboundBundle: queues.INBOUND,
    wire.WebhookBundle: queues.WEBHOOKS,
    wire.Visit: queues.VISITS,
    wire.Audit: queues.AUDITS,
    wire.ArchiveWork: queues.ARCHIVES,
}


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A record that came to be dead, and what came with it. What is None, nobody said."""

    record: str  # SQS's id of it where it failed
    body: str
    queue: str | None = None
    reason: str | None = None
    receives: int | None = None


def shelve(arrival: Arrival, now_ms: int) -> DeadLetter | None:
    """The letter as it was kept; None where this very record was kept before. Kept twice, it changes nothing."""
    queue = arrival.queue or _home_of(arrival.body)
    receives = queues.RECEIVES_BEFORE_DEAD if arrival.receives is None else arrival.receives
    body = _cut(arrival.body)
    letter = DeadLetter(
        id=id_of(queue, arrival.body),
        queue=queue,
        body=body,
        whole=body == arrival.body,
        reason=arrival.reason or _likely_reason(arrival.body, receives),
        record=arrival.record,
        receives=receives,
        first_seen_ms=now_ms,
        last_seen_ms=now_ms,
    )
    return letter if dead_letters.shelve(letter) else None


def _likely_reason(body: str, receives: int) -> str:
    """Why SQS gave it up: whoever had it did not get to say."""
    try:
        wire.decode(body)
    except wire.BadBundle as error:
        return f"no bundle: {error}"
    return f"not finished in {receives} receives: what processed it died, or ran out of time"


def _home_of(body: str) -> str | None:
    """The queue that a bundle of its kind travels on."""
    try:
        bundle = wire.decode(body)
    except wire.BadBundle:
        return None
    match bundle:
        case wire.DispatchBundle():
            priority = bundle.messages[0].content.priority if bundle.messages else "normal"
            return queues.gateway_queue(bundle.gateway, priority)
        case wire.EsmeBundle():
            return queues.esme_queue(bundle.login)
        case _:
            return _HOMES[type(bundle)]


def _cut(body: str) -> str:
    return body.encode()[:MAX_BODY_BYTES].decode(errors="ignore")
