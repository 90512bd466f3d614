"""Guards of the login: what failed in a row by name, and at places that it has logged in from, which are known."""

from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition

from chalicelib.domain.lockout import FORGOTTEN_MS, Failures
from chalicelib.store import dynamo

ANYWHERE: Final = "*"
KNOWN_MS: Final = 30 * 86_400_000  # so long a place is known after its last login


class GuardTable(dynamo.Table):
    class Meta:
        suffix = "login_guards"

    name = UnicodeAttribute(hash_key=True)
    place = UnicodeAttribute(range_key=True)
    failures = NumberAttribute(default=0)
    last_ms = NumberAttribute(default=0)
    known_ms = NumberAttribute(default=0)
    expires = NumberAttribute()  # epoch seconds, for DynamoDB's time to live


def failures(name: str) -> Failures:
    """What is counted under the name, wherever it failed, as of this moment."""
    item = _get(name, ANYWHERE)
    return Failures(int(item.failures), int(item.last_ms)) if item else Failures()


def failures_at(name: str, place: str, now_ms: int) -> Failures | None:
    """What is counted under the name at a place that it has logged in from lately; None: the place is not known."""
    item = _get(name, place)
    if item is None or now_ms - int(item.known_ms) >= KNOWN_MS:
        return None
    return Failures(int(item.failures), int(item.last_ms))


def count(name: str, seen: Failures, counted: Failures, place: str = ANYWHERE) -> bool:
    """Write `counted` over what was seen there. False where somebody else has counted since."""
    table = GuardTable
    stands: Condition = (table.failures == seen.count) & (table.last_ms == seen.last_ms)
    kept_ms = FORGOTTEN_MS if place == ANYWHERE else KNOWN_MS
    try:
        table(name, place).update(
            [
                table.failures.set(counted.count),
                table.last_ms.set(counted.last_ms),
                table.expires.set((counted.last_ms + kept_ms) // 1000),
            ],
            condition=stands if seen != Failures() else table.failures.does_not_exist() | stands,
        )
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def add_failure(name: str, now_ms: int) -> None:
    """Count one more, beside whoever else counts."""
    GuardTable(name, ANYWHERE).update(
        [
            GuardTable.failures.add(1),
            GuardTable.last_ms.set(now_ms),
            GuardTable.expires.set((now_ms + FORGOTTEN_MS) // 1000),
        ]
    )


def clear(name: str) -> None:
    """Forget what is counted there, but at known places."""
    GuardTable(name, ANYWHERE).delete()


def know(name: str, place: str, now_ms: int) -> None:
    """Somebody has logged in from there: the place is known, and nothing is counted at it."""
    GuardTable(name, place, known_ms=now_ms, expires=(now_ms + KNOWN_MS) // 1000).save()


def forgive(name: str) -> None:
    """Forget what is counted under the name, at known places too, which stay known."""
    for item in GuardTable.query(name, consistent_read=True):
        if item.place == ANYWHERE:
            item.delete()
        else:
            item.update([GuardTable.failures.set(0), GuardTable.last_ms.set(0)])


def _get(name: str, place: str) -> GuardTable | None:
    try:
        return GuardTable.get(name, place, consistent_read=True)
    except GuardTable.DoesNotExist:
        return None
