"""Answer people: opt-out words are heeded first and confirmed, else the number's or keyword's own text is sent."""

import logging
from hashlib import sha256
from typing import Final

from chalicelib.domain.inbound import Claim, Inbound, InboundNumber, may_answer
from chalicelib.services.accept import accept
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.once import Once
from chalicelib.services.opt_out import heard
from chalicelib.store import accounts, idempotency, numbers

log: Final = logging.getLogger(__name__)
PACE_MS: Final = 60_000  # between the same texts to a person: two machines may answer each other


def answer(message: Inbound, number: InboundNumber, claim: Claim | None, now_ms: int) -> None:
    """Send what is due, as a message of the account like any other. Doing it again sends nothing twice."""
    wish = _heed(message, number, claim, now_ms)
    if wish is not None:
        account, text = wish
        _send(message, account, text, now_ms)
    elif claim is not None:
        _send(message, claim.account, claim.reply, now_ms)


def _heed(message: Inbound, number: InboundNumber, claim: Claim | None, now_ms: int) -> tuple[str, str] | None:
    """Note a wish to be left alone, or to be written to again: whose the answer is, and its text; None: it is no wish.

    On a shared number it says no account's keyword, and holds for every account that has a share.
    """
    if not message.text or not may_answer(message.sender):
        return None
    answers = []
    for account_id in (claim.account,) if claim else number.accounts:
        account = accounts.cached(account_id, now_ms)
        if account is not None:
            wish = heard(account, message.sender, message.recipient, message.text, message.at_ms)
            answers += [(account_id, wish.text)] if wish else []
    return answers[0] if answers else None


def _send(message: Inbound, account_id: str, text: str, now_ms: int) -> None:
    account = accounts.cached(account_id, now_ms)
    if account is None or not text or not _may(message, account_id, text, now_ms):
        return
    submission = Submission(
        to=message.sender,
        sender=message.recipient,
        text=text,
        client_ref=message.id,
        category="confirmation",
    )
    try:
        made = accept(submission, account, now_ms, Once.of(f"answer/{message.id}", submission))
    except Fault as fault:  # no credit, no route, a text that has changed since: the customer's matter
        log.warning("no answer", extra={"account": account_id, "inbound": message.id, "reason": fault.code})
    else:
        log.info("answered", extra={"account": account_id, "inbound": message.id, "message_id": made.draft.id})


def _may(message: Inbound, account: str, text: str, now_ms: int) -> bool:
    """Not to ourselves, nor to what is no person's number, nor the same again at once."""
    if not may_answer(message.sender) or numbers.find(message.sender, message.gateway, now_ms) is not None:
        return False
    digest = sha256(f"{message.recipient}\n{message.sender}\n{text}".encode()).hexdigest()
    minute = message.at_ms // PACE_MS
    if idempotency.find(account, f"pace/{digest}/{minute - 1}", now_ms) is not None:
        return False
    before = idempotency.remember(account, f"pace/{digest}/{minute}", digest, message.id, now_ms)
    return before is None or before.answer == message.id
