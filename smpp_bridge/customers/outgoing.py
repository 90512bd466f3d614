"""What is on its way to one customer's session: in the order of calls, as many unanswered as the window allows."""

import asyncio
from collections import deque

from smpp_bridge.customers.application import SessionGone, Unanswered
from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.operations import BOUND_STATES
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, GenericNack, Pdu
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

Delivery = DeliverSm | DataSm


class Outgoing:
    """Each delivery's future becomes the customer's command_status."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: deque[tuple[Delivery, asyncio.Future[int]]] = deque()
        self._closed = ""
        self.in_flight = 0

    @property
    def closed(self) -> bool:
        return bool(self._closed)

    @property
    def free_window(self) -> int:
        """How many more would go out at once."""
        return 0 if self.closed else max(0, self._session.free_window - len(self._waiting))

    def put(self, pdu: Delivery) -> asyncio.Future[int]:
        """Put it behind what waits; `pump` sends it. Raises ProtocolError where it cannot be encoded."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        encode(pdu)  # what cannot be sent is to be known now, not when its turn has come
        if self.closed:
            _fail(future, SessionGone(self._closed))
        else:
            self._waiting.append((pdu, future))
        return future

    def pump(self, now: float) -> None:
        """Send what there is room for."""
        while self._waiting and self._session.free_window:
            pdu, future = self._waiting.popleft()
            if not future.done():  # else the caller has taken it back
                self._session.send(pdu, future, now)
                self.in_flight += 1

    def answered(self, future: asyncio.Future[int], response: Pdu) -> int:
        """The customer answered with `response`; the status that it means."""
        status = response.status
        if isinstance(response, GenericNack):  # says no even where its status says nothing
            status = status or Status.SYSTEM_ERROR
        self.answered_with(future, status)
        return status

    def answered_with(self, future: asyncio.Future[int], status: int) -> None:
        """The customer answered with `status`, whatever came behind it."""
        self.in_flight -= 1
        if not future.done():
            future.set_result(status)

    def unanswered(self, future: asyncio.Future[int], reason: str) -> None:
        """No answer in time, or the session ended before it."""
        self.in_flight -= 1
        there = self._session.state in BOUND_STATES
        _fail(future, Unanswered(reason) if there else SessionGone(reason))

    def close(self, reason: str) -> None:
        """Send nothing more: what still waits for its turn was never sent."""
        self._closed = self._closed or reason or "the session is gone"
        while self._waiting:
            _fail(self._waiting.popleft()[1], SessionGone(reason))


def _fail(future: asyncio.Future[int], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody need await it: it is no error to tell of
