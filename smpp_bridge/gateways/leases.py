"""Keeps this bridge's place among others: renews its lease, takes and sheds slots, knows when it must not submit."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol

import msgspec

from chalicelib.domain.ids import new_id
from chalicelib.store.leases import Bridge, Leases, Slot
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.sharing import Watch, plan

_log: Final = logging.getLogger(__name__)


class Terms(msgspec.Struct, frozen=True):
    """Of a lease of 8 s: renewed every 2 s, so that three renewals may fail; not relied on by its holder after 6 s, so
    that clocks which run a little differently and calls under way do no harm. Others take over within 12 s.
    """

    lease_seconds: float = 8.0
    away_seconds: float = 30.0  # without a lease, after which sessions are closed, too: receipts could not be kept

    @property
    def beat_seconds(self) -> float:
        return self.lease_seconds / 4

    @property
    def sure_seconds(self) -> float:
        return self.lease_seconds * 3 / 4


class LeaseStore(Protocol):
    """chalicelib.store.leases, or memory in tests. Every call may raise when the other side is not well."""

    async def join(self, bridge: Bridge) -> bool: ...
    async def renew(self, bridge: Bridge) -> bool: ...
    async def leave(self, bridge: str) -> None: ...
    async def fence(self, bridge: Bridge) -> bool: ...
    async def take(self, slot: Slot, by: str, instead_of: str | None) -> bool: ...
    async def release(self, slot: Slot, by: str) -> None: ...
    async def look(self) -> Leases: ...


class SessionHolder(Protocol):
    """Who runs the sessions."""

    def bound(self) -> frozenset[str]:
        """Gateways of which a session is bound here."""
        ...

    async def hold(self, gateway: str) -> None:
        """Run the slots of the gateway that are `held` and no others; returns when the others' sessions are closed."""
        ...


class LeaseKeeper:
    """`run` until the bridge has drained, then `leave`. Whatever holds here holds under `name` only."""

    def __init__(self, store: LeaseStore, holder: SessionHolder, *, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._holder = holder
        self._clock = clock
        self._terms = terms
        self._watch = Watch(terms.lease_seconds)
        self._wanted: Mapping[str, int] = {}
        self._held: dict[str, frozenset[int]] = {}
        self._shedding: set[Slot] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._joined = False
        self._beat = 0
        self._sure_until = clock.monotonic()
        self._bound_elsewhere: frozenset[str] = frozenset()
        self.name = new_id("bridge", clock.epoch_ms())
        self.bridges = 0  # that are there, this one included
        self.failed_renewals = 0
        self.times_lost = 0
        self.leaving = False

    # --- for those who submit

    @property
    def sure(self) -> bool:
        """Whether what this bridge holds is certainly its own, by its own clock."""
        return self._clock.monotonic() < self._sure_until

    def held(self, gateway: str) -> frozenset[int]:
        """The numbers of the slots to run."""
        return self._held.get(gateway, frozenset())

    def bound_elsewhere(self, gateway: str) -> bool:
        """Whether another bridge said, a moment ago, that it has a session of the gateway."""
        return gateway in self._bound_elsewhere

    # --- for the supervisor

    def want(self, gateways: Mapping[str, int]) -> None:
        """These are the gateways in force, with their numbers of slots."""
        if gateways != self._wanted:
            self._wanted = dict(gateways)
            self._wake.set()

    async def run(self) -> None:
        """Renew, look, take and shed, for ever."""
        while True:
            self._wake.clear()
            try:
                async with asyncio.timeout(self._terms.sure_seconds):  # wait_for of 3.11 may lose a cancellation
                    await self._round()
            except Exception as error:  # AWS's or the network's; the lease runs on, and out
                self.failed_renewals += 1
                _log.error("cannot renew the lease", extra={"bridge": self.name, "error": repr(error)})
                if self._clock.monotonic() > self._sure_until + self._terms.away_seconds:
                    self._lose("no lease for long")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._terms.beat_seconds):
                    await self._wake.wait()

    async def leave(self) -> None:
        """All sessions are closed: go, which frees the slots for others at once."""
        if self._joined:
            await self._store.leave(self.name)
            self._joined = False

    # --- a round

    async def _round(self) -> None:
        begun = self._clock.monotonic()
        if not await self._renewed():
            return
        leases = await self._store.look()
        if self.name not in leases.bridges:
            return  # fenced this very moment: the next renewal will say so
        await self._fence(leases)
        todo = plan(leases, self.name, self._wanted)
        for slot, instead_of in () if self.leaving else todo.take:
            if await self._store.take(slot, self.name, instead_of):
                leases.slots[slot] = self.name
        self._sure_until = begun + self._terms.sure_seconds
        others = (one.bound for id_, one in leases.bridges.items() if id_ != self.name)
        self._bound_elsewhere = frozenset().union(*others)
        self.bridges = len(leases.bridges)
        self._adopt(leases)
        for slot in todo.shed:
            self._start(self._shed(slot))

    async def _renewed(self) -> bool:
        self._beat += 1
        row = Bridge(
            id=self.name,
            beat=self._beat,
            at_ms=self._clock.epoch_ms(),
            stays=not self.leaving,
            bound=self._holder.bound(),
        )
        if self._joined:
            if await self._store.renew(row):
                return True
            self._joined = False
            self._lose("others have found it gone")
        # Under a new name each time: a join whose answer was lost must not be taken for another's.
        self.name = new_id("bridge", self._clock.epoch_ms())
        self._joined = await self._store.join(msgspec.structs.replace(row, id=self.name))
        return self._joined

    async def _fence(self, leases: Leases) -> None:
        for one in self._watch.gone(leases, self._clock.monotonic()):
            if one.id != self.name and await self._store.fence(one):
                _log.warning("a bridge is gone", extra={"bridge": self.name, "gone": one.id})
                del leases.bridges[one.id]

    def _adopt(self, leases: Leases) -> None:
        """What is held is what the rows say, whatever was asked for and answered before."""
        held: dict[str, set[int]] = {gateway: set() for gateway in self._wanted}
        for (gateway, number), by in leases.slots.items():
            if by == self.name and gateway in held and (gateway, number) not in self._shedding:
                held[gateway].add(number)
        self._hold({gateway: frozenset(numbers) for gateway, numbers in held.items()})

    def _hold(self, held: dict[str, frozenset[int]]) -> None:
        before, self._held = self._held, held
        for gateway in before.keys() | held.keys():
            if before.get(gateway, frozenset()) != self.held(gateway):
                _log.info("slots held", extra={"gateway": gateway, "slots": sorted(self.held(gateway))})
                self._start(self._holder.hold(gateway))

    async def _shed(self, slot: Slot) -> None:
        """Close the session first: an SMSC counts binds."""
        if slot in self._shedding:
            return
        gateway, number = slot
        self._shedding.add(slot)
        try:
            self._held[gateway] = self.held(gateway) - {number}
            await self._holder.hold(gateway)
            await self._store.release(slot, self.name)
        finally:
            self._shedding.discard(slot)

    def _lose(self, why: str) -> None:
        if any(self._held.values()):
            self.times_lost += 1
            _log.critical("the bridge has lost its slots", extra={"bridge": self.name, "reason": why})
        self._sure_until = self._clock.monotonic()
        self._hold({})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a slot is in trouble", exc_info=task.exception())
