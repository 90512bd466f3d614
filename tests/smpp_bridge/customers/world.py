"""A server for customers with its surroundings in memory: logins, places, an application that answers at will."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.smpp_login import EsmeSession, SmppLogin, Traffic
from smpp_bridge.customers.application import Answer, BoundSession
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.pdu import Bind, BindTransceiver, Pdu, SubmitSm
from tests.infra.local.esme import Esme
from tests.smpp_bridge.gateways.world import run, until

__all__ = ["Esme", "Raw", "run", "until"]

PASSWORD = "letmein"
QUICK = CustomerTerms(refusal_seconds=0.0, drain_seconds=1.0, hosts="127.0.0.1")
HIGH_RATE = 100_000.0


def login(system_id: str = "demo", **given: Any) -> SmppLogin:
    plain: dict[str, Any] = {
        "account": "acc_1",
        "name": "demo",
        "password_hash": f"hash of {PASSWORD}",
        "created_ms": 0,
        "per_second": HIGH_RATE,
    }
    return SmppLogin(system_id=system_id, **{**plain, **given})


def verify(password: str, password_hash: str | None) -> bool:
    return password_hash == f"hash of {password}"


class Memory:
    """The customers' platform in memory, shared by the bridges that are given the same one."""

    def __init__(self, *logins: SmppLogin) -> None:
        self.logins = {each.system_id: each for each in logins or (login(),)}
        self.stale: dict[str, SmppLogin] = {}  # what is told unless it is asked for afresh
        self.accounts = {"acc_1": Account(id="acc_1", name="one", created_ms=0)}
        self.places: dict[str, dict[int, EsmeSession]] = defaultdict(dict)
        self.beats: list[tuple[str, Traffic]] = []
        self.asked: set[str] = set()  # session ids that are to unbind
        self.unwell = False
        self.looked_up = 0

    def change(self, system_id: str = "demo", **changes: Any) -> None:
        self.logins[system_id] = msgspec.structs.replace(self.logins[system_id], **changes)

    async def _check(self) -> None:
        await asyncio.sleep(0)
        if self.unwell:
            raise OSError("AWS is unwell")

    async def login(self, system_id: str, *, fresh: bool = False) -> SmppLogin | None:
        await self._check()
        self.looked_up += 1
        if not fresh and system_id in self.stale:
            return self.stale[system_id]
        return self.logins.get(system_id)

    async def account(self, id_: str) -> Account | None:
        await self._check()
        return self.accounts.get(id_)

    async def take(self, session: EsmeSession, max_sessions: int) -> int | None:
        await self._check()
        held = self.places[session.system_id]
        free = next((slot for slot in range(max_sessions) if slot not in held), None)
        if free is not None:
            held[free] = session
        return free

    async def beat(self, session: EsmeSession, slot: int, traffic: Traffic) -> bool:
        await self._check()
        self.beats.append((session.id, traffic))
        return session.id in self.asked or self.places[session.system_id].get(slot) != session

    async def release(self, session: EsmeSession, slot: int) -> None:
        await self._check()
        if self.places[session.system_id].get(slot) == session:
            del self.places[session.system_id][slot]


class Application:
    """Answers submits with ids at once, or when `held` lets go; keeps what it was told."""

    def __init__(self) -> None:
        self.bound: list[BoundSession] = []
        self.gone: list[BoundSession] = []
        self.requests: list[Pdu] = []
        self.answer: Callable[[Pdu], Answer] = lambda pdu: Answer(fields={"message_id": f"msg_{pdu.sequence}"})
        self.held: asyncio.Event | None = None
        self.stopped = False

    def on_bound(self, bound: BoundSession) -> None:
        self.bound.append(bound)

    def on_request(self, bound: BoundSession, request: Pdu) -> Awaitable[Answer]:
        self.requests.append(request)
        return self._answer(request)

    async def _answer(self, request: Pdu) -> Answer:
        if self.held is not None:
            await self.held.wait()
        return self.answer(request)

    def on_gone(self, bound: BoundSession) -> None:
        self.gone.append(bound)

    async def stop(self) -> None:
        self.stopped = True


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.clock = Clock(monotonic=lambda: self.now, epoch_ms=lambda: int(self.now * 1000))

    def turn(self, seconds: float, server: CustomerServer) -> None:
        self.now += seconds
        server.tick()


class World:
    """A server that listens, and what it stands on."""

    def __init__(self, server: CustomerServer, platform: Memory, application: Application, hands: Hands) -> None:
        self.server = server
        self.platform = platform
        self.application = application
        self.hands = hands
        self.noted: list[BindEvent] = []  # for the bind log
        server.shared.note = self.noted.append

    @property
    def port(self) -> int:
        return self.server.listeners.port

    @property
    def door(self) -> Any:
        return self.server.shared.door

    @property
    def counts(self) -> Any:
        return self.server.shared.counts

    def turn(self, seconds: float) -> None:
        self.hands.turn(seconds, self.server)

    async def bind(self, kind: type[Bind] = BindTransceiver, **fields: Any) -> Esme:
        request = kind(**{"system_id": "demo", "password": PASSWORD, **fields})
        return await Esme.bound(self.port, request)


@asynccontextmanager
async def serving(
    *logins: SmppLogin, terms: CustomerTerms = QUICK, platform: Memory | None = None, real_time: bool = False
) -> AsyncIterator[World]:
    platform, application, hands = platform or Memory(*logins), Application(), Hands()
    clock = Clock() if real_time else hands.clock
    server = CustomerServer(platform, application, terms=terms, clock=clock, bridge=lambda: "bridge_1", verify=verify)
    await server.start(port=0)
    try:
        yield World(server, platform, application, hands)
    finally:
        for connection in list(server.shared.connections):
            connection.abort("the test is over")
        await server.stop()


class Raw:
    """A peer that says octets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framer = Framer()
        self._frames: list[bytes] = []

    @classmethod
    async def connected(cls, port: int, host: str = "127.0.0.1", **options: Any) -> "Raw":
        return cls(*await asyncio.open_connection(host, port, **options))

    def say(self, *pdus: Pdu | bytes) -> None:
        self.writer.write(b"".join(pdu if isinstance(pdu, bytes) else encode(pdu) for pdu in pdus))

    async def bind(self, kind: type[Bind] = BindTransceiver, **fields: Any) -> Pdu:
        self.say(kind(**{"sequence": 1, "system_id": "demo", "password": PASSWORD, **fields}))
        answer = await self.next()
        assert answer is not None
        return answer

    async def next(self) -> Pdu | None:
        """The next PDU; None where the server has hung up."""
        async with asyncio.timeout(5):
            while not self._frames:
                try:
                    data = await self.reader.read(65_536)
                except ConnectionError:
                    return None
                if not data:
                    return None
                self._frames += self._framer.feed(data)
        return decode(self._frames.pop(0))

    async def hung_up(self) -> bool:
        """Read to the end."""
        while await self.next() is not None:
            pass
        return True

    def close(self) -> None:
        self.writer.close()


def submits(count: int, first: int = 2) -> bytes:
    return b"".join(
        encode(SubmitSm(sequence=number, destination_addr="34600000001", short_message=b"hola"))
        for number in range(first, first + count)
    )
