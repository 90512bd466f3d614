"""Claims a gateway's records when their turn is near: a claimed message can be canceled no more."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from chalicelib.domain.rules import Gateway
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.platform import Holder, Platform
from smpp_bridge.gateways.recovery import traces
from smpp_bridge.gateways.submitter import Submitter

_MAX_CLAIMS: Final = 8  # at a time; each is one request to DynamoDB
_MAX_BULK_CLAIMS: Final = 6  # of these, so that nothing urgent waits for one to end
_MAX_READY: Final = 2_000  # messages claimed and not yet submitted: more would only be lost to cancellation
_READY_SECONDS: Final = 0.5  # of the gateway's rate
_AGAIN_SECONDS: Final = 1.0  # after a claim that went wrong
_TOO_FRESH_SECONDS: Final = 30  # until a record whose claim another bridge has is looked at again

_log: Final = logging.getLogger(__name__)


class Claims:
    """Records wait here unclaimed; their messages go on to `submitter`. `put_back` returns a record in some seconds."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        platform: Platform,
        submitter: Submitter,
        judge: Judge,
        put_back: Callable[[Held, int], Awaitable[None]],
    ) -> None:
        self._platform = platform
        self._submitter = submitter
        self._judge = judge
        self._put_back = put_back
        self._waiting: dict[bool, deque[Held]] = {False: deque(), True: deque()}  # by bulk
        self._tasks: set[asyncio.Task[None]] = set()
        self._claims = {False: 0, True: 0}  # under way, by bulk
        self._messages = {False: 0, True: 0}  # in these
        self._stopping = False
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway
        ready = max(gateway.window * gateway.sessions, int(gateway.messages_per_second * _READY_SECONDS))
        self._most_ready = min(_MAX_READY, max(1, ready))

    def add(self, held: Held) -> None:
        """Wait for its turn. Call `feed` after the last one."""
        self._waiting[held.bulk].append(held)

    async def stop(self) -> list[Held]:
        """Claim nothing more; when the claims under way are through, what has not been claimed."""
        self._stopping = True
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        self._stopping = False
        left = [*self._waiting[False], *self._waiting[True]]
        for waiting in self._waiting.values():
            waiting.clear()
        return left

    def feed(self) -> None:
        """Claim what has its turn soon; what is not bulk first, however long the bulk has waited."""
        while not self._stopping and len(self._tasks) < _MAX_CLAIMS:
            held = self._next()
            if held is None:
                return
            self._claims[held.bulk] += 1
            self._messages[held.bulk] += len(held.bundle.messages)
            task = asyncio.get_running_loop().create_task(self._claim(held))
            self._tasks.add(task)
            task.add_done_callback(self._claimed)

    def _next(self) -> Held | None:
        if self._waiting[False] and self._ready(bulk=False) < self._most_ready:
            return self._waiting[False].popleft()
        if self._waiting[True] and self._claims[True] < _MAX_BULK_CLAIMS and self._ready(bulk=True) < self._most_ready:
            return self._waiting[True].popleft()
        return None

    def _ready(self, *, bulk: bool) -> int:
        """Messages that are, or soon will be, before one that would be claimed now."""
        being_claimed = sum(self._messages.values()) if bulk else self._messages[False]
        return self._submitter.backlog.ready(bulk=bulk) + being_claimed

    def _claimed(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.critical("a claim failed", exc_info=task.exception())
        self._submitter.pump()
        self.feed()

    async def _claim(self, held: Held) -> None:
        try:
            holder = await self._platform.claim(held.bundle.id, held.taken_ms)
            if holder is Holder.EARLIER:
                await self._resume(held)
        except Exception as error:  # AWS's or the network's: the record waits here, still unclaimed as far as we know
            _log.error("cannot claim", extra={"dispatch": held.bundle.id, "error": repr(error)})
            await asyncio.sleep(_AGAIN_SECONDS)
            self._waiting[held.bulk].appendleft(held)
            return
        finally:
            self._claims[held.bulk] -= 1
            self._messages[held.bulk] -= len(held.bundle.messages)
        match holder:
            case Holder.NOW_OURS:
                for dispatch in held.bundle.messages:
                    self._submitter.take(held, dispatch, dispatch.done)
            case Holder.CANCELED:
                for dispatch in held.bundle.messages:
                    self._judge.canceled(held, dispatch)
            case Holder.TOO_FRESH:
                await self._put_back(held, _TOO_FRESH_SECONDS)

    async def _resume(self, held: Held) -> None:
        """A bridge has had it: what the log tells is done; of the rest nobody knows whether it was submitted."""
        account, gateway = held.bundle.account, self._gateway.id
        known = [traces(one, await self._platform.facts_of(account, one.id), gateway) for one in held.bundle.messages]
        for dispatch, trace in zip(held.bundle.messages, known, strict=True):
            _log.warning(
                "record delivered again",
                extra={"message_id": dispatch.id, "gateway": gateway, "over": trace.over, "done": trace.done},
            )
            if trace.over:
                held.kept()
            elif self._judge.resends(dispatch):
                again = msgspec.structs.replace(dispatch, attempt=trace.attempt)
                self._submitter.take(held, again, trace.done)
            else:
                self._judge.unknown(held, dispatch)
