"""An account listens: from now on its listeners (SMPP logins, webhooks) are told what becomes of its messages."""

from typing import Final

import msgspec

from chalicelib.services.faults import not_found
from chalicelib.settings import settings
from chalicelib.store import accounts
from chalicelib.store.dynamo import Overloaded

_ATTEMPTS: Final = 5


def listen(account: str, now_ms: int) -> int:
    """Note that the account listens; it is done for good. Gives the instant (ms) from which every process knows.

    To be called before the listener is there, so that none is ever without. Raises Fault `not_found`, and Overloaded
    where the account kept changing.
    """
    for _ in range(_ATTEMPTS):
        held = accounts.versioned(account)
        if held is None:
            raise not_found("account")
        if held.value.listens:
            return now_ms
        if accounts.change(account, held.version, msgspec.structs.replace(held.value, listens=True)):
            return now_ms + int(settings().account_cache_seconds * 1000)
    raise Overloaded(f"account {account} kept changing")
