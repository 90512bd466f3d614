"""Accounts' webhook endpoints, a row an account; and their signing secrets, in Secrets Manager."""

from collections.abc import Callable
from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute

from chalicelib.domain.webhook import Secret, Webhooks
from chalicelib.settings import settings
from chalicelib.store import dynamo, secrets
from chalicelib.store.cached import Cached
from chalicelib.store.rows import MUST_BE_NEW, Rows, RowTable

SECRETS_SECONDS: Final = 60.0  # how long a process remembers them: a rotated one is valid for a day
_ATTEMPTS: Final = 8
_secrets_decoder: Final = msgspec.json.Decoder(tuple[Secret, ...])


class WebhookTable(RowTable):
    class Meta:
        suffix = "webhooks"

    id = UnicodeAttribute(hash_key=True, attr_name="account")


_rows: Final = Rows(WebhookTable, Webhooks, lambda webhooks: webhooks.account)


def get(account: str) -> Webhooks:
    """The account's endpoints as they are this moment."""
    row = _rows.get(account, consistent=True)
    return row.value if row else Webhooks(account=account)


_cached: Final[Cached[str, Webhooks]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(account: str, now_ms: int) -> Webhooks:
    """The account's endpoints, at most `account_cache_seconds` old."""
    return _cached.get(account, now_ms) or Webhooks(account=account)


def change(account: str, changed: Callable[[Webhooks], Webhooks]) -> Webhooks:
    """Write what `changed` makes of the account's endpoints; it may be called again where others write too.

    What it raises is passed on, and nothing is written. Raises dynamo.Overloaded.
    """
    for _ in range(_ATTEMPTS):
        row = _rows.get(account, consistent=True)
        held = row.value if row else Webhooks(account=account)
        made = changed(held)
        if made == held or _rows.put(made, expected=row.version if row else MUST_BE_NEW):
            _cached.forget(account)
            return made
    raise dynamo.Overloaded(f"the webhooks of {account} kept changing")


def put_secrets(endpoint: str, held: tuple[Secret, ...]) -> None:
    """Keep the endpoint's secrets, newest first."""
    secrets.put(_name(endpoint), msgspec.json.encode(held).decode())
    _cached_secrets.forget(endpoint)


def forget_secrets(endpoint: str) -> None:
    """The endpoint is no more."""
    secrets.delete(_name(endpoint))
    _cached_secrets.forget(endpoint)


def secrets_of(endpoint: str) -> tuple[Secret, ...] | None:
    """The endpoint's secrets as they are kept, newest first; None where there are none."""
    held = secrets.get(_name(endpoint))
    return None if held is None else _secrets_decoder.decode(held)


_cached_secrets: Final[Cached[str, tuple[Secret, ...]]] = Cached(secrets_of, lambda: SECRETS_SECONDS)


def secrets_in_force(endpoint: str, now_ms: int) -> tuple[str, ...]:
    """What signs for the endpoint now, newest first; empty where nothing does."""
    held = _cached_secrets.get(endpoint, now_ms) or ()
    return tuple(secret.value for secret in held if secret.until_ms is None or secret.until_ms > now_ms)


def _name(endpoint: str) -> str:
    return f"webhooks/{endpoint}"
