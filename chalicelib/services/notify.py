"""Notify: tell people by e-mail that something happened, once for each event and reader.

Here it is only handed over, by one send to ⟨mails⟩, whoever is to be told: who reads it, in which language, and
whether he wants it, the mails' function finds out (address_notice). So it costs the same whether there is a reader or
not, and whoever tells needs no right but to send there.
"""

from collections.abc import Sequence

from chalicelib.domain import ids
from chalicelib.domain.mail import NOBODYS, Kind, Notice, check
from chalicelib.store import queues
from chalicelib.wire import MailBundle

__all__ = ["Kind", "Notice", "notify", "notify_all"]


def notify(notice: Notice, now_ms: int) -> None:
    """Tell it to those who are to know. Told twice under one name, it is mailed once.

    So tell it after what happened is durable, and again where that is done again. Secrets are no values: see
    domain.mail.Topic. Raises BadNotice, and what SQS's client raises.
    """
    notify_all([notice], now_ms)


def notify_all(notices: Sequence[Notice], now_ms: int) -> None:
    """The same for several, ten a request."""
    for notice in notices:
        check(notice)
    queues.send_many(
        queues.MAILS,
        [
            MailBundle(id=ids.new_ulid(now_ms), account=notice.account or NOBODYS, at_ms=now_ms, notice=notice)
            for notice in notices
        ],
    )
