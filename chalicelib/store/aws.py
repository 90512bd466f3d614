"""The process's AWS clients: one a service, made on first use, watched by whoever asked to."""

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, Final

import boto3
from botocore.config import Config

# Short, because a Lambda's time is paid for and a queue redelivers; standard mode backs off with jitter.
# A user agent of our own: botocore would put its own together twice a call, a third of the time a call takes here.
_CONFIG: Final = Config(
    user_agent="chasqui",
    connect_timeout=3,
    read_timeout=10,
    max_pool_connections=50,
    retries={"mode": "standard", "total_max_attempts": 5},
)
# SES knows no idempotency: what was not answered in time is not asked again at once, as it may have been done.
_OWN: Final = {
    "sesv2": _CONFIG.merge(Config(read_timeout=8, retries={"mode": "standard", "total_max_attempts": 1})),
}
_lock: Final = Lock()
_watchers: list[Callable[[Any], None]] = []


def watch(watcher: Callable[[Any], None]) -> None:
    """Call `watcher(client)` for every client made from now on, so that it may register botocore hooks."""
    _watchers.append(watcher)


def client(service: str) -> Any:
    """The client of a service (thread-safe; boto3's own creation is not)."""
    with _lock:
        return _client(service)


@cache
def _client(service: str) -> Any:
    made = _session().client(service, config=_OWN.get(service, _CONFIG))  # type: ignore[call-overload]
    for watcher in _watchers:
        watcher(made)
    return made


@cache
def _session() -> boto3.session.Session:
    """One for all clients: each would read the endpoints of all of AWS anew, some 100 ms of a cold start."""
    return boto3.session.Session()


def forget_clients() -> None:
    """Drop the clients, as tests do that change the endpoint."""
    _client.cache_clear()
