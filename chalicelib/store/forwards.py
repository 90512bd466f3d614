"""Accounts' forwards, a row an account."""

from collections.abc import Callable
from typing import Final

from pynamodb.attributes import UnicodeAttribute

from chalicelib.domain.forward import Forwards
from chalicelib.store import dynamo
from chalicelib.store.rows import MUST_BE_NEW, Rows, RowTable

_ATTEMPTS: Final = 8


class ForwardTable(RowTable):
    class Meta:
        suffix = "mail_forwards"

    id = UnicodeAttribute(hash_key=True, attr_name="account")


_rows: Final = Rows(ForwardTable, Forwards, lambda forwards: forwards.account)


def get(account: str) -> Forwards:
    """The account's forwards as they are this moment."""
    row = _rows.get(account, consistent=True)
    return row.value if row else Forwards(account=account)


def change(account: str, changed: Callable[[Forwards], Forwards]) -> Forwards:
    """Write what `changed` makes of the account's forwards; it may be called again where others write too.

    What it raises is passed on, and nothing is written. Raises dynamo.Overloaded.
    """
    for _ in range(_ATTEMPTS):
        row = _rows.get(account, consistent=True)
        held = row.value if row else Forwards(account=account)
        made = changed(held)
        if made == held or _rows.put(made, expected=row.version if row else MUST_BE_NEW):
            return made
    raise dynamo.Overloaded(f"the forwards of {account} kept changing")
