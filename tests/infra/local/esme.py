"""An ESME for the simulator's tests: one session, its events kept in order."""

import asyncio
from collections.abc import Callable
from typing import Self, TypeVar

from smpp_bridge.protocol.events import BindRefused, Bound, Closed, Event, Request, Response
from smpp_bridge.protocol.operations import Role
from smpp_bridge.protocol.pdu import Bind, BindTransceiver, DataSm, DeliverSm, SubmitSm, SubmitSmResp
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

Happened = TypeVar("Happened", bound=Event)
PATIENCE_SECONDS = 5.0


class Esme(asyncio.Protocol):
    """Acknowledges what it is sent with `receipt_status`, if `acknowledges`."""

    def __init__(self, *, acknowledges: bool = True, receipt_status: int = Status.OK) -> None:
        self.loop = asyncio.get_running_loop()
        self.session = Session(Role.ESME, self.loop.time(), window=1_000)
        self.events: list[Event] = []
        self.closed = False
        self.acknowledges = acknowledges
        self.receipt_status = receipt_status
        self.transport: asyncio.Transport | None = None
        self._changed = asyncio.Event()

    @classmethod
    async def bound(cls, port: int, request: Bind | None = None, **options: bool | int) -> Self:
        _, esme = await asyncio.get_running_loop().create_connection(lambda: cls(**options), "127.0.0.1", port)  # type: ignore[arg-type]
        esme.session.bind(request or BindTransceiver(system_id="demo", password="demo"), esme.loop.time())
        esme.flush()
        await esme.until(lambda: any(isinstance(e, Bound | BindRefused | Closed) for e in esme.events))
        return esme

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for event in self.session.receive(data, self.loop.time()):
            self.events.append(event)
            if isinstance(event, Request) and self.acknowledges:
                self.session.reply(event.pdu, self.receipt_status)
        self.flush()
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.events += self.session.close("closed")
        self._changed.set()

    def flush(self) -> None:
        assert self.transport is not None
        self.transport.write(self.session.take_output())

    def close(self) -> None:
        assert self.transport is not None
        self.transport.close()

    def submit(self, destination: str, text: bytes = b"hola", **fields: object) -> None:
        pdu = SubmitSm(
            source_addr="Chasqui",
            destination_addr=destination,
            short_message=text,
            **{"registered_delivery": 1, **fields},  # type: ignore[arg-type]
        )
        self.session.send(pdu, destination, self.loop.time())
        self.flush()

    def of(self, kind: type[Happened]) -> list[Happened]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def responses(self) -> list[SubmitSmResp]:
        return [event.pdu for event in self.of(Response) if isinstance(event.pdu, SubmitSmResp)]

    @property
    def receipts(self) -> list[DeliverSm | DataSm]:
        return [event.pdu for event in self.of(Request) if isinstance(event.pdu, DeliverSm | DataSm)]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
