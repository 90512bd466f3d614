"""Receive: what people wrote is joined, found an owner, heeded where it asks to be left alone, kept, told, answered."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids, inbound
from chalicelib.domain.esme import EsmeInbound
from chalicelib.domain.inbound import INBOUND_PREFIX, JOIN_SECONDS, UNASSIGNED, Claim, Inbound, InboundNumber
from chalicelib.services import tell_esme
from chalicelib.services.answer import answer
from chalicelib.services.tell_webhooks import tell_of_inbound
from chalicelib.store import accounts, inbound_parts, numbers, queues
from chalicelib.store import inbound as kept
from chalicelib.store.inbound_parts import Parts
from chalicelib.wire import InboundBundle, InboundDue, InboundOutcome

log: Final = logging.getLogger(__name__)


def receive(bundles: Sequence[InboundBundle], now_ms: int) -> None:
    """Take messages and parts of messages, in any order. Doing it again tells nobody anything new.

    Raises dynamo.Overloaded and Undelivered; what was done until then is found done.
    """
    for outcome in (one for bundle in bundles for one in bundle.came):
        if isinstance(outcome, InboundDue):
            _give_up_waiting(outcome, now_ms)
        elif outcome.segment is None:
            _take(_whole(outcome, {1: outcome.octets}, outcome.id, outcome.at_ms, 1), now_ms)
        else:
            _take_part(outcome, now_ms)


def _take_part(outcome: InboundOutcome, now_ms: int) -> None:
    """Keep the part; the last one to come makes the message whole."""
    segment = outcome.segment
    if segment is None:
        raise ValueError("no part")
    set_ = inbound_parts.set_of(outcome.gateway, outcome.sender, outcome.recipient, segment)
    due = InboundDue(
        set=set_,
        gateway=outcome.gateway,
        sender=outcome.sender,
        recipient=outcome.recipient,
        coding=outcome.coding,
        total=segment.total,
    )
    if (
        inbound_parts.put(set_, outcome.id, segment.number, outcome.octets, at_ms=outcome.at_ms, now_ms=now_ms)
        == "another"
    ):
        _give_up_waiting(due, now_ms)  # the reference has come again: what was before it is as whole as it will be
        inbound_parts.forget(set_)
        inbound_parts.put(set_, outcome.id, segment.number, outcome.octets, at_ms=outcome.at_ms, now_ms=now_ms)
    held = inbound_parts.get(set_)
    if held is not None and len(held.octets) == segment.total:
        _take(_joined(due, held), now_ms)
    else:
        waiting = InboundBundle(id=ids.new_ulid(now_ms), came=(due,))
        queues.send(queues.INBOUND, waiting, delay_seconds=JOIN_SECONDS)


def _give_up_waiting(due: InboundDue, now_ms: int) -> None:
    """Tell what there is; parts that come later make another, fuller telling of the same message."""
    held = inbound_parts.get(due.set)
    if held is not None and held.octets:
        _take(_joined(due, held), now_ms)


def _joined(due: InboundDue, held: Parts) -> Inbound:
    return _whole(due, held.octets, held.head.message, held.head.at_ms, due.total)


def _whole(came: InboundOutcome | InboundDue, parts: Mapping[int, bytes], id_: str, at_ms: int, total: int) -> Inbound:
    """The message as far as it is there; it has no owner yet."""
    decoded = inbound.joined(parts, came.coding)
    return Inbound(
        id=f"{INBOUND_PREFIX}{id_}",
        account=UNASSIGNED,
        at_ms=at_ms,
        sender=came.sender,
        recipient=came.recipient,
        gateway=came.gateway,
        encoding=decoded.encoding,
        text=decoded.text,
        data=decoded.data,
        parts=total,
        received=len(parts),
    )


def _take(whole: Inbound, now_ms: int) -> None:
    """Keep the message under its owner, then tell and answer; once all of that is durable it is never done again."""
    number = numbers.find(whole.recipient, whole.gateway, now_ms)
    claim = inbound.claim(number, whole.text) if number else None
    message = _owned(whole, number, claim)
    if not kept.keep(message, accounts.retention_days(message.account, now_ms)):
        return
    if claim is None:
        log.warning("inbound message to nobody", extra={"gateway": message.gateway, "inbound": message.id})
    else:
        _tell(message, claim, now_ms)
    if number is not None:
        answer(message, number, claim, now_ms)
    kept.told(message)
    log.info("inbound", extra={"account": message.account, "inbound": message.id, "parts": message.parts})


def _owned(whole: Inbound, number: InboundNumber | None, claim: Claim | None) -> Inbound:
    return msgspec.structs.replace(
        whole,
        account=claim.account if claim else UNASSIGNED,
        keyword=claim.keyword if claim else None,
        number=number.id if number else "",
    )


def _tell(message: Inbound, claim: Claim, now_ms: int) -> None:
    tell_of_inbound(message, now_ms)
    if claim.login:
        item = EsmeInbound(
            id=message.id,
            sender=message.sender,
            recipient=message.recipient,
            encoding=message.encoding,
            at_ms=message.at_ms,
            text=message.text,
            data=message.data,
        )
        tell_esme.send(claim.login, [item])
