"""One ESME's connection: octets between its socket and its session, and each event to the centre."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any, Final

from infra.local.smsc.centre import Centre
from infra.local.smsc.inbound import Mail, mail_pdu
from smpp_bridge.protocol.events import Malformed, Request, Response, Unanswered
from smpp_bridge.protocol.operations import Role, State
from smpp_bridge.protocol.pdu import Bind, Pdu, SubmitSm
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.timers import Timers
from smpp_bridge.protocol.tlvs import Tag

SYSTEM_ID: Final = "chasqui-smsc"
_TICK_SECONDS: Final = 0.25  # how late a session's timers may be
_TIMER_GRAIN_SECONDS: Final = 0.0005  # answers due this soon go with those due now
_OVER: Final = frozenset({State.UNBOUND, State.CLOSED})
_RECEIVING: Final = frozenset({State.BOUND_RX, State.BOUND_TRX})


class Connection(asyncio.Protocol):
    """Writes once per read: all the answers to what one read brought go out together."""

    def __init__(self, centre: Centre, connections: set["Connection"]) -> None:
        config = centre.config
        self.system_id = ""
        self._centre = centre
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self.session = Session(
            Role.SMSC,
            self._loop.time(),
            window=config.receipt_window,
            timers=Timers(
                session_init_seconds=config.session_init_seconds,
                enquire_link_seconds=config.enquire_link_seconds,
                response_seconds=config.response_timeout_seconds,
            ),
        )
        self._handlers: dict[type, Callable[[Any], None]] = {
            Request: self._on_request,
            Response: self._on_response,
            Unanswered: self._on_unanswered,
            Malformed: self._on_malformed,
        }
        self._later: list[tuple[float, int, SubmitSm, int, str, bool]] = []
        self._order = itertools.count()
        self._answer_timer: asyncio.TimerHandle | None = None
        self._tick_timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._writable = True

    # --- the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- asyncio's own type says less
        self._transport = transport
        self._connections.add(self)
        self._tick_timer = self._loop.call_later(_TICK_SECONDS, self._tick)
        self.heed_silence()

    def data_received(self, data: bytes) -> None:
        self._handle(self.session.receive(data, self._loop.time()))
        self.flush()
        if self.system_id:
            self._centre.post_office.dispatch(self.system_id)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._handle(self.session.close(str(exc or "closed by the peer")))
        for timer in (self._answer_timer, self._tick_timer):
            if timer is not None:
                timer.cancel()
        self._transport = None
        self._leave()

    def pause_writing(self) -> None:
        """The peer does not read: nor do we, so that our memory stays bounded."""
        self._writable = False
        self.heed_silence()

    def resume_writing(self) -> None:
        self._writable = True
        self.heed_silence()

    def heed_silence(self) -> None:
        """Read, or do not."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._writable and not self._centre.silent:
            self._transport.resume_reading()
            self.flush()
        else:
            self._transport.pause_reading()

    def flush(self) -> None:
        """Write what there is (while silent it waits); after an unbind or an end, close."""
        if self._transport is None:
            return
        if not self._centre.silent:
            self._transport.write(self.session.take_output())
        if self.session.state in _OVER:
            self._transport.close()

    def disconnect(self, reason: str) -> None:
        """Close the connection without an unbind."""
        self._handle(self.session.close(reason))
        self.flush()

    # --- receipts

    def can_take(self) -> bool:
        return self._writable and not self._centre.silent and self.session.free_window > 0

    def deliver(self, receipt: Mail) -> None:
        self.session.send(mail_pdu(receipt, time.time()), receipt, self._loop.time())

    # --- answers

    @property
    def answers_owed(self) -> int:
        """Submits whose answer waits for its time."""
        return len(self._later)

    def answer(
        self, request: SubmitSm, status: int, message_id: str, delay_seconds: float, *, then_disconnect: bool = False
    ) -> None:
        """Answer now or later."""
        if delay_seconds > 0:
            due = self._loop.time() + delay_seconds
            heapq.heappush(self._later, (due, next(self._order), request, status, message_id, then_disconnect))
            self._arm()
            return
        self.session.reply(request, status, message_id=message_id)
        if then_disconnect:
            self.disconnect("as the destination asks")

    def _arm(self) -> None:
        due = self._later[0][0]
        if self._answer_timer is not None:
            if self._answer_timer.when() <= due:
                return
            self._answer_timer.cancel()
        self._answer_timer = self._loop.call_at(due, self._answer_due)

    def _answer_due(self) -> None:
        self._answer_timer = None
        until = self._loop.time() + _TIMER_GRAIN_SECONDS
        while self._later and self._later[0][0] <= until:
            _, _, request, status, message_id, then_disconnect = heapq.heappop(self._later)
            self.answer(request, status, message_id, 0, then_disconnect=then_disconnect)
        self.flush()
        if self._later:
            self._arm()

    # --- events

    def _tick(self) -> None:
        self._tick_timer = self._loop.call_later(_TICK_SECONDS, self._tick)
        if not self._centre.silent:
            self._handle(self.session.tick(self._loop.time()))
            self.flush()

    def _handle(self, events: list[Any]) -> None:
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)

    def _on_request(self, event: Request) -> None:
        pdu = event.pdu
        if self.session.state is State.CLOSED:
            return  # an outcome closed the connection: what came behind it was never read
        if isinstance(pdu, SubmitSm):
            self._centre.submit(pdu, self)
        elif isinstance(pdu, Bind):
            self._bind(pdu)
        else:
            self._refuse_unserved(pdu)

    def _refuse_unserved(self, pdu: Pdu) -> None:
        """data_sm, query_sm and cancel_sm: this simulator does not offer them."""
        self.session.reply(pdu, Status.INVALID_COMMAND_ID)

    def _on_response(self, event: Response) -> None:
        if event.pdu.status == Status.OK:
            self._centre.counters.receipts_acked += 1
        else:
            self._centre.post_office.try_again(event.context)

    def _on_unanswered(self, event: Unanswered) -> None:
        if self.session.state is State.CLOSED:
            self._centre.post_office.give_back(event.context)
        else:
            self._centre.post_office.try_again(event.context)

    def _on_malformed(self, event: Malformed) -> None:
        self._centre.counters.malformed += 1
        if event.context is not None:
            self._centre.post_office.try_again(event.context)

    def _bind(self, pdu: Bind) -> None:
        status = self._bind_status(pdu)
        if status != Status.OK:
            self._centre.counters.binds_refused += 1
            self.session.reply(pdu, status)
            return
        self._centre.counters.binds += 1
        self._centre.counters.sessions += 1
        self.session.reply(pdu, system_id=SYSTEM_ID, tlvs=((Tag.SC_INTERFACE_VERSION, b"\x34"),))
        self.system_id = pdu.system_id
        if self.session.state in _RECEIVING:
            self._centre.post_office.attach(self.system_id, self)

    def _bind_status(self, pdu: Bind) -> Status:
        config = self._centre.config
        if config.system_id is not None and pdu.system_id != config.system_id:
            return Status.INVALID_SYSTEM_ID
        if config.password is not None and pdu.password != config.password:
            return Status.INVALID_PASSWORD
        return Status.OK

    def _leave(self) -> None:
        if self.system_id:
            self._centre.counters.sessions -= 1
            self._centre.post_office.detach(self.system_id, self)
            self._centre.post_office.dispatch(self.system_id)
