"""The keys that texts are hashed with: one an account, all from one secret that is made when it is first needed."""

import hmac
import secrets as random
from hashlib import sha256
from typing import Final

from chalicelib.settings import settings
from chalicelib.store import secrets
from chalicelib.store.cached import Cached

_NAME: Final = "keys/hashes"
_FOR_LONG: Final = 86_400.0


def of(account: str) -> bytes:
    """The account's key, always the same."""
    master = _cached.get(settings().prefix, 0)
    if master is None:
        raise LookupError(_NAME)
    return hmac.new(master.encode(), account.encode(), sha256).digest()


def _master(_prefix: str) -> str | None:
    """The secret; two who make it at once agree on one."""
    return secrets.get(_NAME) or secrets.put_new(_NAME, random.token_hex(32))


_cached: Final[Cached[str, str]] = Cached(_master, lambda: _FOR_LONG)
