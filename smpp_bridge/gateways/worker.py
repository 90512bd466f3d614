"""One gateway's work: its session slots, what is submitted through them, and what comes back. A table of contents."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from chalicelib.domain.rules import Gateway
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gathering import Gathering
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.intake import Intake
from smpp_bridge.gateways.job_controls import JobControls
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.leases import LeaseKeeper
from smpp_bridge.gateways.link import Flight, Link
from smpp_bridge.gateways.platform import Platform
from smpp_bridge.gateways.receipts import ReceiptDesk
from smpp_bridge.gateways.session_log import SessionLog
from smpp_bridge.gateways.slot import Pace, Slot, mode_of
from smpp_bridge.gateways.standing import Standing
from smpp_bridge.gateways.submitter import Submitter
from smpp_bridge.gateways.worker_state import state_of
from smpp_bridge.protocol.pdu import Pdu

DRAIN_SECONDS: Final = 15.0  # how long a stop waits for the answers to what is in flight
# Changes to these need new sessions; all others are taken over while it runs.
_OF_SESSIONS: Final = (
    *("host", "port", "system_id", "bind_mode", "sessions", "system_type", "address_range", "tls", "tls_verify"),
    *("window", "enquire_link_seconds", "response_timeout_seconds"),
)

_log: Final = logging.getLogger(__name__)


class GatewayWorker:
    """`start`, then `hold` and `change` as often as leases and rules do, then `stop`. Its trouble stays its own."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        platform: Platform,
        keeper: LeaseKeeper,
        gathering: Gathering,
        clock: Clock,
        pace: Pace,
        in_force: Callable[[str], bool] = lambda _: True,
        counts: Counts | None = None,
        jobs: JobControls | None = None,
        orders: HeardOrders | None = None,
        sessions: SessionLog | None = None,
    ) -> None:
        self.sessions = sessions or SessionLog(clock, bridge=lambda: keeper.name)
        self.gateway = gateway
        self.counts = counts or Counts()
        self._platform = platform
        self._keeper = keeper
        self.clock = clock
        self.standing = Standing(
            clock,
            breaker=pace.breaker,
            absent_seconds=pace.absent,
            unbound_seconds=pace.unbound,
            bound=lambda: self.bound,
            bound_elsewhere=lambda: keeper.bound_elsewhere(gateway.id),
            sure=lambda: keeper.sure,
        )
        self._pace = pace
        self._gathering = gathering
        self._judge = Judge(
            gateway,
            outcomes=gathering.outcomes,
            dispatches=gathering.dispatches,
            counts=self.counts,
            clock=clock,
            in_force=in_force,
            later=gathering.later,
        )
        self.submitter = Submitter(
            gateway,
            links=self._transmitters,
            judge=self._judge,
            outcomes=gathering.outcomes,
            counts=self.counts,
            clock=clock,
            on_hunger=self._feed,
            standing=self.standing,
            jobs=jobs,
            orders=orders,
        )
        self._desk = ReceiptDesk(gateway, outcomes=gathering.receipts, counts=self.counts, clock=clock)
        self.intake = Intake(
            gateway,
            platform=platform,
            keeper=keeper,
            standing=self.standing,
            submitter=self.submitter,
            judge=self._judge,
            deletes=gathering.deletes,
            dispatches=gathering.dispatches,
            counts=self.counts,
            clock=clock,
            jobs=jobs,
            orders=orders,
            later=gathering.later,
        )
        self._slots: dict[int, Slot] = {}
        self._switching = asyncio.Lock()
        self._stopped = False
        self._leaving: asyncio.Task[None] | None = None
        self.submitter.paused = True  # until it holds a slot

    def start(self) -> None:
        """Be ready; `hold` brings the sessions."""
        self._gathering.outcomes.on_room.append(self.submitter.pump)

    @property
    def slots(self) -> list[Slot]:
        """The session slots that this bridge holds, some of them perhaps about to be closed."""
        return [slot for _, slot in sorted(self._slots.items())]

    @property
    def bound(self) -> bool:
        """Whether messages can be submitted here."""
        return any(link.is_bound for link in self._transmitters())

    async def hold(self) -> None:
        """Run the slots that the bridge holds of the gateway by now, and close the others."""
        async with self._switching:
            if self._stopped:
                return  # it was asked for while the stop was under way: sessions opened now nobody would close
            numbers = self._keeper.held(self.gateway.id)
            if not self._slots:
                self.standing.begin()
            for number in sorted(numbers - self._slots.keys()):
                self._slots[number] = self._slot(number)
                self._slots[number].start()
            self._apply()
            others = [slot for slot in self.slots if slot.number not in numbers]
            if numbers:
                self._take_up()  # also where it is paused: what another gateway takes is handed on
                await self._close(others)
            else:
                await self._put_down(others)

    def takes_over(self, gateway: Gateway) -> bool:
        """Whether `change` can bring these settings about; otherwise stop this worker and start another."""
        return all(getattr(gateway, field) == getattr(self.gateway, field) for field in _OF_SESSIONS)

    async def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on. A paused gateway still gets its receipts."""
        async with self._switching:
            if self._stopped:
                return
            self.gateway = gateway
            self._apply()
            self._take_up()
            self.look()

    async def stop(self) -> None:
        """Drain: take nothing, wait for what is in flight, hand back the rest, unbind. `gathering` is the caller's."""
        async with self._switching:
            self._stopped = True
            await self._put_down(self.slots)
            self._gathering.outcomes.on_room.remove(self.submitter.pump)
            self.submitter.stop()

    def _slot(self, number: int) -> Slot:
        return Slot(
            self.gateway,
            number,
            user=self,
            password=lambda: self._platform.password_of(self.gateway.id),
            counts=self.counts,
            clock=self.clock,
            pace=self._pace,
            log=self.sessions,
        )

    def _apply(self) -> None:
        """The gateway as this bridge has it: with so many of its sessions goes as much of its rate."""
        gateway = self.gateway
        sessions = max(1, len(self._keeper.held(gateway.id)))
        rate = gateway.messages_per_second * min(1.0, sessions / gateway.sessions)
        self.standing.paused = gateway.state == "paused"
        ours = msgspec.structs.replace(gateway, sessions=sessions, messages_per_second=rate)
        for part in (self.submitter, self._judge, self._desk, self.intake):
            part.change(ours)

    def _take_up(self) -> None:
        """Take messages, if any of the gateway's slots is held."""
        if self._slots:
            self.submitter.paused = False
            self.intake.start()
            self.submitter.pump()

    async def _put_down(self, slots: Iterable[Slot]) -> None:
        """Stop submitting and leave these slots; what was taken and is not in flight goes back to the queue."""
        self.submitter.paused = True
        await asyncio.gather(self.intake.stop(), self._close(slots))
        deadline = self.clock.monotonic() + DRAIN_SECONDS
        while self.submitter.in_flight and self.clock.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.submitter.clearing.pass_on()
        self.submitter.clearing.hand_back_all()

    async def _leave_to_others(self) -> None:
        """Another bridge can submit what lies here."""
        async with self._switching:
            if self.standing.stranded and not self._stopped:
                await self._put_down(())
                self._take_up()

    async def _close(self, slots: Iterable[Slot]) -> None:
        await asyncio.gather(*(self._close_one(slot) for slot in slots))

    async def _close_one(self, slot: Slot) -> None:
        slot.closing = True
        deadline = self.clock.monotonic() + DRAIN_SECONDS
        while slot.in_flight and self.clock.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await slot.stop()
        del self._slots[slot.number]

    # --- for the intake and the submitter

    def _transmitters(self) -> list[Link]:
        return [link for slot in self._slots.values() if not slot.closing and (link := slot.transmitter) is not None]

    def _feed(self) -> None:
        self.intake.feed()

    # --- for the links

    def answered(self, link: Link, flight: Flight, status: int, smsc_message_id: str) -> None:
        self.submitter.answered(link, flight, status, smsc_message_id)

    def unanswered(self, link: Link, flight: Flight, reason: str) -> None:
        if link.is_bound:  # it is lost otherwise, which says nothing of how it answers
            self.standing.note(fault=True)
        self.submitter.unanswered(flight, reason)

    def answered_late(self, link: Link, flight: Flight, smsc_message_id: str) -> None:
        self.submitter.answered_late(link, flight, smsc_message_id)

    def requested(self, link: Link, request: Pdu) -> None:
        self._desk.take(link, request)

    def stray(self, link: Link) -> None:
        self.counts.stray_responses += 1

    def bound_now(self, link: Link) -> None:
        _log.info("session bound", extra={"gateway": self.gateway.id, "session": link.name})
        self.sessions.bound(self.gateway, link, mode_of(link.name))
        self.intake.nudge()

    def room(self) -> None:
        self.submitter.pump()

    def look(self) -> None:
        """End what waits here beyond its validity, sessions or none; see to what has its time. Called every second."""
        self.standing.look()
        self.submitter.clearing.clear()
        if self.standing.rests:
            self.submitter.clearing.hand_back_all()
        self.submitter.pump()
        self.intake.look()
        if self.standing.stranded and self.intake.held_messages and not self._switching.locked():
            self._leaving = asyncio.get_running_loop().create_task(self._leave_to_others())

    # --- for health

    def receipt_silence(self) -> dict[str, float]:
        """Seconds since each bound receiver's last receipt, or its bind."""
        now = self.clock.monotonic()
        receivers = [link for slot in self.slots if (link := slot.receiver) is not None and link.bound_at is not None]
        return {link.name: now - (link.last_receipt_at or link.bound_at or now) for link in receivers}

    def state(self) -> dict[str, Any]:
        """As /health shows it."""
        return state_of(self)
