"""Welcome a customer: open the account, make its owner's user, grant its first credit; in that order."""

import msgspec

from chalicelib.domain.account import Account
from chalicelib.services import keep_user
from chalicelib.services.faults import Fault
from chalicelib.services.grant import Grant, grant
from chalicelib.services.keep_account import open_account
from chalicelib.services.keep_user import Terms
from chalicelib.store.rows import Row


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer begins with beside the account's settings."""

    credit_micros: int = 0
    why: str = ""
    owner: Terms | None = None


class Welcomed(msgspec.Struct, frozen=True, kw_only=True):
    """The account, and its owner's user id where one was made."""

    row: Row[Account]
    owner: str | None


def welcome(account: Account, given: Welcome, who: str, now_ms: int) -> Welcomed:
    """The customer, ready to send. Raises Fault as `open_account`, `grant` and `keep_user.create` do.

    What can be known to fail is refused before anything is made. Where a step fails after all, the account is there,
    and what is missing is made by itself: by a grant, by making a user.
    """
    if given.owner is not None:
        _check_owner(given.owner)
    row = open_account(account, now_ms)
    owner = keep_user.create(row.value.id, given.owner, who, now_ms).value.id if given.owner else None
    if given.credit_micros:  # once there is somebody to be told of it
        first = Grant(account=row.value.id, amount_micros=given.credit_micros, why=given.why)
        grant(first, who, now_ms)
    return Welcomed(row=row, owner=owner)


def _check_owner(owner: Terms) -> None:
    """Raises Fault whose fields are those of the request, where the owner is a part of it."""
    try:
        keep_user.check_new(owner)
    except Fault as fault:
        fields = tuple(msgspec.structs.replace(one, field=f"/owner{one.field}") for one in fault.fields)
        raise Fault(fault.code, fault.detail, fields) from None
