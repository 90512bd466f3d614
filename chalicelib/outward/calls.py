"""Many POSTs at once, so that none waits for another's server: bounded per server, and in time over all."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock
from typing import Final

import msgspec

from chalicelib.domain.webhook import Answer
from chalicelib.outward.post import Limits, post

MAX_AT_ONCE: Final = 32  # threads of an invocation
MAX_AT_ONE: Final = 4  # of them with one server


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One POST. Those of one `server` share its bound, and its first timeout ends them."""

    server: str
    url: str
    body: str
    headers: Mapping[str, str]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long for each, until when new ones are begun, and when all is over (seconds from the beginning)."""

    limits: Limits
    begin_seconds: float
    end_seconds: float


def make(calls: Sequence[Call], pace: Pace) -> list[Answer | None]:
    """What came of each, in order; None where it was not begun: there was no time, or its server had timed out."""
    return _Round(calls, pace).run()


class _Round:
    def __init__(self, calls: Sequence[Call], pace: Pace) -> None:
        self._calls = calls
        self._pace = pace
        self._lock = Lock()
        self._began = time.monotonic()
        self._answers: dict[int, Answer] = {}
        self._begun: set[int] = set()
        self._waiting: dict[str, deque[int]] = {}
        for number, call in enumerate(calls):
            self._waiting.setdefault(call.server, deque()).append(number)

    def run(self) -> list[Answer | None]:
        workers = [server for server, left in self._waiting.items() for _ in range(min(MAX_AT_ONE, len(left)))]
        if not workers:
            return []
        # Not as a context: that would wait for a name's look-up, which nothing can cut short.
        threads = ThreadPoolExecutor(min(MAX_AT_ONCE, len(workers)), thread_name_prefix="webhook")
        try:
            wait([threads.submit(self._work, server) for server in workers], timeout=self._pace.end_seconds)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            cut = Answer(reason="timeout", timed_out=True, milliseconds=round(self._pace.end_seconds * 1000))
            return [
                self._answers.get(number, cut if number in self._begun else None) for number in range(len(self._calls))
            ]

    def _work(self, server: str) -> None:
        """Do the server's calls one after the other, with others who do the same."""
        while (number := self._next(server)) is not None:
            call = self._calls[number]
            answer = post(call.url, call.body, call.headers, self._pace.limits)
            with self._lock:
                self._answers[number] = answer
                if answer.timed_out:
                    self._waiting[server].clear()

    def _next(self, server: str) -> int | None:
        with self._lock:
            left = self._waiting[server]
            if not left or time.monotonic() - self._began > self._pace.begin_seconds:
                return None
            number = left.popleft()
            self._begun.add(number)
            return number
