"""One SMPP session, either end of it, without socket or clock: octets and the time go in, events and octets come out.

The owner calls `receive` with what it read, `tick` when `next_deadline` has come, and after either (and after `send`
and `reply`) writes `take_output()`. Times are seconds of any clock that never goes back.
"""

from collections.abc import Callable, Iterator
from typing import Any

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.codec import HEADER, decode, encode, refusal
from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.errors import ProtocolError, SessionError
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
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.operations import APPLICATION_REQUESTS, BOUND_BY, BOUND_STATES, Role, State, permitted
from smpp_bridge.protocol.pdu import PDUS, Bind, EnquireLink, EnquireLinkResp, GenericNack, Unbind, UnbindResp
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.timers import Timers
from smpp_bridge.protocol.window import FIRST_SEQUENCE, Window

Deadline = tuple[float, Callable[[float, list[Event]], None]]


class Session:
    """`window` bounds our unanswered requests; `requests_waiting` counts the peer's, for the owner to bound."""

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        window: int = 10,
        timers: Timers = Timers(),  # noqa: B008 -- frozen
        first_sequence: int = FIRST_SEQUENCE,
    ) -> None:
        self.role = role
        self.timers = timers
        self.requests_waiting = 0
        self._window = Window(window, first_sequence)
        self._framer = Framer()
        self._output: list[bytes] = []
        self._opened_at = self._last_heard = self._last_active = now
        # Our own bind, enquire_link and unbind: command_id of the response -> (sequence, when it was sent).
        self._own: dict[int, tuple[int, float]] = {}
        self._bind_requested = False
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self.state = state
        self._sendable = permitted(self.role, state) & APPLICATION_REQUESTS
        self._receivable = permitted(self.role.peer, state)

    # --- toward the peer

    @property
    def free_window(self) -> int:
        """How many requests may be sent now."""
        return self._window.free if self._sendable and CommandId.UNBIND_RESP not in self._own else 0

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
        """Send submit_sm, deliver_sm, data_sm, query_sm or cancel_sm; its sequence number. `Response`, `Malformed` or
        `Unanswered` will carry `context`.

        Raises SessionError if the state, the role or a full window forbids it, ProtocolError if it cannot be encoded.
        """
        command_id = request.command_id
        if command_id not in self._sendable or CommandId.UNBIND_RESP in self._own:
            raise SessionError(f"{self.role.value} cannot send {request.command} while {self.state.value}")
        if not self._window.free:
            raise SessionError("the window is full", Status.THROTTLED)
        request.sequence = sequence = self._window.next_sequence()
        self._output.append(encode(request))
        self._window.waiting[sequence] = (command_id | RESPONSE_BIT, now, context)
        self._last_active = now
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
        return True

    def ignore(self, request: Pdu) -> None:
        """Never answer `request`; it no longer counts as waiting."""
        self.requests_waiting -= 1

    def take_output(self) -> bytes:
        """What must be written to the connection now."""
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    def close(self, reason: str) -> list[Event]:
        """The connection is lost, or the owner gives it up."""
        events: list[Event] = []
        self._end(reason, events)
        return events

    def _ask(self, request: Pdu, now: float) -> None:
        request.sequence = self._window.next_sequence()
        self._output.append(encode(request))
        self._own[request.command_id | RESPONSE_BIT] = (request.sequence, now)

    def _end(self, reason: str, events: list[Event]) -> None:
        if self.state is State.CLOSED:
            return
        self._enter(State.CLOSED)
        self._own.clear()
        events.extend([Unanswered(context, reason) for _, _, context in self._window.waiting.values()])
        self._window.waiting.clear()
        events.append(Closed(reason))

    # --- from the peer

    def receive(self, data: bytes, now: float) -> list[Event]:
        """What `data` says. Enquiries, unbinds and what cannot be read or is not permitted are answered here."""
        events: list[Event] = []
        if self.state is State.CLOSED:
            return events
        try:
            frames = self._framer.feed(data)
        except ProtocolError:
            frames = []
        if frames:
            self._last_heard = now
        for frame in frames:
            self._take(frame, now, events)
        if self._framer.error is not None:
            # Section 4.3: generic_nack for an invalid command_length. Where the next PDU begins is anyone's guess.
            self._output.append(encode(GenericNack(status=self._framer.error.command_status)))
            self._end(self._framer.error.reason, events)
        return events

    def _take(self, frame: bytes, now: float, events: list[Event]) -> None:
        if self.state is State.CLOSED:
            return
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
                self._last_active = now
                events.append(Response(pdu, waiting[2]))
            else:
                self._take_own_response(pdu, events)
        elif command_id not in self._receivable or (self._bind_requested and command_id in BOUND_BY):
            self._refuse(pdu, events)
        else:
            self._take_request(pdu, now, events)

    def _take_request(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        command_id = pdu.command_id
        if command_id == CommandId.ENQUIRE_LINK:
            self._output.append(encode(EnquireLinkResp(sequence=pdu.sequence)))
            return
        if command_id == CommandId.UNBIND:
            self._output.append(encode(UnbindResp(sequence=pdu.sequence)))
            self._enter(State.UNBOUND)
            events.append(PeerUnbound())
            return
        if command_id in BOUND_BY:
            self._bind_requested = True
        if command_id != CommandId.ALERT_NOTIFICATION:
            self.requests_waiting += 1
        self._last_active = now
        events.append(Request(pdu))

    def _take_own_response(self, pdu: Pdu, events: list[Event]) -> None:
        asked: int = pdu.command_id
        if asked == CommandId.GENERIC_NACK:
            asked = next((own for own, (sequence, _) in self._own.items() if sequence == pdu.sequence), asked)
        if asked not in self._own or self._own[asked][0] != pdu.sequence:
            events.append(Stray(pdu))
            return
        del self._own[asked]
        if asked == CommandId.UNBIND_RESP:
            self._enter(State.UNBOUND)
            events.append(Unbound())
        elif asked != CommandId.ENQUIRE_LINK_RESP:
            self._take_bind_response(pdu, events)

    def _take_bind_response(self, pdu: Pdu, events: list[Event]) -> None:
        if pdu.status != Status.OK or pdu.command_id == CommandId.GENERIC_NACK:
            events.append(BindRefused(pdu.status))
            return
        self._enter(BOUND_BY[pdu.command_id ^ RESPONSE_BIT])
        events.append(Bound(self.state, pdu))

    def _take_malformed(self, frame: bytes, error: ProtocolError, events: list[Event]) -> None:
        _, command_id, status, sequence = HEADER.unpack_from(frame)
        if not command_id & RESPONSE_BIT:
            self._output.append(refusal(command_id, sequence, error.command_status))
            events.append(Malformed(command_id, status, error))
            return
        waiting = self._window.waiting.get(sequence)
        matched = waiting is not None and waiting[0] == command_id
        events.append(Malformed(command_id, status, error, waiting[2] if waiting and matched else None))
        if matched:
            del self._window.waiting[sequence]
        elif self._own.get(command_id, (None,))[0] == sequence:
            self._end(f"unreadable response: {error.reason}", events)

    def _refuse(self, pdu: Pdu, events: list[Event]) -> None:
        bound = pdu.command_id in BOUND_BY and (self.state in BOUND_STATES or self._bind_requested)
        status = Status.ALREADY_BOUND if bound else Status.INVALID_BIND_STATUS
        self._output.append(refusal(pdu.command_id, pdu.sequence, status))
        events.append(NotPermitted(pdu, status))

    # --- time

    @property
    def next_deadline(self) -> float | None:
        """When `tick` will have something to do, if nothing happens before."""
        return min((deadline for deadline, _ in self._deadlines()), default=None)

    def tick(self, now: float) -> list[Event]:
        """Do what is due by `now`."""
        events: list[Event] = []
        for deadline, act in list(self._deadlines()):
            if deadline <= now and self.state is not State.CLOSED:
                act(now, events)
        return events

    def _deadlines(self) -> Iterator[Deadline]:
        timers = self.timers
        if self.state is State.CLOSED:
            return
        if self._own:
            yield min(sent_at for _, sent_at in self._own.values()) + timers.response_seconds, self._own_unanswered
        oldest = self._window.oldest_sent_at()
        if oldest is not None:
            yield oldest + timers.response_seconds, self._give_up
        if self.state is State.OPEN and not self._own and timers.session_init_seconds is not None:
            yield self._opened_at + timers.session_init_seconds, self._never_bound
        if self.state in BOUND_STATES and CommandId.UNBIND_RESP not in self._own:
            if timers.enquire_link_seconds is not None and CommandId.ENQUIRE_LINK_RESP not in self._own:
                yield self._last_heard + timers.enquire_link_seconds, self._enquire
            if timers.inactivity_seconds is not None:
                yield self._last_active + timers.inactivity_seconds, self._leave

    def _own_unanswered(self, now: float, events: list[Event]) -> None:
        response_id, (_, sent_at) = min(self._own.items(), key=lambda item: item[1][1])
        if response_id == CommandId.ENQUIRE_LINK_RESP and self._last_heard > sent_at:
            del self._own[response_id]  # the peer is not dead, only impolite
        else:
            self._end(f"no {CommandId(response_id).name.lower()} in {self.timers.response_seconds} s", events)

    def _give_up(self, now: float, events: list[Event]) -> None:
        late = self._window.give_up(now, self.timers.response_seconds)
        events.extend([Unanswered(context, f"no answer in {self.timers.response_seconds} s") for context in late])

    def _never_bound(self, now: float, events: list[Event]) -> None:
        self._end(f"not bound in {self.timers.session_init_seconds} s", events)

    def _enquire(self, now: float, events: list[Event]) -> None:
        self._ask(EnquireLink(), now)

    def _leave(self, now: float, events: list[Event]) -> None:
        self.unbind(now)
