"""One customer's connection: what comes off the line goes to the gate or the application, and their answers back;
bounded both ways, so that a customer who floods or does not read harms nobody but itself."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.binding import Binding
from smpp_bridge.customers.customer_session import CustomerSession
from smpp_bridge.customers.flow import Flow
from smpp_bridge.customers.gate import Admitted
from smpp_bridge.customers.line import Line
from smpp_bridge.customers.origins import network_of
from smpp_bridge.customers.shared import Shared
from smpp_bridge.protocol import events as told
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.operations import BOUND_STATES, Role, State
from smpp_bridge.protocol.pdu import Bind, Pdu
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

_REST_SECONDS: Final = 1.0  # a window full for so long: the customer is not heard, and its timers rest
_BROKEN_SECONDS: Final = 120.0  # an application that leaves a full window unanswered for so long is broken
_UNBOUND_VIOLATIONS: Final = 3  # of who is not bound, before it is shown out
_VIOLATIONS: Final = 100  # of who is bound, with no good request between them
_SUBMITS: Final = frozenset({CommandId.SUBMIT_SM, CommandId.SUBMIT_MULTI, CommandId.DATA_SM})
_OVER: Final = frozenset({State.UNBOUND, State.CLOSED})
_log: Final = logging.getLogger(__name__)


class Connection:
    """A LineUser; `customer` is there once it is bound. `tick` it every TICK_SECONDS."""

    def __init__(self, shared: Shared, tls: ssl.SSLContext | None) -> None:
        terms, now = shared.terms, shared.clock.monotonic()
        self.customer: CustomerSession | None = None
        self._shared = shared
        self._session = Session(  # until its bind is answered, nothing behind it is taken: hence one request
            Role.SMSC, now, timers=terms.timers(), max_requests=1, max_pdu_octets=terms.max_pdu_octets
        )
        self.line = Line(
            self, shared.scratch, shared.clock.monotonic, tls=tls, handshake_seconds=terms.session_init_seconds
        )
        self._address = self._network = ""
        self._flow = Flow()
        self._violations = 0
        self._reason = ""
        self._answering: set[asyncio.Future[Any]] = set()
        self._turning = False

    def leave(self, reason: str) -> None:
        """Unbind once all that is under way is answered; who is not bound is hung up on."""
        if self.customer is not None and self._session.state in BOUND_STATES:
            self.customer.leave(reason)
        else:
            self._close(reason)

    def abort(self, reason: str) -> None:
        """Hang up now."""
        self._reason = self._reason or reason
        self.line.abort()

    def tick(self, now: float) -> None:
        """Do what is due: timers, the next portion of what waits to be read, the end of who does not read."""
        self._flow.tick(self._session)
        stall_seconds = self._shared.terms.stall_seconds
        self.line.tick(now)
        if self.line.stalled_since is not None and now - self.line.stalled_since > stall_seconds:
            self._shared.counts.stalled += 1
            self._tell("does not read")
            self.abort(f"does not read for {stall_seconds} s")
        full_seconds = self._flow.full_seconds(now)
        if full_seconds > _BROKEN_SECONDS:
            _log.critical("a full window is not answered", extra=self._who())
            self.abort(f"not answered for {_BROKEN_SECONDS} s")
        elif full_seconds < _REST_SECONDS and self.line.writable:  # else its silence is of our own making
            self._handle(self._session.tick(now))
            if self.customer is not None and self._session.is_leaving:
                self.customer.leave("idle for too long")
        self._turn()

    # --- for the line: see LineUser

    def entered(self, address: str) -> bool:
        shared = self._shared
        self._address, self._network = address, network_of(address)
        turned = shared.door.enter(self._network, shared.clock.monotonic())
        if turned is not None:
            shared.counts.turned[turned.value] += 1
            self._tell("connection refused", reason=turned.value)
            return False
        shared.connections.add(self)
        return True

    def received(self, data: bytes) -> None:
        if self._session.state in _OVER:
            return
        self._handle(self._session.receive(data, self._shared.clock.monotonic()))
        if self._session.state is State.CLOSED and self.customer is None:
            self._shared.gate.failed(self._address)  # octets that are no SMPP at all, or all but a bind
        self._turn()

    def writable_again(self) -> None:
        self._turn()

    def lost(self, reason: str) -> None:
        shared, customer = self._shared, self.customer
        self._handle(self._session.close(reason))
        shared.connections.discard(self)
        shared.door.leave(self._network, was_bound=customer is not None)
        if customer is not None:
            customer.outgoing.close(self._reason)
            shared.places.let_go(customer)
            shared.application.on_gone(customer)
            shared.note(customer.ended(self._reason, shared.clock.epoch_ms()))
            seconds = round(shared.clock.monotonic() - customer.bound_at, 1)
            _log.info("customer's session ended", extra={**self._who(), "reason": self._reason, "seconds": seconds})

    # --- once a turn of the loop

    def wake(self) -> None:
        """Look soon at what there is to do."""
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Take what may be taken now, write what there is to write, and read on or not."""
        self._turning = False
        session, now = self._session, self._shared.clock.monotonic()
        login = None if self.customer is None else self.customer.login
        if session.has_arrivals:
            self.line.write(session.take_output())  # first: whether the customer reads it decides on the next
        session.max_requests = self._flow.room(login, session) if self.line.writable else 0
        if session.has_arrivals:
            self._handle(session.receive(b"", now))
        if self.customer is not None and self.line.writable:
            self.customer.outgoing.pump(now)
            self._unbind_when_idle(self.customer, now)
        self.line.write(session.take_output())
        if session.state in _OVER:
            self.line.close()
        self._shared.counts.pauses += self._flow.settle(session, now)
        self.line.read(not self._flow.held)

    def _unbind_when_idle(self, customer: CustomerSession, now: float) -> None:
        since, session = customer.leaving_since, self._session
        if since is None or session.state not in BOUND_STATES or session.is_leaving:
            return
        idle = not session.requests_waiting and not customer.outgoing.in_flight
        if idle or now - since > self._shared.terms.drain_seconds:
            session.unbind(now)

    def _close(self, reason: str) -> None:
        """Say what there is still to say, and hang up."""
        self._handle(self._session.close(reason))
        self.wake()

    # --- the bind

    def bound(self, request: Bind, admitted: Admitted, fields: dict[str, Any]) -> bool:
        """Answer the bind with yes. False: the customer is gone meanwhile."""
        if not self._session.reply(request, **fields):
            return False
        shared = self._shared
        self.customer = CustomerSession(admitted, self._session, self.line, self.wake, shared.clock.monotonic)
        shared.door.bound(self._network)
        shared.places.hold(self.customer)
        _log.info("customer bound", extra={**self._who(), "bind": request.command, "tls": self.line.secured})
        self._turn()
        shared.application.on_bound(self.customer)
        return True

    def refuse(self, request: Bind, status: int) -> None:
        """Answer the bind with no, and hang up."""
        if self._session.reply(request, status):
            self._close("bind refused")

    # --- events

    def _handle(self, events: list[told.Event]) -> None:
        for event in events:
            _HANDLERS[type(event)](self, event)

    def _on_request(self, event: told.Request) -> None:
        pdu, customer = event.pdu, self.customer
        if self._session.state is State.CLOSED:
            return  # by what came before it: nobody would hear the answer
        self._shared.counts.requests[pdu.command] += 1
        if isinstance(pdu, Bind):
            binding = Binding(self._shared, self, pdu, self._address, tls=self.line.secured)
            self._await(asyncio.get_running_loop().create_task(binding.run()))
        elif customer is None or customer.leaving_since is not None:
            self._reply(pdu, Answer(Status.THROTTLED))  # it is to come again, and finds another bridge
        else:
            self._violations = 0
            answering = asyncio.ensure_future(self._shared.application.on_request(customer, pdu))
            self._await(answering)
            answering.add_done_callback(partial(self._answered, pdu))

    def _await(self, future: asyncio.Future[Any]) -> None:
        """Hold it until it is done: the loop itself would not."""
        self._answering.add(future)
        future.add_done_callback(self._answering.discard)

    def _answered(self, request: Pdu, future: asyncio.Future[Answer]) -> None:
        try:
            answer = future.result()
        except (Exception, asyncio.CancelledError):  # the application's own: the customer is to come again
            _log.exception("request not answered", extra={**self._who(), "command": request.command})
            answer = Answer(Status.SYSTEM_ERROR)
        self._reply(request, answer)
        self.wake()

    def _reply(self, request: Pdu, answer: Answer) -> None:
        customer, fields = self.customer, answer.fields
        if "tlvs" in fields and customer is not None and not customer.takes_tlvs:
            fields = {name: value for name, value in fields.items() if name != "tlvs"}
        try:
            self._session.reply(request, answer.status, **fields)
        except (ProtocolError, TypeError):  # an answer of ours that cannot be said would be our own mistake
            _log.exception("answer cannot be encoded", extra={**self._who(), "command": request.command})
            answer = Answer(Status.SYSTEM_ERROR)
            self._session.reply(request, answer.status)
        self._flow.answered()
        self._shared.counts.responses[answer.status] += 1
        if customer is not None and request.command_id in _SUBMITS:
            customer.tally.submits += answer.status == Status.OK
            customer.tally.throttled += answer.status == Status.THROTTLED

    def _on_response(self, event: told.Response) -> None:
        if self.customer is not None:  # nothing is sent to who is not bound
            status = self.customer.outgoing.answered(event.context, event.pdu)
            self._shared.counts.delivers[status] += 1
            self.customer.tally.delivers += status == Status.OK
            self._flow.heard_answer()
            self.wake()

    def _on_unanswered(self, event: told.Unanswered) -> None:
        if self.customer is not None:
            self.customer.outgoing.unanswered(event.context, event.reason)
            self._shared.counts.undelivered += 1

    def _on_malformed(self, event: told.Malformed) -> None:
        if event.context is not None and self.customer is not None:
            self.customer.outgoing.answered_with(event.context, event.status)
        self._violated(event.error.reason)

    def _violated(self, reason: str) -> None:
        if self._session.state is State.CLOSED:
            return
        self._shared.counts.violations += 1
        self._violations += 1
        self._tell("not SMPP as agreed", reason=reason)
        if self.customer is None and self._violations >= _UNBOUND_VIOLATIONS:
            self._close("does not bind")
        elif self._violations >= _VIOLATIONS:
            self._close("too much that is not SMPP as agreed")

    def _ended(self, reason: str) -> None:
        customer = self.customer
        self._reason = self._reason or (customer.reason if customer else "") or reason
        if customer is None and reason.startswith("not bound"):
            self._tell("does not bind")

    def _tell(self, what: str, **more: object) -> None:
        self._shared.notices.tell(what, self._network, self._shared.clock.monotonic(), **{**self._who(), **more})

    def _who(self) -> dict[str, Any]:
        return {"address": self._address} if self.customer is None else self.customer.who()


_HANDLERS: Final[dict[type, Callable[[Connection, Any], None]]] = {
    told.Request: Connection._on_request,
    told.Response: Connection._on_response,
    told.Unanswered: Connection._on_unanswered,
    told.Malformed: Connection._on_malformed,
    told.NotPermitted: lambda connection, event: connection._violated(f"{event.pdu.command} in a state without it"),
    told.Stray: lambda connection, event: None,  # late, or doubled: its delivery has been told as unanswered
    told.PeerUnbound: lambda connection, event: connection._ended("unbound by the customer"),
    told.Unbound: lambda connection, event: connection._ended("unbound by us"),
    told.Closed: lambda connection, event: connection._ended(event.reason),
}
