"""A bridge's surroundings in memory: the platform behind it, messages for it, and a simulator before it."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.gateway_beat import GatewayBeat
from chalicelib.domain.ids import new_message_id, new_ulid
from chalicelib.domain.rules import Gateway, Rules
from chalicelib.domain.text import encoding_of
from chalicelib.domain.waiting_order import Fate, WaitingOrder, fate_in
from chalicelib.store.job_controls import Control
from chalicelib.store.leases import Bridge, Leases, Slot
from chalicelib.store.queues import Record
from chalicelib.wire import (
    AttemptOutcome,
    Dispatch,
    DispatchBundle,
    EndOutcome,
    Outcome,
    ReceiptOutcome,
    SubmitOutcome,
    encode,
)
from infra.local.smsc import Smsc
from smpp_bridge.gateways.leases import Terms
from smpp_bridge.gateways.platform import Holder
from smpp_bridge.gateways.slot import Pace
from smpp_bridge.gateways.supervisor import Supervisor

QUICK = Pace(reconnect_first=0.05, reconnect_most=0.2, refused_first=0.1, refused_most=0.4)
DELIVERED, UNDELIVERED = "+34600001234", "+34600000001"  # by their last four digits, see the simulator's table

T = TypeVar("T")
O = TypeVar("O", SubmitOutcome, AttemptOutcome, EndOutcome, ReceiptOutcome)  # noqa: E741 -- an outcome


class Unwell(Exception):
    """What AWS is when a test says so."""


class MemoryLeases:
    """The leases in memory, shared by the bridges that are given the same ones; `unwell` makes all calls raise."""

    def __init__(self) -> None:
        self.bridges: dict[str, Bridge] = {}
        self.slots: dict[Slot, str] = {}
        self.unwell = False

    async def _check(self) -> None:
        await asyncio.sleep(0)
        if self.unwell:
            raise Unwell("leases")

    async def join(self, bridge: Bridge) -> bool:
        await self._check()
        return self.bridges.setdefault(bridge.id, bridge) is bridge

    async def renew(self, bridge: Bridge) -> bool:
        await self._check()
        if bridge.id in self.bridges:
            self.bridges[bridge.id] = bridge
        return bridge.id in self.bridges

    async def leave(self, bridge: str) -> None:
        await self._check()
        self.bridges.pop(bridge, None)

    async def fence(self, bridge: Bridge) -> bool:
        await self._check()
        return self.bridges.get(bridge.id) == bridge and bool(self.bridges.pop(bridge.id))

    async def take(self, slot: Slot, by: str, instead_of: str | None) -> bool:
        await self._check()
        if self.slots.get(slot) != instead_of:
            return False
        self.slots[slot] = by
        return True

    async def release(self, slot: Slot, by: str) -> None:
        await self._check()
        if self.slots.get(slot) == by:
            del self.slots[slot]

    async def look(self) -> Leases:
        await self._check()
        return Leases(dict(self.bridges), dict(self.slots))


class Memory:
    """The platform in memory. `unwell` names the calls that raise."""

    def __init__(self, *gateways: Gateway, number: int = 1) -> None:
        self.publish(*gateways, number=number)
        self.waiting: defaultdict[str, list[Record]] = defaultdict(list)
        self.outcomes: list[Outcome] = []
        self.dispatched: list[tuple[str, DispatchBundle]] = []
        self.deleted: list[str] = []
        self.hidden: list[tuple[str, int]] = []
        self.claims: dict[str, Holder] = {}
        self.claimed: list[str] = []
        self.canceled_ids: set[str] = set()  # though they share their claims
        self.facts: dict[str, list[AnyFact]] = {}
        self.later: list[tuple[str, DispatchBundle]] = []
        self.controls: list[Control] = []
        self.orders: list[WaitingOrder] = []
        self.ordered: Counter[str] = Counter()  # messages by order
        self.fates: dict[str, Fate] = {}  # of slices that were claimed in an order's name
        self.beats: list[GatewayBeat] = []
        self.binds: list[BindEvent] = []
        self.unwell: set[str] = set()
        self.leases = MemoryLeases()
        self._delivered = 0

    def publish(self, *gateways: Gateway, number: int) -> None:
        self._rules = Rules(number=number, published_ms=0, published_by="test", gateways=gateways)

    def put(
        self, bundle: DispatchBundle, queue: str | None = None, handle: str | None = None, received_times: int = 1
    ) -> str:
        """Put it on its gateway's queue; the handle that deletes it."""
        handle = handle or f"handle of {bundle.id}"
        body = encode(bundle)
        record = Record(id=bundle.id, handle=handle, body=body, received_times=received_times, sent_ms=now_ms())
        self.waiting[queue or f"gateway-{bundle.gateway}"].append(record)
        return handle

    def deliver_dispatches(self) -> None:
        """Put what the bridge dispatched on its queues, as SQS would have done at once; each of it once."""
        for queue, handed in self.dispatched[self._delivered :]:
            self.put(handed, queue)
        self._delivered = len(self.dispatched)

    def deliver_here(self, gateway: str) -> None:
        """The same for what is for that gateway; the rest lies where it was sent, for the test to look at."""
        for queue, handed in self.dispatched[self._delivered :]:
            if handed.gateway == gateway:
                self.put(handed, queue)
        self._delivered = len(self.dispatched)

    def of(self, kind: type[O]) -> list[O]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, kind)]

    def _check(self, call: str) -> None:
        if call in self.unwell:
            raise Unwell(call)

    async def rules(self) -> Rules:
        self._check("rules")
        return self._rules

    async def password_of(self, gateway: str) -> str:
        self._check("password_of")
        return "secret"

    async def receive(self, queue: str, most: int) -> list[Record]:
        self._check("receive")
        if not self.waiting[queue]:
            await asyncio.sleep(0.02)
        taken, self.waiting[queue] = self.waiting[queue][:most], self.waiting[queue][most:]
        return taken

    async def hide(self, queue: str, handles: Sequence[str], seconds: int) -> None:
        self._check("hide")
        self.hidden += [(handle, seconds) for handle in handles]

    async def delete(self, handles: list[tuple[str, str]]) -> None:
        self._check("delete")
        self.deleted += [handle for _, handle in handles]

    async def send_outcomes(self, outcomes: list[Outcome]) -> None:
        self._check("send_outcomes")
        self.outcomes += outcomes

    async def send_dispatches(self, dispatches: list[tuple[str, DispatchBundle]]) -> None:
        self._check("send_dispatches")
        self.dispatched += dispatches

    async def send_later(self, dispatches: list[tuple[str, DispatchBundle]], seconds: int) -> None:
        self._check("send_later")
        self.later += dispatches

    async def job_controls(self, since_ms: int) -> list[Control]:
        self._check("job_controls")
        return [control for control in self.controls if control.at_ms >= since_ms]

    async def waiting_orders(self) -> list[WaitingOrder]:
        self._check("waiting_orders")
        return list(self.orders)

    async def count_ordered(self, order: str, messages: int, at_ms: int) -> None:
        self._check("count_ordered")
        self.ordered[order] += messages

    async def tell_beats(self, beats: Sequence[GatewayBeat]) -> None:
        self._check("tell_beats")
        self.beats += beats

    async def tell_binds(self, events: Sequence[BindEvent]) -> None:
        self._check("tell_binds")
        self.binds += events

    async def claim(self, dispatch_id: str, by: str, at_ms: int) -> Holder | Fate:
        self._check("claim")
        self.claimed.append(dispatch_id)
        if dispatch_id in self.fates:
            return self.fates[dispatch_id]
        fate = None if dispatch_id in self.claims else fate_in(by)
        if fate is not None:
            self.fates[dispatch_id] = fate
        return self.claims.get(dispatch_id, Holder.NOW_OURS)

    async def canceled(self, account: str, message_ids: Sequence[str]) -> set[str]:
        self._check("canceled")
        return self.canceled_ids & set(message_ids)

    async def facts_of(self, account: str, message_id: str) -> list[AnyFact]:
        self._check("facts_of")
        return self.facts.get(message_id, [])


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def content(to: str = DELIVERED, text: str = "hola", **given: Any) -> Content:
    plain: dict[str, Any] = {
        "to": to,
        "country": "ES",
        "sender": "Chasqui",
        "encoding": encoding_of(text),
        "parts": 1,
        "valid_until_ms": now_ms() + 3_600_000,
        "text": text,
    }
    return Content(**{**plain, **given})


def dispatch(to: str = DELIVERED, text: str = "hola", *, failover: tuple[str, ...] = (), **given: Any) -> Dispatch:
    return Dispatch(id=new_message_id(now_ms()), content=content(to, text, **given), failover=failover)


def bundle(*messages: Dispatch, gateway: str = "gw") -> DispatchBundle:
    return DispatchBundle(id=new_ulid(now_ms()), account="acc_1", gateway=gateway, messages=messages)


def gateway(port: int, id: str = "gw", **given: Any) -> Gateway:
    plain: dict[str, Any] = {
        "name": id,
        "host": "127.0.0.1",
        "port": port,
        "system_id": "chasqui",
        "messages_per_second": 10_000.0,
        "response_timeout_seconds": 5.0,
    }
    return Gateway(id=id, **{**plain, **given})


@asynccontextmanager
async def bridge(platform: Memory, terms: Terms | None = None, pace: Pace = QUICK) -> AsyncIterator[Supervisor]:
    """A supervisor at work, drained at the end."""
    supervisor = Supervisor(platform, pace=pace, poll_seconds=0.05, terms=terms)
    running = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: supervisor.rules is not None)
        yield supervisor
    finally:
        running.cancel()
        await supervisor.stop()


@asynccontextmanager
async def sending(smsc: Smsc, *bundles: DispatchBundle, **given: Any) -> AsyncIterator[tuple[Memory, Supervisor]]:
    """One gateway to the simulator, with `bundles` on its queue."""
    platform = Memory(gateway(smsc.port, **given))
    for each in bundles:
        platform.put(each)
    async with bridge(platform) as supervisor:
        yield platform, supervisor


async def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    """Returns when the condition holds; fails the test where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.01)


def run(main: Coroutine[Any, Any, T]) -> T:
    """A test's own loop, with a limit."""
    return asyncio.run(asyncio.wait_for(main, 30))
