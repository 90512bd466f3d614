"""How endpoints have fared of late: written only when that changes, so that one that is well costs nothing."""

from typing import Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.domain.webhook import Health
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached


class HealthTable(dynamo.Table):
    class Meta:
        suffix = "webhook_health"

    endpoint = UnicodeAttribute(hash_key=True)
    slow_until_ms = NumberAttribute(null=True)
    rest_until_ms = NumberAttribute(null=True)
    failing_since_ms = NumberAttribute(null=True)
    told_ms = NumberAttribute(null=True)


def get(endpoint: str) -> Health:
    """The endpoint's health; well where nothing is known of it."""
    try:
        item = HealthTable.get(endpoint)
    except HealthTable.DoesNotExist:
        return Health()
    return Health(
        slow_until_ms=int(item.slow_until_ms or 0),
        rest_until_ms=int(item.rest_until_ms or 0),
        failing_since_ms=int(item.failing_since_ms or 0),
        told_ms=int(item.told_ms or 0),
    )


_cached: Final[Cached[str, Health]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(endpoint: str, now_ms: int) -> Health:
    """The same, at most `account_cache_seconds` old."""
    return _cached.get(endpoint, now_ms) or Health()


def is_slow(endpoint: str, until_ms: int) -> None:
    """It timed out."""
    _update(endpoint, HealthTable.slow_until_ms.set(until_ms))


def rests(endpoint: str, until_ms: int) -> None:
    """It asked to be left alone."""
    _update(endpoint, HealthTable.rest_until_ms.set(until_ms))


def fails(endpoint: str, now_ms: int) -> None:
    """It took nothing, since now unless it was so before."""
    _update(endpoint, HealthTable.failing_since_ms.set(HealthTable.failing_since_ms | now_ms))


def is_well(endpoint: str) -> None:
    """It took something."""
    _update(endpoint, HealthTable.failing_since_ms.remove(), HealthTable.told_ms.remove())


def tell_failing(endpoint: str, now_ms: int) -> bool:
    """Whether it is for the caller to tell that it has been failing: once, until it is well again."""
    try:
        HealthTable(endpoint).update([HealthTable.told_ms.set(now_ms)], condition=HealthTable.told_ms.does_not_exist())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    finally:
        _cached.forget(endpoint)
    return True


def forget(endpoint: str) -> None:
    """The endpoint is no more, or begins anew."""
    HealthTable(endpoint).delete()
    _cached.forget(endpoint)


def _update(endpoint: str, *actions: Action) -> None:
    HealthTable(endpoint).update(list(actions))
    _cached.forget(endpoint)
