"""Read the webhook log over all accounts: each event's way to each endpoint, newest first within an endpoint."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.webhook import CALLBACKS
from chalicelib.domain.webhook_delivery import Delivery, DeliveryState
from chalicelib.services.faults import Fault
from chalicelib.services.walk_messages import some_accounts
from chalicelib.store import accounts, webhook_deliveries, webhooks
from chalicelib.store.page import Cursor

_MAX_READS: Final = 100  # endpoints of which nothing is wanted cost a read and give nothing
_ACCOUNTS_A_READ: Final = 25


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries; None is anything. A message's deliveries are found by its account."""

    account: str | None = None
    endpoint: str | None = None
    state: DeliveryState | None = None
    event: str | None = None  # its webhook-id

    def fits(self, delivery: Delivery) -> bool:
        return (self.state is None or self.state == delivery.state) and (
            self.event is None or self.event == delivery.event.id
        )


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the log goes on: behind the account `done`, or in it: behind its `endpoint`s, or within that one's log."""

    done: str = ""
    account: str = ""
    endpoint: str = ""
    cursor: Cursor | None = None  # None: the endpoint is through


def read(wanted: Wanted, position: Any, limit: int) -> tuple[list[Delivery], Position | None]:
    """Up to `limit` deliveries, and where to go on (None: that was all). `position`: None, or from before.

    Raises Fault `invalid_cursor`, `not_found` (the account).
    """
    at = Position() if position is None else _position(position)
    found: list[Delivery] = []
    reads = 0
    for account, last in _accounts(wanted.account, at):
        reads += 1
        for endpoint in _endpoints(wanted, account.id, at):
            cursor = at.cursor if (at.account, at.endpoint) == (account.id, endpoint) else None
            while True:
                page = webhook_deliveries.listing(account.id, endpoint, cursor, limit - len(found))
                reads += 1
                found += [delivery for delivery in page.items if wanted.fits(delivery)]
                cursor = page.cursor
                at = Position(done=at.done, account=account.id, endpoint=endpoint, cursor=cursor)
                if len(found) >= limit or reads >= _MAX_READS:
                    return found, at
                if cursor is None:
                    break
        at = Position(done=account.id)
        if last:
            return found, None if wanted.account else at
    return found, None


def _accounts(only: str | None, at: Position) -> Iterator[tuple[Account, bool]]:
    """The accounts from there on, each with whether it is the last that may be read in this call."""
    begun = accounts.get(at.account) if at.account else None
    some = [begun] if begun else []
    if only is None:
        some += some_accounts(None, at.account or at.done, _ACCOUNTS_A_READ)
    elif not at.account:
        some = some_accounts(only, "", 1)
    full = only is not None or len(some) >= _ACCOUNTS_A_READ
    return ((account, full and account is some[-1]) for account in some)


def _endpoints(wanted: Wanted, account: str, at: Position) -> list[str]:
    """The account's endpoints, and where messages' own callbacks go to; from the one on that was being read."""
    names = [*sorted(endpoint.id for endpoint in webhooks.get(account).endpoints), CALLBACKS]
    if wanted.endpoint is not None:
        names = [wanted.endpoint]
    if at.account != account or at.endpoint not in names:
        return names
    return names[names.index(at.endpoint) + (at.cursor is None) :]


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
