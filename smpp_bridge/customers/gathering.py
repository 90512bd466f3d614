"""Customers' messages, gathered for a few milliseconds into bundles; each is answered once its bundle is durable."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.wire import MAX_BUNDLE_MESSAGES
from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.statuses import status_of
from smpp_bridge.protocol.status import Status

LINGER_SECONDS: Final = 0.003
MAX_WAITING: Final = 20_000  # messages in memory, some 40 MB; beyond them customers are told that the queue is full
AT_ONCE: Final = 8  # bundles on their way to SQS; each is one request

_log: Final = logging.getLogger(__name__)
_FULL: Final = Answer(Status.QUEUE_FULL)
_TROUBLE: Final = Answer(Status.SYSTEM_ERROR)  # ours, and passing


Waiting = tuple[Submission, "asyncio.Future[Answer]"]
# Makes an account's submissions durable: an id or a fault each, in their order.
Accept = Callable[[str, Sequence[Submission]], Awaitable[Sequence[str | Fault]]]


class SubmitGatherer:
    """Accounts take turns, a bundle each, so that one with much does not hold up the others."""

    def __init__(self, accept: Accept, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self._accept = accept
        self._linger_seconds = linger_seconds
        self._waiting: dict[str, list[Waiting]] = {}  # in the order of their turns
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self.pending = 0  # not answered yet
        self.failed_sends = 0

    def add(self, account: str, submission: Submission) -> "asyncio.Future[Answer]":
        """The answer to come."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        if self.pending >= MAX_WAITING:
            answer.set_result(_FULL)
            return answer
        self.pending += 1
        waiting = self._waiting.setdefault(account, [])
        waiting.append((submission, answer))
        if len(waiting) == MAX_BUNDLE_MESSAGES:
            self._flush(full_only=True)
        if self._timer is None and self._waiting:
            self._timer = loop.call_later(self._linger_seconds, self._lingered)
        return answer

    async def drained(self) -> None:
        """Returns when all that was added is answered."""
        while self._waiting or self._sending:
            self._flush()
            await asyncio.wait(set(self._sending), return_when=asyncio.FIRST_COMPLETED)

    def _lingered(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self, *, full_only: bool = False) -> None:
        for account in list(self._waiting):
            if len(self._sending) >= AT_ONCE:
                return  # who ends calls again
            waiting = self._waiting[account]
            if full_only and len(waiting) < MAX_BUNDLE_MESSAGES:
                continue
            bundle, rest = waiting[:MAX_BUNDLE_MESSAGES], waiting[MAX_BUNDLE_MESSAGES:]
            del self._waiting[account]
            if rest:
                self._waiting[account] = rest  # behind the others
            task = asyncio.get_running_loop().create_task(self._send(account, bundle))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.critical("a bundle of submits failed", exc_info=task.exception())
        if self._waiting and self._timer is None:
            self._flush()

    async def _send(self, account: str, bundle: list[Waiting]) -> None:
        made: Sequence[str | Fault] | None = None
        try:
            made = await self._accept(account, [submission for submission, _ in bundle])
        except Exception as error:  # AWS's or the network's: the customers send again
            self.failed_sends += 1
            _log.error("submits not accepted", extra={"account": account, "submits": len(bundle), "error": repr(error)})
        finally:
            self.pending -= len(bundle)
            for place, (_, answer) in enumerate(bundle):
                if not answer.done():  # its session may be gone
                    answer.set_result(_TROUBLE if made is None else answer_of(made[place]))


def answer_of(made: str | Fault) -> Answer:
    """To a submit that became a message of that id, or did not."""
    if isinstance(made, str):
        return Answer(Status.OK, {"message_id": made})
    return Answer(status_of(made))
