"""One connection to an SMSC: feeds a sans-IO session with octets and time, and writes what comes out once a turn."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from chalicelib.domain.rules import Gateway
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    Malformed,
    NotPermitted,
    PeerUnbound,
    Request,
    Response,
    Stray,
    Unanswered,
    Unbound,
)
from smpp_bridge.protocol.operations import BOUND_STATES, Role
from smpp_bridge.protocol.pdu import Bind, Pdu, SubmitSm, SubmitSmResp
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.timers import Timers

TICK_SECONDS: Final = 0.5  # how fine timeouts are told
BIND_SECONDS: Final = 10.0  # from the connection to the bind's answer
_LATE_SECONDS: Final = 600.0  # how long an answer that came too late is still understood
_MAX_LATE: Final = 10_000


class Flight:
    """A submit in flight. `cargo` is the sender's own; the PDU is known once it is sent."""

    __slots__ = ("cargo", "index", "pdu", "sequence")

    def __init__(self, cargo: Any, index: int) -> None:
        self.cargo = cargo
        self.index = index
        self.pdu: SubmitSm | None = None
        self.sequence = 0


class Ending(msgspec.Struct, frozen=True):
    """How a connection ended."""

    reason: str
    bound_seconds: float | None  # how long it was bound; None: it never was
    refused: int | None = None  # command_status of the refused bind


class LinkUser(Protocol):
    """Who submits through links and hears what comes of it."""

    def answered(self, link: "Link", flight: Flight, status: int, smsc_message_id: str) -> None:
        """The SMSC answered; `smsc_message_id` is empty where it gave none that can be read."""

    def unanswered(self, link: "Link", flight: Flight, reason: str) -> None:
        """No answer in time, or the connection is lost."""

    def answered_late(self, link: "Link", flight: Flight, smsc_message_id: str) -> None:
        """The SMSC took, after all, what was told as unanswered."""

    def requested(self, link: "Link", request: Pdu) -> None:
        """The SMSC wants something; answer with `reply`."""

    def stray(self, link: "Link") -> None:
        """A response to nothing."""

    def bound_now(self, link: "Link") -> None:
        """The SMSC has accepted the bind."""

    def room(self) -> None:
        """Something has changed: there may be room to submit now. Called once a turn."""


class Link(asyncio.Protocol):
    """Made for one connection; `ended` is done when it is over."""

    def __init__(self, gateway: Gateway, name: str, bind: Bind, *, user: LinkUser, clock: Clock) -> None:
        self.name = name
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.paused_until = 0.0  # of the monotonic clock: the SMSC throttled this session
        self.bound_at: float | None = None
        self.last_receipt_at: float | None = None
        self.in_flight = 0
        self._bind = bind
        self._user = user
        self._clock = clock
        self._session = Session(
            Role.ESME,
            clock.monotonic(),
            window=gateway.window,
            timers=Timers(
                session_init_seconds=BIND_SECONDS,
                enquire_link_seconds=gateway.enquire_link_seconds,
                response_seconds=gateway.response_timeout_seconds,
            ),
        )
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._opened_at = clock.monotonic()
        self._late: OrderedDict[int, tuple[float, Flight]] = OrderedDict()
        self._refused: int | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._flushing = False

    # --- for who submits

    @property
    def is_bound(self) -> bool:
        return self._session.state in BOUND_STATES

    @property
    def state(self) -> str:
        return self._session.state.value

    def room_for(self, now: float) -> int:
        """How many submits it takes now: none while it is throttled, not bound, or its socket is stuffed."""
        return self._session.free_window if self._writable and now >= self.paused_until else 0

    def submit(self, pdu: SubmitSm, flight: Flight, now: float) -> None:
        """Send it with the next `flush`. Raises ProtocolError where it cannot be encoded."""
        flight.sequence = self._session.send(pdu, flight, now)
        flight.pdu = pdu
        self.in_flight += 1

    def reply(self, request: Pdu, status: int) -> None:
        """Answer the SMSC's request, together with whatever else is written this turn."""
        try:
            answered = self._session.reply(request, status)
        except ProtocolError:  # an answer of ours that cannot be encoded would be our own mistake
            answered = False
        if answered and not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what there is to write."""
        self._flushing = False
        octets = self._session.take_output()
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def unbind(self) -> None:
        """Leave in order; `ended` follows, at the latest after the response timeout."""
        if self.is_bound:
            self._session.unbind(self._clock.monotonic())
            self.flush()
        else:
            self.close("stopped")

    def close(self, reason: str) -> None:
        """Leave at once: what is in flight is told as unanswered."""
        self._handle(self._session.close(reason))

    # --- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- create_connection makes no other
        self._transport = transport
        try:
            self._session.bind(self._bind, self._clock.monotonic())
        except ProtocolError as error:  # a password over eight octets, say: no SMSC will ever see it
            self.close(f"the bind cannot be encoded: {error.reason}")
            return
        self._ticker = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        self.flush()

    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self._clock.monotonic()))
        self._user.room()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._handle(self._session.close(f"connection lost: {exc}" if exc else "connection closed by the SMSC"))
        self._over("connection lost")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._user.room()

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self._handle(self._session.tick(now))
        while self._late and next(iter(self._late.values()))[0] < now - _LATE_SECONDS:
            self._late.popitem(last=False)
        if self.bound_at is None and now - self._opened_at > BIND_SECONDS:
            self.close(f"no answer to the bind in {BIND_SECONDS:.0f} s")
        if not self.ended.done():
            self._ticker = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)
        self.flush()
        self._user.room()

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is Response:
                self._take_response(event.pdu, event.context)
            else:
                _HANDLERS[type(event)](self, event)

    def _take_response(self, pdu: Pdu, flight: Flight) -> None:
        self.in_flight -= 1
        if type(pdu) is SubmitSmResp:
            self._user.answered(self, flight, pdu.status, pdu.message_id)
        else:  # a generic_nack, which says no even where its status says nothing
            self._user.answered(self, flight, pdu.status or Status.SYSTEM_ERROR, "")

    def _take_unanswered(self, event: Unanswered) -> None:
        flight = event.context
        self.in_flight -= 1
        self._late[flight.sequence] = (self._clock.monotonic(), flight)
        if len(self._late) > _MAX_LATE:
            self._late.popitem(last=False)
        self._user.unanswered(self, flight, event.reason)

    def _take_malformed(self, event: Malformed) -> None:
        if event.context is not None:
            self.in_flight -= 1
            self._user.answered(self, event.context, event.status, "")
        else:
            self._user.stray(self)

    def _take_stray(self, event: Stray) -> None:
        late = self._late.pop(event.pdu.sequence, None)
        if late is not None and type(event.pdu) is SubmitSmResp and not event.pdu.status:
            self._user.answered_late(self, late[1], event.pdu.message_id)
        else:
            self._user.stray(self)

    def _take_bound(self, event: Bound) -> None:
        self.bound_at = self._clock.monotonic()
        self._user.bound_now(self)

    def _take_refusal(self, event: BindRefused) -> None:
        self._refused = event.status
        self.close(f"bind refused with 0x{event.status:02X}")

    def _over(self, reason: str) -> None:
        """Whatever comes first of the session's end and the connection's."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._transport is not None:
            self.flush()
            self._transport.close()
        if not self.ended.done():
            bound_for = None if self.bound_at is None else self._clock.monotonic() - self.bound_at
            self.ended.set_result(Ending(reason, bound_for, self._refused))


_HANDLERS: Final[dict[type, Callable[[Link, Any], None]]] = {
    Bound: Link._take_bound,
    BindRefused: Link._take_refusal,
    Request: lambda link, event: link._user.requested(link, event.pdu),
    Unanswered: Link._take_unanswered,
    Malformed: Link._take_malformed,
    NotPermitted: lambda link, event: link._user.stray(link),
    Stray: Link._take_stray,
    PeerUnbound: lambda link, event: link.close("the SMSC unbound"),
    Unbound: lambda link, event: link.close("unbound"),
    Closed: lambda link, event: link._over(event.reason),
}
