"""Receipts a second that the bridge tells a customer, with AWS in memory: queue's JSON in, deliver_sm out, answers in.

`python -m tests.bench.receipts_out [seconds]`: prints, asserts nothing. `customers` calls `receipts_out`. The customer
is a process of its own that answers each deliver_sm and does nothing else.
"""

import asyncio
import resource
import struct
import sys
import time
from collections.abc import Awaitable, Sequence
from itertools import count
from typing import Final, NamedTuple

from chalicelib.domain.esme import EsmeItem, EsmeReceipt
from chalicelib.domain.status import Status
from chalicelib.store.queues import Record
from chalicelib.wire import EsmeBundle, encode
from smpp_bridge.customers.application import Answer, BoundSession
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.pdu import Pdu
from tests.smpp_bridge.customers.world import PASSWORD, Memory, login, verify

LOGIN: Final = "bench"
RUNS: Final = ((1, 1), (1, 10), (1, 100), (10, 10))  # sessions, window
ITEMS: Final = 98  # a record: as settle makes them when there is much to tell
WARM_SECONDS: Final = 0.5
_NUMBER: Final = "0" * 18
_HEADER: Final = struct.Struct(">LLLL")
_DELIVER_SM: Final = 0x00000005


class Told(NamedTuple):
    """What was measured."""

    per_second: float
    core: float  # the bridge's share of one

    @property
    def per_core(self) -> float:
        """Receipts that a core's second would do."""
        return self.per_second / self.core


class Endless:
    """A mailbox whose queue never ends: a record's receipts have new ids each time."""

    def __init__(self) -> None:
        items = tuple(
            EsmeReceipt(
                id=f"msg_{_NUMBER}{number:08}",
                sender="Chasqui",
                to=f"+3460011{number:04}",
                submitted_ms=time.time_ns() // 1_000_000,
                done_ms=time.time_ns() // 1_000_000,
                status=Status.DELIVERED,
                text="Hola, tu pedido 4930",
            )
            for number in range(ITEMS)
        )
        self._body = encode(EsmeBundle(id="bundle", login=LOGIN, items=items))
        self._numbers = count(1)

    async def receive(self, login: str) -> list[Record]:
        await asyncio.sleep(0)
        now_ms = time.time_ns() // 1_000_000
        made = []
        for _ in range(10):
            number = f"{next(self._numbers):018}"
            body = self._body.replace(_NUMBER, number)
            made.append(Record(id=number, handle=number, body=body, received_times=1, sent_ms=now_ms))
        return made

    async def hide(self, login: str, handles: Sequence[str], seconds: int) -> None: ...
    async def delete(self, login: str, handles: Sequence[str]) -> None: ...
    async def put_off(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None: ...
    async def bury(self, login: str, body: str, reason: str, receives: int) -> None: ...


class Telling:
    """An application that only tells."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def on_bound(self, bound: BoundSession) -> None:
        self.outbox.on_bound(bound)

    def on_request(self, bound: BoundSession, request: Pdu) -> Awaitable[Answer]:
        raise NotImplementedError

    def on_gone(self, bound: BoundSession) -> None:
        self.outbox.on_gone(bound)

    async def stop(self) -> None:
        await self.outbox.stop()


class Customer(asyncio.Protocol):
    """Binds as receiver and answers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._framer = Framer()
        body = f"{LOGIN}\0{PASSWORD}\0\0\x34\0\0\0".encode()
        transport.write(_HEADER.pack(16 + len(body), 1, 0, 1) + body)

    def data_received(self, data: bytes) -> None:
        answers = []
        for frame in self._framer.feed(data):
            _, command_id, _, sequence = _HEADER.unpack_from(frame)
            if command_id == _DELIVER_SM:
                answers.append(_HEADER.pack(17, command_id | 0x80000000, 0, sequence) + b"\0")
            elif command_id < 0x80000000:
                answers.append(_HEADER.pack(16, command_id | 0x80000000, 0, sequence))
        self._transport.write(b"".join(answers))


async def customer(port: int, sessions: int) -> None:
    """The other process: until it is ended."""
    loop = asyncio.get_running_loop()
    for _ in range(sessions):
        await loop.create_connection(Customer, "127.0.0.1", port)
    await asyncio.Event().wait()


async def receipts_out(sessions: int, window: int, seconds: float) -> Told:
    """Receipts acknowledged a second over so many receiver sessions of one login, each with that window."""
    telling = Telling(Outbox(Endless()))
    platform = Memory(login(LOGIN, max_sessions=sessions, window=window))
    terms = CustomerTerms(hosts="127.0.0.1", drain_seconds=1.0)
    server = CustomerServer(platform, telling, terms=terms, bridge=lambda: "bench", verify=verify)
    await server.start(port=0)
    command = (sys.executable, "-m", "tests.bench.receipts_out", "customer", str(server.listeners.port), str(sessions))
    process = await asyncio.create_subprocess_exec(*command)
    try:
        while not telling.outbox.told.receipts:
            await asyncio.sleep(0.05)
        await asyncio.sleep(WARM_SECONDS)
        before, cpu, started = telling.outbox.told.receipts, _cpu(), time.perf_counter()
        await asyncio.sleep(seconds)
        passed = time.perf_counter() - started
        return Told((telling.outbox.told.receipts - before) / passed, (_cpu() - cpu) / passed)
    finally:
        process.terminate()
        await process.wait()
        await server.stop()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(seconds: float) -> None:
    print(f"receipts out, AWS in memory, {seconds:.0f} s each")
    for sessions, window in RUNS:
        told = await receipts_out(sessions, window, seconds)
        print(
            f"  {sessions:2} session{'s' if sessions > 1 else ' '} of window {window:3}: {told.per_second:7,.0f}/s"
            f" ({told.core:.0%} of a core: {told.per_core:,.0f} a core's second)"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["customer"]:
        asyncio.run(customer(int(sys.argv[2]), int(sys.argv[3])))
    else:
        asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0))
