"""Send a mail of the log: claimed by one, composed with what is known now, handed to SES; and what came of it noted.

Sent once, as far as SES allows, which knows no idempotency: whoever dies between its answer and the note leaves a
claim, for as long as which nobody tries again; meanwhile SES's own event notes that it was sent (note_mail_event).
"""

import logging
from collections.abc import Callable
from typing import Final

from chalicelib.domain import email_address
from chalicelib.domain.bad_mailbox import is_held_back
from chalicelib.domain.forward import CONFIRM_MS, Token
from chalicelib.domain.mail import NOBODYS, TOPICS, Kind, Logged, Mail
from chalicelib.mails.compose import Pass, message_of, text_of
from chalicelib.services import keep_forwards, reset_password
from chalicelib.settings import settings
from chalicelib.store import bad_mailboxes, forwards, mails, queues, ses, users
from chalicelib.wire import MailBundle

log: Final = logging.getLogger(__name__)
CLAIM_MS: Final = 110_000  # less than the queue's visibility: whoever gets the record of one who died may try
# After an attempt that SES did not take. SQS delays no longer than the last ones.
WAITS_SECONDS: Final = (60, 180, 600, *(900,) * 9)  # two and a half hours
HELD_BACK: Final = "held_back"  # the address bounced, or its reader complained
NO_READER: Final = "no_reader"  # the user is gone or suspended, the forward was stopped
NO_SENDER: Final = "no_sender"  # the stage says nobody whom mails are from
_CONFIRM: Final = "/v1/mail-links/confirm?token="
_STOP: Final = "/v1/mail-links/stop?token="
_PASSWORD: Final = "/password?token="  # noqa: S105 - the panel's page for it, no secret
_LEEWAY_MS: Final = 1_000  # SQS's delay and ours need not agree to the millisecond


class _Unsendable(Exception):
    """It is not to be sent; the text is why."""


def send(mail_id: str, now_ms: int) -> None:
    """Send the mail, unless it was sent or another is at it. When this returns, the log or ⟨mails⟩ knows what is next.

    Raises nothing for what SES does not take: it is put off, and at last failed.
    """
    logged = mails.claim(mail_id, now_ms, now_ms + CLAIM_MS)
    if logged is None:
        return
    mail = logged.mail
    try:
        ses_id = ses.send(mail.id, mail.address, _message(mail, now_ms))
    except _Unsendable as why:
        _fail(mail, str(why), now_ms)
    except ses.NotTaken as error:
        _put_off(logged, error, now_ms)
    else:
        mails.sent(mail.id, ses_id, now_ms)
        log.info("mail sent", extra={**_named(mail), "ses_id": ses_id, "attempts": logged.fate.attempts})


def _message(mail: Mail, now_ms: int) -> bytes:
    """The message as it reads now. Raises _Unsendable."""
    if not settings().mail_from:
        raise _Unsendable(NO_SENDER)
    _check_user(mail)
    if is_held_back(mail.kind, bad_mailboxes.of(mail.address)):
        raise _Unsendable(HELD_BACK)
    stop = _stop_of(mail)
    let = _let(mail, now_ms)
    text = text_of(mail, let, stop)
    link = let.link if let else ""
    return message_of(mail, text, sender=settings().mail_from, now_ms=now_ms, link=link, stop=stop)


def _check_user(mail: Mail) -> None:
    """Raises _Unsendable where whom it was written to has been deleted or suspended since: it may have waited hours."""
    row = users.versioned(mail.user) if mail.user else None
    if mail.user and (row is None or row.value.state != "active"):
        raise _Unsendable(NO_READER)


def _let(mail: Mail, now_ms: int) -> Pass | None:
    """The link or token of a mail that has one: made here, kept nowhere but as a digest. Raises _Unsendable."""
    return _PASSES[mail.kind](mail, now_ms) if TOPICS[mail.kind].has_link else None


def _reset(mail: Mail, now_ms: int) -> Pass:
    return _password(mail, now_ms, reset_password.RESET_MS)


def _password(mail: Mail, now_ms: int, holds_ms: int) -> Pass:
    token = reset_password.mint(mail.user or "", now_ms)
    return _pass(settings().panel_url, _PASSWORD, token, now_ms + holds_ms)


def _invitation(mail: Mail, now_ms: int) -> Pass:
    """Whoever has a password needs none."""
    row = users.versioned(mail.user or "")
    if row is None:
        raise _Unsendable(NO_READER)
    return Pass() if row.value.password_hash else _password(mail, now_ms, reset_password.INVITATION_MS)


def _confirmation(mail: Mail, now_ms: int) -> Pass:
    token = keep_forwards.mint(mail.account or NOBODYS, mail.forward or "", now_ms)
    return _pass(settings().public_url, _CONFIRM, token, now_ms + CONFIRM_MS)


def _pass(site: str, page: str, token: str | None, until_ms: int) -> Pass:
    """A link to the page; the bare token where the stage names no site. Raises _Unsendable where there is none."""
    if token is None:
        raise _Unsendable(NO_READER)
    return Pass(link=f"{site}{page}{token}", until_ms=until_ms) if site else Pass(token=token, until_ms=until_ms)


_PASSES: Final[dict[Kind, Callable[[Mail, int], Pass]]] = {
    Kind.PASSWORD_RESET: _reset,
    Kind.USER_CREATED: _invitation,
    Kind.FORWARD_CONFIRM: _confirmation,
}


def _stop_of(mail: Mail) -> str:
    """Where a further reader ends it. Raises _Unsendable where it has."""
    if mail.forward is None or mail.kind is Kind.FORWARD_CONFIRM:
        return ""
    whose = mail.account or NOBODYS
    forward = forwards.get(whose).get(mail.forward)
    if forward is None or forward.state != "confirmed":
        raise _Unsendable(NO_READER)
    token = str(Token(whose, forward.id, forward.stop))
    return f"{settings().public_url}{_STOP}{token}" if settings().public_url else token


def _put_off(logged: Logged, error: ses.NotTaken, now_ms: int) -> None:
    mail, attempts = logged.mail, logged.fate.attempts
    if error.for_good or attempts > len(WAITS_SECONDS):
        _fail(mail, error.code, now_ms)
        return
    seconds = WAITS_SECONDS[attempts - 1]
    mails.put_off(mail.id, error.code, now_ms + seconds * 1000 - _LEEWAY_MS)
    again = MailBundle(id=f"{mail.id}/{attempts}", account=mail.account or NOBODYS, at_ms=now_ms, mail=mail.id)
    queues.send(queues.MAILS, again, delay_seconds=seconds)
    log.warning("mail put off", extra={**_named(mail), "reason": error.code, "seconds": seconds})


def _fail(mail: Mail, reason: str, now_ms: int) -> None:
    mails.failed(mail.id, reason, now_ms)
    log.warning("mail failed", extra={**_named(mail), "reason": reason})


def _named(mail: Mail) -> dict[str, object]:
    return {"mail": mail.id, "kind": mail.kind.value, "to": email_address.mask(mail.address), "account": mail.account}
