"""Addresses that mail is not sent to, a row each."""

from typing import Final

from chalicelib.domain import email_address
from chalicelib.domain.bad_mailbox import BadMailbox
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import MUST_BE_NEW, Row, Rows, RowTable


class BadMailboxTable(RowTable):
    class Meta:
        suffix = "bad_addresses"


_rows: Final = Rows(BadMailboxTable, BadMailbox, lambda mailbox: mailbox.id)


def add(mailbox: BadMailbox) -> None:
    """Keep it. What was wrong first stays, but for a bounce over a complaint, as it holds back more."""
    if not _rows.put(mailbox, expected=MUST_BE_NEW) and mailbox.trouble == "bounced":
        _rows.put(mailbox)


def of(address: str) -> BadMailbox | None:
    """What is wrong with the address; None: nothing that is known."""
    row = _rows.get(email_address.key(address), consistent=True)
    return row.value if row else None


def lift(address: str) -> bool:
    """Mail is sent there again. False where it was not held back."""
    return _rows.delete(email_address.key(address))


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[Row[BadMailbox]]:
    """Up to `limit` of them, in no particular order."""
    return _rows.listing(cursor, limit)
