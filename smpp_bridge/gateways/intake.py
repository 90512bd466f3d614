"""Takes a gateway's records from its two queues, and keeps them hidden from others for as long as they are here."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from typing import Final

from chalicelib.domain.rules import Gateway
from chalicelib.store.queues import RECEIVES_BEFORE_DEAD, Record, gateway_queue
from chalicelib.wire import MAX_BUNDLE_MESSAGES, BadBundle, DispatchBundle, decode
from smpp_bridge.gateways.backoff import Backoff
from smpp_bridge.gateways.claims import Claims
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gatherer import NOBODY, Gatherer
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.hiding import Hiding
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.judge import AddressedBundle, Judge
from smpp_bridge.gateways.leases import LeaseKeeper
from smpp_bridge.gateways.platform import VISIBILITY_SECONDS, Platform
from smpp_bridge.gateways.slices import HandedOn, Slice, by_record, is_whole
from smpp_bridge.gateways.standing import Standing
from smpp_bridge.gateways.submitter import Submitter

MAX_HELD_MESSAGES: Final = 5_000  # of each queue, here at one time, from receive to delete: some 10 MB
_IDLE_SECONDS: Final = 1.0  # how often it is looked whether there is something to take, or room for it
_SEND_AGAIN_AFTER: Final = RECEIVES_BEFORE_DEAD - 1  # receives: stops and pauses are no fault of a record
_TURN_SECONDS: Final = 30.0  # how often what waits is put behind the rest of a queue that is longer than fits here
# SQS hides a record for 12 hours in all: then it would come again, and after some more times be a dead letter.
_OLD_SECONDS: Final = 11 * 3600.0
_REMEMBERED: Final = 10_000  # bundles that are through: SQS may deliver a record twice

Name = tuple[str, int]  # of a record's bundle: what is handed on of one may begin where another does, and end sooner

_log: Final = logging.getLogger(__name__)


class _SentAgain:
    """A record that was put back so often that once more would make a dead letter of it lies there anew: delete it."""

    def __init__(self, intake: "Intake", held: Held) -> None:
        self._intake = intake
        self._held = held

    def kept(self) -> None:
        self._intake._let_go(self._held)
        self._intake._deletes.add((self._intake._queue(bulk=self._held.bulk), self._held.handle), NOBODY)

    def lost(self) -> None: ...


class Intake:
    """While `standing` says that none are to be taken, they stay on the queue."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        platform: Platform,
        keeper: LeaseKeeper,
        standing: Standing,
        submitter: Submitter,
        judge: Judge,
        deletes: Gatherer[tuple[str, str]],
        dispatches: Gatherer[AddressedBundle],
        counts: Counts,
        clock: Clock,
        jobs: JobControls | None = None,
        orders: HeardOrders | None = None,
        later: Gatherer[AddressedBundle] | None = None,
    ) -> None:
        self._orders = orders or HeardOrders()
        self._later = later or dispatches
        self._platform = platform
        self._deletes = deletes
        self._dispatches = dispatches
        self._counts = counts
        self._clock = clock
        self._standing = standing
        self._claims = Claims(
            gateway,
            platform=platform,
            keeper=keeper,
            standing=standing,
            submitter=submitter,
            judge=judge,
            clock=clock,
            jobs=jobs,
            orders=orders,
        )
        self._messages = {False: 0, True: 0}  # held, by bulk
        self._held: dict[Name, Held] = {}
        self._hiding = Hiding(platform, clock, held=self._held.values, queue_of=lambda bulk: self._queue(bulk=bulk))
        self._through: OrderedDict[Name, None] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._next_turn = 0.0
        self._stopping = True
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway
        self._claims.change(gateway)

    @property
    def oldest_ms(self) -> int | None:
        """Since when what has waited longest here has waited at the gateway; None: nothing does, or it is not known."""
        return min((held.bundle.since_ms for held in self._held.values() if held.bundle.since_ms), default=None)

    @property
    def held_messages(self) -> int:
        """Messages here, claimed or not, until their records are deleted."""
        return sum(self._messages.values())

    @property
    def held_records(self) -> int:
        """The records that these are of."""
        return len(self._held)

    def start(self) -> None:
        """Take records until `stop`."""
        if not self._stopping:
            return
        self._stopping = False
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._receive(bulk=False)),
            loop.create_task(self._receive(bulk=True)),
            loop.create_task(self._hiding.run()),
        ]

    async def stop(self) -> None:
        """Take no more; what is not claimed goes back to the queue. Waits for receives and claims under way."""
        if self._stopping:
            return
        self._stopping = True
        self._changed.set()
        *receivers, hider = self._tasks
        await asyncio.gather(*receivers, return_exceptions=True)
        await self._give_back(by_record(await self._claims.stop()))
        hider.cancel()

    def nudge(self) -> None:
        """Something has changed: there may be something to take now."""
        self._changed.set()

    def feed(self) -> None:
        """There is room for messages that can be submitted soon."""
        self._claims.feed()

    def look(self) -> None:
        """See to what waits here for its time, or blocks the way. Called every second or so."""
        self._claims.look()
        self._give_back_resting()
        now = self._clock.monotonic()
        if self._stopping or now < self._next_turn:
            return
        looked_for = self._orders.looked_for(self._gateway.id, self._clock.epoch_ms())
        for bulk in (False, True):
            crowded = MAX_HELD_MESSAGES - self._messages[bulk] < MAX_BUNDLE_MESSAGES
            in_the_way = crowded and (self._standing.why_elsewhere is not None or looked_for)
            self._turn_over(bulk=bulk, taken_until=now if in_the_way else now - _OLD_SECONDS)

    def _turn_over(self, *, bulk: bool, taken_until: float) -> None:
        """What waits for this gateway alone goes to the queue's end: behind it may be what another one would take."""
        for held, left in by_record(self._claims.give_up(bulk=bulk, taken_until=taken_until)):
            self._next_turn = self._clock.monotonic() + _TURN_SECONDS
            self._send_again(held, left)

    def _give_back_resting(self) -> None:
        """What waits of paused jobs goes to the queue again, for a while: by visibility it would come to be dead."""
        for held, left in by_record(self._claims.resting()):
            self._send_again(held, left, later=True)

    # --- from the queue

    async def _receive(self, *, bulk: bool) -> None:
        queue = self._queue(bulk=bulk)
        backoff = Backoff(0.5, 30.0, least_share=0.5)
        while not self._stopping:
            room = (MAX_HELD_MESSAGES - self._messages[bulk]) // MAX_BUNDLE_MESSAGES
            if room < 1 or not self._standing.takes:
                await self._change()
                continue
            try:
                records = await self._platform.receive(queue, min(10, room))
                backoff.reset()
            except Exception as error:  # AWS's or the network's: the queue will be there again
                _log.error("cannot receive", extra={"queue": queue, "error": repr(error)})
                await asyncio.sleep(backoff.next())
                continue
            self._counts.queue_age_seconds[queue] = (
                max((self._clock.epoch_ms() - record.sent_ms) / 1000 for record in records) if records else 0.0
            )
            for record in records:
                self._take(record, queue, bulk=bulk)
            self._give_back_resting()
            self.feed()

    async def _change(self) -> None:
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_SECONDS):
                await self._changed.wait()

    def _take(self, record: Record, queue: str, *, bulk: bool) -> None:
        bundle = _bundle_in(record, self._gateway.id)
        if bundle is None:
            return  # it stays: after some more receives SQS puts it with the dead letters
        name = _name_of(bundle)
        if name in self._through:
            self._deletes.add((queue, record.handle), NOBODY)
            return
        now = self._clock.monotonic()
        visible_until = now + VISIBILITY_SECONDS
        already = self._held.get(name)
        if already is not None:  # delivered again while it is here: the newer handle is the one that deletes it
            already.handle, already.taken_at, already.visible_until = record.handle, now, visible_until
            return
        held = Held(
            bundle,
            record.handle,
            received_times=record.received_times,
            taken_at=now,
            bulk=bulk,
            visible_until=visible_until,
            through=self._is_through,
            forget=self._forget,
        )
        self._held[name] = held
        self._messages[bulk] += len(bundle.messages)
        self._claims.add(held)

    def _is_through(self, held: Held) -> None:
        """Nothing of the record is left to do: delete it."""
        self._let_go(held)
        self._through[_name_of(held.bundle)] = None
        if len(self._through) > _REMEMBERED:
            self._through.popitem(last=False)
        self._deletes.add((self._queue(bulk=held.bulk), held.handle), NOBODY)

    def _forget(self, held: Held) -> None:
        """It is ours no longer: whoever has it now goes by its claims and the log."""
        if self._held.get(_name_of(held.bundle)) is held:
            self._let_go(held)

    def _let_go(self, held: Held) -> None:
        del self._held[_name_of(held.bundle)]
        self._messages[held.bulk] -= len(held.bundle.messages)
        self._changed.set()

    async def _give_back(self, records: list[tuple[Held, list[Slice]]]) -> None:
        """Somebody else may have what is left of the records, which is not claimed."""
        whole: dict[bool, list[str]] = {False: [], True: []}  # handles, by bulk
        for held, left in records:
            if held.received_times >= _SEND_AGAIN_AFTER or not is_whole(held, left):
                self._send_again(held, left)
            else:
                self._let_go(held)
                whole[held.bulk].append(held.handle)
        for bulk, handles in whole.items():
            await self._hiding.hide(handles, 0, bulk=bulk)

    def _send_again(self, held: Held, left: list[Slice], *, later: bool = False) -> None:
        queue, way = self._queue(bulk=held.bulk), self._later if later else self._dispatches
        if is_whole(held, left):
            way.add((queue, held.bundle), _SentAgain(self, held))
        else:
            for one in left:
                way.add((queue, one.as_bundle()), HandedOn(one))

    def _queue(self, *, bulk: bool) -> str:
        return gateway_queue(self._gateway.id, "bulk" if bulk else "normal")


def _name_of(bundle: DispatchBundle) -> Name:
    return bundle.id, len(bundle.messages)


def _bundle_in(record: Record, gateway: str) -> DispatchBundle | None:
    try:
        bundle = decode(record.body)
    except BadBundle as error:
        _log.error("record cannot be read", extra={"gateway": gateway, "record": record.id, "error": str(error)})
        return None
    if not isinstance(bundle, DispatchBundle) or bundle.gateway != gateway or not bundle.messages:
        _log.error("record is no dispatch of this gateway", extra={"gateway": gateway, "record": record.id})
        return None
    return bundle
