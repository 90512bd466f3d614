"""The platform on AWS: the store's blocking calls in small thread pools, so that no session ever waits for one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeVar

from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.gateway_beat import GatewayBeat
from chalicelib.domain.ids import new_ulid
from chalicelib.domain.rules import Rules
from chalicelib.domain.waiting_order import Fate, WaitingOrder, fate_in
from chalicelib.store import (
    binds,
    dispatches,
    gateway_beats,
    job_controls,
    leases,
    messages,
    queues,
    rules,
    secrets,
    waiting_orders,
)
from chalicelib.store.job_controls import Control
from chalicelib.wire import MAX_BUNDLE_MESSAGES, DispatchBundle, Outcome, OutcomeBundle
from smpp_bridge.gateways.aws_leases import AwsLeases
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.platform import Holder

CALL_THREADS: Final = 16  # boto3 does hardly more with more of them: it is bound by the interpreter
RECEIVE_THREADS: Final = 256  # each waits on a queue; two a gateway, made as they are needed
# With more records than this on ⟨outcomes⟩ in nobody's hands settle is behind: the log does not know what was told. No
# claim is left alone for that for longer than the minutes below: what does not get better must not hold all up.
BEHIND: Final = 50
_LATEST_MS: Final = 30 * 60_000
_LOOK_SECONDS: Final = 5.0  # how often it is looked how settle fares

T = TypeVar("T")


class AwsPlatform:
    """`receive_seconds` is how long a receive waits (whole seconds, 0 to 8).

    `settled_seconds`: what came of a claim younger than this, the log may not know yet.
    """

    def __init__(self, clock: Clock, *, receive_seconds: int, settled_seconds: float) -> None:
        self.leases = AwsLeases()
        self._settled_ms = settled_seconds * 1000
        self._clock = clock
        self._receive_seconds = receive_seconds
        self._behind = (-_LOOK_SECONDS, False)  # when it was looked, of the monotonic clock, and whether settle was
        self._calls = ThreadPoolExecutor(CALL_THREADS, thread_name_prefix="aws")
        self._receives = ThreadPoolExecutor(RECEIVE_THREADS, thread_name_prefix="receive")

    def close(self) -> None:
        """No more calls; those under way end by themselves."""
        self.leases.close()
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._receives.shutdown(wait=False, cancel_futures=True)

    async def rules(self) -> Rules:
        """The snapshot in force."""
        return await self._call(lambda: rules.current(self._clock.epoch_ms()))

    async def password_of(self, gateway: str) -> str:
        """The gateway's bind password; empty where none has been set."""
        return await self._call(lambda: secrets.get(secrets.gateway_password(gateway))) or ""

    async def receive(self, queue: str, most: int) -> list[queues.Record]:
        """See Platform."""
        return await asyncio.get_running_loop().run_in_executor(
            self._receives, lambda: queues.receive(queue, most, self._receive_seconds)
        )

    async def hide(self, queue: str, handles: Sequence[str], seconds: int) -> None:
        """See Platform."""
        await self._call(lambda: queues.hide(queue, handles, seconds))

    async def delete(self, handles: list[tuple[str, str]]) -> None:
        """See Platform."""
        for queue, of_queue in groupby(sorted(handles), key=itemgetter(0)):
            await self._call(partial(queues.delete_many, queue, [handle for _, handle in of_queue]))

    async def send_outcomes(self, outcomes: list[Outcome]) -> None:
        """See Platform."""
        now_ms = self._clock.epoch_ms()
        bundles = [
            OutcomeBundle(id=new_ulid(now_ms), outcomes=tuple(outcomes[at : at + MAX_BUNDLE_MESSAGES]))
            for at in range(0, len(outcomes), MAX_BUNDLE_MESSAGES)
        ]
        await self._call(lambda: queues.send_many(queues.OUTCOMES, bundles))

    async def send_dispatches(self, dispatches: list[tuple[str, DispatchBundle]]) -> None:
        """See Platform."""
        for queue, of_queue in groupby(sorted(dispatches, key=itemgetter(0)), key=itemgetter(0)):
            await self._call(partial(queues.send_many, queue, [bundle for _, bundle in of_queue]))

    async def send_later(self, dispatches: list[tuple[str, DispatchBundle]], seconds: int) -> None:
        """See Platform."""
        for queue, of_queue in groupby(sorted(dispatches, key=itemgetter(0)), key=itemgetter(0)):
            bundles = [bundle for _, bundle in of_queue]
            await self._call(partial(queues.send_many, queue, bundles, delay_seconds=seconds))

    async def job_controls(self, since_ms: int) -> list[Control]:
        """See Platform."""
        return await self._call(lambda: job_controls.since(since_ms))

    async def waiting_orders(self) -> list[WaitingOrder]:
        """See Platform."""
        return await self._call(waiting_orders.all_open)

    async def count_ordered(self, order: str, messages: int, at_ms: int) -> None:
        """See Platform."""
        await self._call(lambda: waiting_orders.count(order, messages, at_ms))

    async def tell_beats(self, beats: Sequence[GatewayBeat]) -> None:
        """See Platform."""
        await self._call(lambda: gateway_beats.put(beats))

    async def tell_binds(self, events: Sequence[BindEvent]) -> None:
        """See Platform."""
        await self._call(lambda: binds.put(events))

    async def claim(self, dispatch_id: str, by: str, at_ms: int) -> Holder | Fate:
        """See Platform."""
        claim = await self._call(lambda: dispatches.claim(dispatch_id, by, at_ms))
        if claim.fresh or (claim.by == by and claim.at_ms == at_ms):
            return Holder.NOW_OURS
        if claim.by == dispatches.CANCEL:
            return Holder.CANCELED
        fate = fate_in(claim.by)
        if fate is not None:
            return fate
        age_ms = self._clock.epoch_ms() - claim.at_ms
        if age_ms < self._settled_ms or (age_ms < _LATEST_MS and await self._settle_is_behind()):
            return Holder.AT_WORK
        there = claim.by != by and await self._call(lambda: leases.alive(claim.by))
        return Holder.AT_WORK if there else Holder.EARLIER

    async def _settle_is_behind(self) -> bool:
        at, behind = self._behind
        if self._clock.monotonic() - at >= _LOOK_SECONDS:
            behind = await self._call(lambda: queues.waiting(queues.OUTCOMES)) > BEHIND
            self._behind = self._clock.monotonic(), behind
        return behind

    async def canceled(self, account: str, message_ids: Sequence[str]) -> set[str]:
        """See Platform."""
        return await self._call(lambda: dispatches.marked(account, message_ids))

    async def facts_of(self, account: str, message_id: str) -> list[AnyFact]:
        """See Platform."""
        return await self._call(lambda: messages.facts_of(account, message_id))

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._calls, call)
