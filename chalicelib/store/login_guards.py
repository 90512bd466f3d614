"""Guards of the login: failures (and mails asked for) by name, and places that somebody has logged in from."""

from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib.domain.lockout import FORGOTTEN_MS, Failures
from chalicelib.store import dynamo

KNOWN_MS: Final = 30 * 86_400_000  # so long a place is known after its last login


class GuardTable(dynamo.Table):
    class Meta:
        suffix = "login_guards"

    id = UnicodeAttribute(hash_key=True)
    failures = NumberAttribute(default=0)
    last_ms = NumberAttribute(default=0)
    expires = NumberAttribute()  # epoch seconds, for DynamoDB's time to live


def failures(name: str) -> Failures:
    """What is counted under the name as of this moment."""
    item = _get(name)
    return Failures(int(item.failures), int(item.last_ms)) if item else Failures()


def count(name: str, seen: Failures, counted: Failures) -> bool:
    """Write `counted` over what was seen there. False where somebody else has counted since."""
    item = _item(name, counted)
    condition = GuardTable.id.does_not_exist() if seen == Failures() else GuardTable.last_ms == seen.last_ms
    if seen != Failures():
        condition = condition & (GuardTable.failures == seen.count)
    try:
        item.save(condition=condition)
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def add_failure(name: str, now_ms: int) -> None:
    """Count one more, beside whoever else counts."""
    GuardTable(name).update(
        [
            GuardTable.failures.add(1),
            GuardTable.last_ms.set(now_ms),
            GuardTable.expires.set((now_ms + FORGOTTEN_MS) // 1000),
        ]
    )


def clear(name: str) -> None:
    """Forget what is counted there."""
    GuardTable(name).delete()


def know(name: str, now_ms: int) -> None:
    """Remember the place."""
    GuardTable(name, last_ms=now_ms, expires=(now_ms + KNOWN_MS) // 1000).save()


def is_known(name: str, now_ms: int) -> bool:
    """Whether somebody has logged in from there lately."""
    item = _get(name)
    return item is not None and now_ms - int(item.last_ms) < KNOWN_MS


def _item(name: str, counted: Failures) -> GuardTable:
    return GuardTable(
        name, failures=counted.count, last_ms=counted.last_ms, expires=(counted.last_ms + FORGOTTEN_MS) // 1000
    )


def _get(name: str) -> GuardTable | None:
    try:
        return GuardTable.get(name, consistent_read=True)
    except GuardTable.DoesNotExist:
        return None
