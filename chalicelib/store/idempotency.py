"""What was answered to an Idempotency-Key: kept for a day, so that asking again does nothing twice."""

from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib.store import dynamo

KEPT_SECONDS: Final = 86_400


class IdempotencyTable(dynamo.Table):
    class Meta:
        suffix = "idempotency"

    key = UnicodeAttribute(hash_key=True)
    body_sha256 = UnicodeAttribute()
    answer = UnicodeAttribute()
    expires = NumberAttribute()


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A request's hash, and the answer it got (JSON, with what it takes to send the message once more)."""

    body_sha256: str
    answer: str


def remember(account: str, key: str, body_sha256: str, answer: str, now_ms: int) -> Remembered | None:
    """Keep the answer under the account's key, unless one is kept already: that one. None: this one is kept now."""
    item = IdempotencyTable(
        _name(account, key),
        body_sha256=body_sha256,
        answer=answer,
        expires=now_ms // 1000 + KEPT_SECONDS,
    )
    # TTL deletes hours late: what has expired counts as gone.
    free = IdempotencyTable.key.does_not_exist() | (IdempotencyTable.expires <= now_ms // 1000)
    try:
        item.save(condition=free)
    except PutError as error:
        if not dynamo.condition_failed(error):
            raise
        return find(account, key, now_ms)
    return None


def find(account: str, key: str, now_ms: int) -> Remembered | None:
    """What is kept under the account's key this moment, or None."""
    try:
        item = IdempotencyTable.get(_name(account, key), consistent_read=True)
    except IdempotencyTable.DoesNotExist:
        return None
    if int(item.expires) <= now_ms // 1000:
        return None
    return Remembered(body_sha256=str(item.body_sha256), answer=str(item.answer))


def _name(account: str, key: str) -> str:
    return f"{account}#{key}"
