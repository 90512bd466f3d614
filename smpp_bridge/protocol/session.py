"""One SMPP session, either end of it, without socket or clock: octets and the time go in, events and octets come out.

The owner calls `receive` with what it read, `tick` when `next_deadline` has come, and after either (and after `send`
and `reply`) writes `take_output()`. Times are seconds of any clock that never goes back.
"""

import sys
from collections.abc import Iterator
from typing import Any

from smpp_bridge.protocol import events as told
from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.codec import HEADER, decode, encode, refusal
from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.errors import ProtocolError, SessionError
from smpp_bridge.protocol.framing import MAX_BIND_OCTETS, MAX_PDU_OCTETS, Arrivals
from smpp_bridge.protocol.operations import APPLICATION_REQUESTS, BOUND_BY, BOUND_STATES, Role, State, permitted
from smpp_bridge.protocol.own import OwnRequests
from smpp_bridge.protocol.pdu import PDUS, Bind, EnquireLink, EnquireLinkResp, GenericNack, Unbind, UnbindResp
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.timers import Due, Timers, Watch
from smpp_bridge.protocol.window import FIRST_SEQUENCE, Window


class Session:
    """`window` bounds our unanswered requests, `max_requests` the peer's: beyond them nothing more is taken from what
    arrives until an answer has gone out; `requests_waiting` counts them, `has_arrivals` says whether PDUs wait so."""

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        window: int = 10,
        timers: Timers = Timers(),  # noqa: B008 -- frozen
        first_sequence: int = FIRST_SEQUENCE,
        max_requests: int = sys.maxsize,
        max_pdu_octets: int = MAX_PDU_OCTETS,
    ) -> None:
        self.role = role
        self.timers = timers
        self.max_requests = max_requests
        self.requests_waiting = 0
        self.pdus_read = 0
        self._window = Window(window, first_sequence)
        self._max_pdu_octets = max_pdu_octets
        self._arrivals = Arrivals(max_pdu_octets if role is Role.ESME else MAX_BIND_OCTETS)
        self._unbind_asked: int | None = None  # sequence of the peer's unbind, until it is answered
        self._output: list[bytes] = []
        self._watch = Watch(now)
        self._own = OwnRequests()
        self._bind_requested = False
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._sendable = permitted(self.role, state) & APPLICATION_REQUESTS
        self._receivable = permitted(self.role.peer, state)
        if state in BOUND_STATES:
            self._arrivals.framer.max_octets = self._max_pdu_octets

    # --- toward the peer

    @property
    def free_window(self) -> int:
        """How many requests may be sent now."""
        return self._window.free if self._sendable and not self.is_leaving else 0

    def resize(self, window: int) -> None:
        """From now on so many requests of ours may wait at a time; what waits already, waits on."""
        self._window.size = window

    @property
    def is_leaving(self) -> bool:
        """Whether either side has asked to unbind, and that is not answered yet."""
        return self._unbind_asked is not None or CommandId.UNBIND_RESP in self._own

    @property
    def has_arrivals(self) -> bool:
        """Whether PDUs have arrived that are not taken yet."""
        return bool(self._arrivals)

    def bind(self, request: Bind, now: float) -> None:
        """Ask the SMSC for a session; `Bound`, `BindRefused` or `Closed` comes of it."""
        if self.role is not Role.ESME or self.state is not State.OPEN or self._own:
            raise SessionError(f"cannot bind: {self.state.value}", Status.ALREADY_BOUND)
        self._ask(request, now)

    def unbind(self, now: float) -> None:
        """End the session in order; nothing more can be sent, `Unbound` or `Closed` comes of it."""
        if self.state not in BOUND_STATES:
            raise SessionError(f"cannot unbind: {self.state.value}")
        if CommandId.UNBIND_RESP not in self._own:
            self._ask(Unbind(), now)

    def send(self, request: Pdu, context: Any, now: float) -> int:
        """Send one of APPLICATION_REQUESTS; its sequence number. What comes of it carries `context`.

        Raises SessionError if the state, the role or a full window forbids it, ProtocolError if it cannot be encoded.
        """
        command_id = request.command_id
        if command_id not in self._sendable or self.is_leaving:
            raise SessionError(f"{self.role.value} cannot send {request.command} while {self.state.value}")
        if not self._window.free:
            raise SessionError("the window is full", Status.THROTTLED)
        request.sequence = sequence = self._window.next_sequence()
        self._output.append(encode(request))
        self._window.waiting[sequence] = (command_id | RESPONSE_BIT, now, context)
        self._watch.last_active = now
        return sequence

    def reply(self, request: Pdu, status: int = Status.OK, **fields: Any) -> bool:
        """Answer a `Request`. `fields` are the response's, as message_id or system_id. A bind answered with status 0
        binds the session. False if the session has ended meanwhile, and the answer went nowhere."""
        if self.state in {State.UNBOUND, State.CLOSED}:
            return False
        response = PDUS[request.command_id | RESPONSE_BIT](sequence=request.sequence, status=status, **fields)
        self._output.append(encode(response))
        self.requests_waiting -= 1
        if request.command_id in BOUND_BY:
            self._bind_requested = False
            if status == Status.OK:
                self._enter(BOUND_BY[request.command_id])
        self._let_go()
        return True

    def ignore(self, request: Pdu) -> None:
        """Never answer `request`; it no longer counts as waiting."""
        self.requests_waiting -= 1
        self._let_go()

    def _let_go(self) -> None:
        """Answer the peer's unbind; an ESME's only once all that it asked is answered: answers behind it are lost."""
        if self._unbind_asked is not None and (self.requests_waiting <= 0 or self.role is Role.ESME):
            self._output.append(encode(UnbindResp(sequence=self._unbind_asked)))
            self._unbind_asked = None
            self._enter(State.UNBOUND)

    def take_output(self) -> bytes:
        """What must be written to the connection now."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    def close(self, reason: str) -> list[told.Event]:
        """The connection is lost, or the owner gives it up."""
        events: list[told.Event] = []
        self._end(reason, events)
        return events

    def _ask(self, request: Pdu, now: float) -> None:
        request.sequence = self._window.next_sequence()
        self._output.append(encode(request))
        self._own.ask(request.command_id | RESPONSE_BIT, request.sequence, now)

    def _end(self, reason: str, events: list[told.Event]) -> None:
        if self.state is State.CLOSED:
            return
        self._enter(State.CLOSED)
        self._own.clear()
        self._arrivals.clear()
        events.extend([told.Unanswered(context, reason) for _, _, context in self._window.waiting.values()])
        self._window.waiting.clear()
        events.append(told.Closed(reason))

    # --- from the peer

    def receive(self, data: bytes, now: float) -> list[told.Event]:
        """What `data` says, behind what had arrived before. Enquiries, unbinds and what cannot be read or is not
        permitted are answered here."""
        events: list[told.Event] = []
        if self.state is State.CLOSED:
            return events
        self._arrivals.feed(data)
        while self._arrivals and self.requests_waiting < self.max_requests:
            self._take(self._arrivals.take(), now, events)
        if self._arrivals.error is not None:
            # Section 4.3: generic_nack for an invalid command_length. Where the next PDU begins is anyone's guess.
            self._output.append(encode(GenericNack(status=self._arrivals.error.command_status)))
            self._end(self._arrivals.error.reason, events)
        return events

    def _take(self, frame: bytes, now: float, events: list[told.Event]) -> None:
        if self.state is State.CLOSED:
            return
        self.pdus_read += 1
        self._watch.last_heard = now
        try:
            pdu = decode(frame)
        except ProtocolError as error:
            self._take_malformed(frame, error, events)
            return
        command_id = pdu.command_id
        if command_id & RESPONSE_BIT:
            waiting = self._window.waiting.get(pdu.sequence)
            if waiting is not None and (waiting[0] == command_id or command_id == CommandId.GENERIC_NACK):
                del self._window.waiting[pdu.sequence]
                self._watch.last_active = now
                events.append(told.Response(pdu, waiting[2]))
            else:
                self._take_own_response(pdu, events)
        elif command_id not in self._receivable or (self._bind_requested and command_id in BOUND_BY):
            self._refuse(pdu, events)
        else:
            self._take_request(pdu, now, events)

    def _take_request(self, pdu: Pdu, now: float, events: list[told.Event]) -> None:
        command_id = pdu.command_id
        if command_id == CommandId.ENQUIRE_LINK:
            self._output.append(encode(EnquireLinkResp(sequence=pdu.sequence)))
            return
        if command_id == CommandId.UNBIND:
            self._unbind_asked, self._receivable = pdu.sequence, frozenset()
            self._let_go()
            events.append(told.PeerUnbound())
            return
        if command_id in BOUND_BY:
            self._bind_requested = True
        if command_id != CommandId.ALERT_NOTIFICATION:
            self.requests_waiting += 1
        self._watch.last_active = now
        events.append(told.Request(pdu))

    def _take_own_response(self, pdu: Pdu, events: list[told.Event]) -> None:
        asked = self._own.answered(pdu)
        if asked is None:
            events.append(told.Stray(pdu))
        elif asked == CommandId.UNBIND_RESP:
            self._enter(State.UNBOUND)
            events.append(told.Unbound())
        elif asked != CommandId.ENQUIRE_LINK_RESP:
            self._take_bind_response(pdu, events)

    def _take_bind_response(self, pdu: Pdu, events: list[told.Event]) -> None:
        if pdu.status != Status.OK or pdu.command_id == CommandId.GENERIC_NACK:
            events.append(told.BindRefused(pdu.status))
            return
        self._enter(BOUND_BY[pdu.command_id ^ RESPONSE_BIT])
        events.append(told.Bound(self.state, pdu))

    def _take_malformed(self, frame: bytes, error: ProtocolError, events: list[told.Event]) -> None:
        _, command_id, status, sequence = HEADER.unpack_from(frame)
        if not command_id & RESPONSE_BIT:
            self._output.append(refusal(command_id, sequence, error.command_status))
            events.append(told.Malformed(command_id, status, error))
            return
        waiting = self._window.waiting.get(sequence)
        matched = waiting is not None and waiting[0] == command_id
        events.append(told.Malformed(command_id, status, error, waiting[2] if waiting and matched else None))
        if matched:
            del self._window.waiting[sequence]
        elif self._own.waits_for(command_id, sequence):
            self._end(f"unreadable response: {error.reason}", events)

    def _refuse(self, pdu: Pdu, events: list[told.Event]) -> None:
        bound = pdu.command_id in BOUND_BY and (self.state in BOUND_STATES or self._bind_requested)
        status = Status.ALREADY_BOUND if bound else Status.INVALID_BIND_STATUS
        self._output.append(refusal(pdu.command_id, pdu.sequence, status))
        events.append(told.NotPermitted(pdu, status))

    # --- time

    @property
    def next_deadline(self) -> float | None:
        """When `tick` will have something to do, if nothing happens before."""
        return min((deadline for deadline, _ in self._deadlines()), default=None)

    def tick(self, now: float) -> list[told.Event]:
        """Do what is due by `now`."""
        events: list[told.Event] = []
        for deadline, due in list(self._deadlines()):
            if deadline <= now and self.state is not State.CLOSED:
                self._do(due, now, events)
        return events

    def _deadlines(self) -> Iterator[tuple[float, Due]]:
        return self._watch.deadlines(self.timers, self.state, self._own, self._window, leaving=self.is_leaving)

    def _do(self, due: Due, now: float, events: list[told.Event]) -> None:
        match due:
            case Due.OWN_ANSWER:
                self._own_unanswered(events)
            case Due.ANSWER:
                why = f"no answer in {self.timers.response_seconds} s"
                late = self._window.give_up(now, self.timers.response_seconds)
                events.extend([told.Unanswered(context, why) for context in late])
            case Due.BIND:
                self._end(f"not bound in {self.timers.session_init_seconds} s", events)
            case Due.ENQUIRY:
                self._ask(EnquireLink(), now)
            case Due.INACTIVITY:
                self.unbind(now)

    def _own_unanswered(self, events: list[told.Event]) -> None:
        response_id, sent_at = self._own.oldest()
        if response_id == CommandId.ENQUIRE_LINK_RESP and self._watch.last_heard > sent_at:
            self._own.forget(response_id)  # the peer is not dead, only impolite
        else:
            self._end(f"no {CommandId(response_id).name.lower()} in {self.timers.response_seconds} s", events)
