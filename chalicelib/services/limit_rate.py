"""Limit rates: what an account sends and a key asks a second, over all processes, with few calls.

A process takes a block of what is allowed out of the shared bucket (store.rates) and hands it out by itself. A block is
one at first and doubles while it is used up quickly, to a quarter of a second's worth; what is not used within a second
is lost. So together the processes never give more than the rate and its burst, and under load each makes some four to
eight calls a second. A refusal is remembered: asking again costs nothing until it is over. The record of it all is
docs/decisions/0014.
"""

import math
from threading import Lock
from typing import Final

from chalicelib.domain.account import Account, ApiKey
from chalicelib.services.faults import Fault
from chalicelib.store import rates
from chalicelib.store.rates import Rate

BLOCK_MS: Final = 250  # a block should last so long
MAX_WAIT_MS: Final = 60_000
KEPT_MS: Final = 1_000  # and is lost after so long
MAX_BUCKETS: Final = 10_000  # that a process remembers; then it begins anew


class _Block:
    """What this process has of one bucket."""

    __slots__ = ("left", "not_before_ms", "size", "taken_ms", "until_us")

    def __init__(self) -> None:
        self.left = 0
        self.size = 0
        self.taken_ms = 0
        self.not_before_ms = 0  # so long the bucket is not asked
        self.until_us: int | None = None


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


def _rate(bucket: str, per_second: float, burst: int | None) -> Rate:
    return Rate(bucket, per_second, burst or max(1, math.ceil(per_second)))


def _take(rate: Rate, count: int, now_ms: int) -> None:
    with _lock:
        if len(_blocks) >= MAX_BUCKETS:
            _blocks.clear()
        block = _blocks.setdefault(rate.bucket, _Block())
        if not 0 <= now_ms - block.taken_ms <= KEPT_MS:
            block.left = 0
        if block.left < count:
            if 0 < block.not_before_ms - now_ms <= MAX_WAIT_MS:
                raise _limited(block.not_before_ms - now_ms)
            _refill(block, rate, count, now_ms)
        block.left -= count


def _refill(block: _Block, rate: Rate, count: int, now_ms: int) -> None:
    quickly = 0 <= now_ms - block.taken_ms <= 2 * BLOCK_MS
    most = max(1, int(rate.per_second * BLOCK_MS / 1_000))
    block.size = min(block.size * 2, most) if quickly and block.size else 1
    asked = max(block.size, count - block.left)
    taken = rates.take(rate, asked, now_ms, block.until_us)
    block.taken_ms, block.until_us = now_ms, taken.until_us
    block.left += taken.count
    block.not_before_ms = 0
    if taken.count < asked:  # all is taken for now: what comes in is worth a call only once there is some of it
        gathers_ms = min(BLOCK_MS, round(rate.burst * 500 / rate.per_second))
        block.not_before_ms = now_ms + max(taken.wait_ms, min(gathers_ms, MAX_WAIT_MS))
    if block.left < count:
        raise _limited(max(block.not_before_ms - now_ms, min(round(count * 1_000 / rate.per_second), MAX_WAIT_MS)))


def _limited(wait_ms: int) -> Fault:
    seconds = max(1, math.ceil(wait_ms / 1_000))
    return Fault("rate_limited", f"too many at once: come again in {seconds} s", retry_after_seconds=seconds)
