"""Note what SES tells of a mail: in the log, and where the mailbox is no good, so that nothing goes there any more."""

import logging
from collections.abc import Callable
from typing import Final

from chalicelib.domain import email_address
from chalicelib.domain.bad_mailbox import BadMailbox, Trouble
from chalicelib.domain.mail_event import EventKind, MailEvent
from chalicelib.store import bad_mailboxes, mails

log: Final = logging.getLogger(__name__)


def note(event: MailEvent, now_ms: int) -> None:
    """Note it. Events come twice and in any order: each says what it says, and what ranks over it stays."""
    _NOTED[event.kind](event, now_ms)


def _sent(event: MailEvent, now_ms: int) -> None:
    """Known already, unless whoever sent it died before he could say so."""
    mails.sent(event.mail, event.ses_id, now_ms)


def _delivered(event: MailEvent, now_ms: int) -> None:
    mails.sent(event.mail, event.ses_id, now_ms)
    mails.delivered(event.mail, now_ms)


def _failed(event: MailEvent, now_ms: int) -> None:
    """SES took it, and then would not send it: it found a virus."""
    mails.came_back(event.mail, "failed", event.reason, now_ms)


def _bounced(event: MailEvent, now_ms: int) -> None:
    """One that is full, or away, may be written to again."""
    if event.for_good:
        _hold_back(event, "bounced", now_ms)
    mails.came_back(event.mail, "bounced", event.reason, now_ms)


def _complained(event: MailEvent, now_ms: int) -> None:
    _hold_back(event, "complained", now_ms)
    mails.came_back(event.mail, "complained", event.reason, now_ms)


def _hold_back(event: MailEvent, trouble: Trouble, now_ms: int) -> None:
    """The address as we have it, where the mail is known: SES tells it as the reader's server called it."""
    logged = mails.get(event.mail)
    for address in [logged.mail.address] if logged else event.addresses:
        id_ = email_address.key(address)
        bad_mailboxes.add(BadMailbox(id=id_, trouble=trouble, reason=event.reason, since_ms=now_ms, mail=event.mail))
        told = {"to": email_address.mask(address), "trouble": trouble, "reason": event.reason}
        log.warning("no more mail to an address", extra={"mail": event.mail, **told})


_NOTED: Final[dict[EventKind, Callable[[MailEvent, int], None]]] = {
    "sent": _sent,
    "delivered": _delivered,
    "bounced": _bounced,
    "complained": _complained,
    "failed": _failed,
}
