"""Tokens to set a password: a user's newest one only, as its digest, and until when it works."""

import hmac

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError

from chalicelib.store import dynamo


class ResetTable(dynamo.Table):
    class Meta:
        suffix = "password_resets"

    user = UnicodeAttribute(hash_key=True)
    token_sha256 = UnicodeAttribute()
    expires_ms = NumberAttribute()
    expires = NumberAttribute()  # epoch seconds, for DynamoDB's time to live


def put(user: str, token_sha256: str, expires_ms: int) -> None:
    """Keep the digest, over the last one's: an older token works no more."""
    ResetTable(user, token_sha256=token_sha256, expires_ms=expires_ms, expires=expires_ms // 1000 + 1).save()


def is_good(user: str, token_sha256: str, now_ms: int) -> bool:
    """Whether that is the user's token, and still works."""
    try:
        held = ResetTable.get(user, consistent_read=True)
    except ResetTable.DoesNotExist:
        return False
    return hmac.compare_digest(str(held.token_sha256), token_sha256) and now_ms < int(held.expires_ms)


def use(user: str, token_sha256: str) -> bool:
    """Use the token up. False where somebody has, or there is a newer one."""
    try:
        ResetTable(user).delete(condition=ResetTable.token_sha256 == token_sha256)
    except DeleteError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def forget(user: str) -> None:
    """Whatever token the user has works no more."""
    ResetTable(user).delete()
