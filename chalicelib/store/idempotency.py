"""What was answered to an Idempotency-Key: kept for a day, with what it takes to do the sending again."""

from typing import Final

import msgspec
from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib.store import dynamo

KEPT_SECONDS: Final = 86_400


class IdempotencyTable(dynamo.Table):
    class Meta:
        suffix = "idempotency"

    key = UnicodeAttribute(hash_key=True)
    body_sha256 = UnicodeAttribute()
    answer = BinaryAttribute(legacy_encoding=False)
    bundle = UnicodeAttribute(null=True)
    expires = NumberAttribute()


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A request's hash, the answer it got (bytes, as they went out), and the bundle it made (wire.encode)."""

    body_sha256: str
    answer: bytes
    bundle: str | None


def remember(account: str, key: str, what: Remembered, now_ms: int) -> Remembered | None:
    """Keep the answer under the account's key, unless one is kept already: that one. None: this one is kept now."""
    item = IdempotencyTable(
        _name(account, key),
        body_sha256=what.body_sha256,
        answer=what.answer,
        bundle=what.bundle,
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
    return Remembered(body_sha256=item.body_sha256, answer=item.answer, bundle=item.bundle)


def _name(account: str, key: str) -> str:
    return f"{account}#{key}"
