"""Limit rates: what an account sends and a key asks a second, over all processes, with few calls.

A process takes a block of what is allowed out of the shared bucket (store.rates) and hands it out by itself. A block is
one at first and doubles while it is used up quickly, to a quarter of a second's worth; what is not used within a second
is lost. So together the processes never give more than the rate and its burst, and a call is made at most for each
request, and under load about four times a second and process. A refusal is remembered until it is over: asking again
costs nothing (docs/decisions/0012).
"""

import math
from threading import Lock
from typing import Final, NamedTuple

from chalicelib.domain.account import Account, ApiKey
from chalicelib.services.faults import Fault
from chalicelib.store import rates

BLOCK_MS: Final = 250  # a block should last so long
KEPT_MS: Final = 1_000  # and is lost after so long
MAX_BUCKETS: Final = 10_000  # that a process remembers; then it begins anew


class _Block:
    """What this process has of one bucket."""

    __slots__ = ("left", "refused_until_ms", "size", "taken_ms")

    def __init__(self) -> None:
        self.left = 0
        self.size = 0
        self.taken_ms = 0
        self.refused_until_ms = 0


_blocks: Final[dict[str, _Block]] = {}
_lock: Final = Lock()


def messages(account: Account, count: int, now_ms: int) -> None:
    """Count messages against the account's rate. Raises Fault `rate_limited`."""
    if account.messages_per_second is not None:
        rate = _rate(f"account/{account.id}", account.messages_per_second, account.messages_burst)
        _take(rate, count, now_ms)


def request(key: ApiKey, now_ms: int) -> None:
    """Count a request against its key's rate. Raises Fault `rate_limited`."""
    if key.requests_per_second is not None:
        _take(_rate(f"key/{key.id}", key.requests_per_second, key.requests_burst), 1, now_ms)


def forget_all() -> None:
    """Forget what this process has, as tests do between worlds."""
    _blocks.clear()


class _Rate(NamedTuple):
    """A bucket, and what it gains and holds."""

    bucket: str
    per_second: float
    burst: int


def _rate(bucket: str, per_second: float, burst: int | None) -> _Rate:
    return _Rate(bucket, per_second, burst or max(1, math.ceil(per_second)))


def _take(rate: _Rate, count: int, now_ms: int) -> None:
    with _lock:
        if len(_blocks) >= MAX_BUCKETS:
            _blocks.clear()
        block = _blocks.setdefault(rate.bucket, _Block())
        if now_ms < block.refused_until_ms <= now_ms + 60_000 and not block.left:
            raise _limited(block.refused_until_ms - now_ms)
        if not 0 <= now_ms - block.taken_ms <= KEPT_MS:
            block.left = 0
        if block.left < count:
            _refill(block, rate, count, now_ms)
        block.left -= count


def _refill(block: _Block, rate: _Rate, count: int, now_ms: int) -> None:
    quickly = now_ms - block.taken_ms <= BLOCK_MS
    most = max(1, int(rate.per_second * BLOCK_MS / 1_000))
    size = min(block.size * 2, most) if quickly and block.size else 1
    needed = count - block.left
    taken = rates.take(rate.bucket, rate.per_second, rate.burst, max(size, needed), now_ms)
    block.size, block.taken_ms = max(size, 1), now_ms
    block.left += taken.count
    if block.left < count:
        short_ms = round((count - block.left) * 1_000 / rate.per_second)
        wait_ms = max(taken.wait_ms, min(short_ms, 60_000))
        block.refused_until_ms = now_ms + wait_ms if not block.left else 0
        raise _limited(wait_ms)


def _limited(wait_ms: int) -> Fault:
    seconds = max(1, math.ceil(wait_ms / 1_000))
    return Fault("rate_limited", f"too many at once: come again in {seconds} s", retry_after_seconds=seconds)
