"""Answer people: opt-out words are heeded first and confirmed, else the number's or keyword's own text is sent."""

import logging
from hashlib import sha256
from typing import Final

from chalicelib.domain.inbound import Claim, Inbound, InboundNumber, may_answer
from chalicelib.services.accept import accept
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.once import Once
from chalicelib.store import accounts, idempotency, numbers

log: Final = logging.getLogger(__name__)
PACE_MS: Final = 60_000  # between the same texts to a person: two machines may answer each other


def answer(message: Inbound, number: InboundNumber, claim: Claim | None, now_ms: int) -> None:
    """Send what is due, as a message of the account like any other. Doing it again sends nothing twice."""
    text = claim.reply if claim else ""
    if claim and text:
        _send(message, claim.account, text, now_ms)


def _send(message: Inbound, account_id: str, text: str, now_ms: int) -> None:
    account = accounts.cached(account_id, now_ms)
    if account is None or not _may(message, account_id, text, now_ms):
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
