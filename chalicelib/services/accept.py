"""Accept: what a customer hands over is checked, priced against its credit, named, and made durable on its queue."""

import logging
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.charging import price_of
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.facts import Accepted
from chalicelib.domain.routing import decide
from chalicelib.services import limit_rate
from chalicelib.services.check import Submission, check
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.keep_texts import kept
from chalicelib.services.once import Once
from chalicelib.services.route import current_table
from chalicelib.services.send_scheduled import schedule
from chalicelib.store import idempotency, messages, queues, wallets
from chalicelib.store.idempotency import Remembered
from chalicelib.store.messages import Noted
from chalicelib.wire import AcceptedBundle, Draft

_DAY_MS: Final = 86_400_000
MAX_AHEAD_MS: Final = 30 * _DAY_MS  # as long as messages are looked after (domain.waiting)
# A message is kept by its account's days from when it was made: what waited must be there when its day is archived.
_KEPT_AFTER_MS: Final = 4 * _DAY_MS

log: Final = logging.getLogger(__name__)


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was answered with an id, and what it will cost as far as is known now."""

    draft: Draft
    estimate: Decision
    due_ms: int | None = None  # when it is to be sent, if not at once


def estimate(submission: Submission, account: Account, now_ms: int) -> Acceptance:
    """The message that it would be. Writes nothing. Raises Fault, as `accept` does, but for credit."""
    content = check(submission, account, now_ms)
    message_id = ids.new_message_id(now_ms, account.shards)
    verdict = decide(current_table(now_ms), account, message_id, content)
    if isinstance(verdict, Refusal):
        raise Fault(verdict.error.code, verdict.error.title)
    draft = Draft(id=message_id, at_ms=now_ms, content=content)
    due_ms = due_ms_of(submission, account, content.valid_until_ms, now_ms)
    return Acceptance(draft=draft, estimate=verdict, due_ms=due_ms)


def due_ms_of(submission: Submission, account: Account, valid_until_ms: int, now_ms: int) -> int | None:
    """When it is to be sent; None: at once.

    Raises Fault: a message is looked after for MAX_AHEAD_MS, and kept for as many days as its account wants.
    """
    if submission.send_at_ms is None or submission.send_at_ms <= now_ms:
        return None
    if valid_until_ms > now_ms + MAX_AHEAD_MS:
        raise invalid_field("/send_at", "out_of_range", "time and validity end within 30 days from now")
    ahead_ms = max(_DAY_MS, account.retention_days * _DAY_MS - _KEPT_AFTER_MS)
    if submission.send_at_ms > now_ms + ahead_ms:
        told = f"the account keeps messages for {account.retention_days} days: at most {ahead_ms // _DAY_MS} days ahead"
        raise invalid_field("/send_at", "out_of_range", told)
    return submission.send_at_ms


def accept(submission: Submission, account: Account, now_ms: int, once: Once | None = None) -> Acceptance:
    """The message, durable on ⟨accepted⟩ when this returns; with `once`, the one that the first such request made.

    Raises Fault: `invalid_request`, `text_too_long`, `account_suspended`, `no_route`, `no_gateway`, `no_simulator`,
    `no_credit`, `rate_limited`, `idempotency_key_reused`; then nothing was written.
    """
    try:
        if account.state != "active":
            raise Fault("account_suspended", "the account is suspended: it sends nothing")
        made = estimate(submission, account, now_ms)
        _check_credit(account, price_of(made.estimate, made.draft.content.parts), now_ms)
        limit_rate.messages(account, 1, now_ms)
    except Fault:
        held = idempotency.find(account.id, once.key, now_ms) if once else None
        if once is None or held is None:
            raise
        # What is answered once stays answered, whatever has changed since.
        return _again(account, _with_text(_read(held, once), submission, account, now_ms), now_ms)
    if once is not None:
        answer = msgspec.json.encode(_as_kept(made, account)).decode()
        before = idempotency.remember(account.id, once.key, once.request_sha256, answer, now_ms)
        if before is not None:
            return _again(account, _with_text(_read(before, once), submission, account, now_ms), now_ms)
    _hand_over(account, made, now_ms)
    return made


def _read(held: Remembered, once: Once) -> Acceptance:
    if held.body_sha256 != once.request_sha256:
        raise Fault("idempotency_key_reused", "this Idempotency-Key came with another request before")
    return msgspec.json.decode(held.answer, type=Acceptance)


def _as_kept(made: Acceptance, account: Account) -> Acceptance:
    """As it may be remembered: without the text, where the account wants none stored."""
    draft = msgspec.structs.replace(made.draft, content=kept(made.draft.content, account))
    return msgspec.structs.replace(made, draft=draft)


def _with_text(made: Acceptance, submission: Submission, account: Account, now_ms: int) -> Acceptance:
    """With the text that was not remembered, which the same request brings once more."""
    content = made.draft.content
    if not content.text_hash:
        return made
    said = check(submission, account, now_ms)
    whole = msgspec.structs.replace(content, text=said.text, data=said.data, text_hash="", text_length=0)
    return msgspec.structs.replace(made, draft=msgspec.structs.replace(made.draft, content=whole))


def _again(account: Account, made: Acceptance, now_ms: int) -> Acceptance:
    """The first request's message. Where that one died before it handed over, this one does; twice would do no harm."""
    if not messages.facts_of(account.id, made.draft.id):
        _hand_over(account, made, now_ms)
    return made


def _hand_over(account: Account, made: Acceptance, now_ms: int) -> None:
    draft = made.draft
    bundle = AcceptedBundle(id=ids.bundle_of_single(draft.id), account=account.id, messages=(draft,))
    if made.due_ms is not None:
        schedule(bundle, made.due_ms, now_ms)
        log.info("scheduled", extra={"account": account.id, "messages": [draft.id], "due_ms": made.due_ms})
        return
    queues.send(queues.ACCEPTED, bundle)
    log.info("accepted", extra={"bundle": bundle.id, "account": account.id, "messages": [draft.id]})
    fact = Accepted(at_ms=draft.at_ms, content=kept(draft.content, account))
    try:
        messages.put_facts([Noted(account.id, draft.id, fact, account.retention_days)])
    except Exception:
        # The message is on its way: an error here would make the customer send it twice. Only its first line is lost.
        log.exception("the accepted fact was not written", extra={"message_id": draft.id})


def _check_credit(account: Account, micros: int, now_ms: int) -> None:
    """A yes may be a second old: charge decides. A no is read again, for a customer who has just paid."""
    wallet = wallets.cached(account.id, now_ms)
    if wallet is None or wallet.available_micros < micros:
        wallet = wallets.get(account.id, consistent=True)
    if wallet is None or wallet.available_micros < micros:
        raise Fault("no_credit", "the account's credit does not cover the message")
