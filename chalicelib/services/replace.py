"""Replace what an SMPP customer handed over for later: another text, time, validity or receipt, before it is sent."""

import logging
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Scheduled
from chalicelib.domain.message import Message
from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.text import Encoding
from chalicelib.services.accept_many import judge_many
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.keep_texts import kept as kept_as
from chalicelib.services.send_scheduled import AHEAD_MS, hand_over
from chalicelib.store import scheduled
from chalicelib.store.messages import Noted
from chalicelib.store.scheduled import Due
from chalicelib.wire import Draft

log: Final = logging.getLogger(__name__)


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be instead (SMPP 3.4, 4.10). Of the times, None: as it was."""

    login: str
    sender: str | None  # None: the account's default
    body: str | bytes
    registered: int
    send_at_ms: int | None = None
    validity_seconds: int | None = None  # from the time that it is sent at


def replace(account: Account, message: Message, asked: Replacement, now_ms: int) -> None:
    """Have `asked` sent in the message's place, under its id: checked and priced as accept does, written in one piece.

    Raises Fault: `not_replaceable`, for all that does not wait for its time or is another's; accept's faults, but for
    rates; `invalid_request` at /validity_seconds where its validity would end before its time. Then nothing was
    changed. Asked again, it is the same; once it has left, as far as the times were given absolutely.
    """
    content = message.content
    if content is None or message.final or message.due_ms is None or not _may(account, content, asked):
        raise _too_late()
    kept = scheduled.get(message.id)
    waits = kept.due if kept is not None else None
    if waits is not None:
        content = waits.bundle.messages[0].content
    was_ms = waits.due_ms if waits is not None else message.due_ms
    due_ms = max(now_ms, was_ms if asked.send_at_ms is None else asked.send_at_ms)
    (judged,) = judge_many(account, [_submission(account, content, asked, was_ms, due_ms)], now_ms, [message.id])
    if isinstance(judged, Fault):
        raise judged
    made = judged.draft.content
    if kept is None or waits is None or kept.taken:
        if (kept_as(made, account), due_ms) != (message.content, message.due_ms):
            raise _too_late()
        if waits is not None:
            hand_over([waits], now_ms)  # who took it may have died
        return
    draft = Draft(id=message.id, at_ms=waits.bundle.messages[0].at_ms, content=made)
    due = Due(msgspec.structs.replace(waits.bundle, messages=(draft,)), due_ms)
    fact = Scheduled(at_ms=draft.at_ms, content=kept_as(made, account), due_ms=due_ms)
    leaves = due_ms - now_ms <= AHEAD_MS
    if not scheduled.replace(kept, due, Noted(account.id, message.id, fact, account.retention_days), taken=leaves):
        raise _too_late()
    log.info("replaced", extra={"account": account.id, "messages": [message.id], "due_ms": due_ms})
    if leaves:
        hand_over([due], now_ms)


def _may(account: Account, content: Content, asked: Replacement) -> bool:
    """Whether it is this login's and sender's message, and one that a text alone can stand for."""
    if content.login != asked.login or content.data_coding is None or content.udh or content.segment_ids:
        return False
    try:
        return str(parse_sender(asked.sender or account.default_sender or "")) == content.sender
    except BadSender:
        return False


def _submission(account: Account, content: Content, asked: Replacement, was_ms: int, due_ms: int) -> Submission:
    data = asked.body if isinstance(asked.body, bytes) else None
    return Submission(
        to=content.to,
        sender=content.sender,
        text=asked.body if isinstance(asked.body, str) else None,
        data=data,
        encoding=Encoding.BINARY if data is not None else None,
        validity_seconds=_validity_seconds(account, content, asked, was_ms, due_ms),
        priority=content.priority,
        client_ref=content.client_ref,
        mode=content.mode,
        source=content.source,
        login=content.login,
        registered=asked.registered,
        message_class=content.message_class,
        tlvs=content.tlvs,
        callback_url=content.callback_url,
        send_at_ms=due_ms,
        category=content.category,
        data_coding=content.data_coding,
        by=content.by,
    )


def _validity_seconds(account: Account, content: Content, asked: Replacement, was_ms: int, due_ms: int) -> int | None:
    """The end that it had stays, unless it was only the account's longest."""
    if asked.validity_seconds is not None:
        return asked.validity_seconds
    if content.valid_until_ms - was_ms >= account.max_validity_seconds * 1000:
        return None
    seconds = (content.valid_until_ms - due_ms) // 1000
    if seconds <= 0:
        raise invalid_field("/validity_seconds", "out_of_range", "its validity ends before it would be sent")
    return seconds


def _too_late() -> Fault:
    return Fault("not_replaceable", "the message does not wait for its time, or is another's")
