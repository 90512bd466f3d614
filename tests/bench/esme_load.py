"""A customer that sends as fast as it is answered: sessions with full windows, nothing but packed structs.

`python -m tests.bench.esme_load` reads an Order from standard input and prints a Tally; both are JSON.
"""

import asyncio
import struct
import sys
import time
from collections import Counter
from itertools import count
from typing import Final

import msgspec

from smpp_bridge.protocol.framing import Framer

TEXT: Final = b"Hola, tu pedido 493021 ha salido de la tienda. Llega hoy. Si no vas a estar, responde NO a este SMS."
_HEAD: Final = struct.Struct(">LLLL")
_SUBMIT_SM, _DELIVER_SM, _ENQUIRE_LINK, _BIND_TRANSCEIVER = 0x04, 0x05, 0x15, 0x09
_RESPONSE: Final = 0x8000_0000


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """`messages` in all, over all sessions, each of `window`; then it waits until `receipts` have come, and goes."""

    port: int
    system_id: str
    password: str
    sessions: int = 1
    window: int = 100
    messages: int = 0
    receipts: int = 0
    seconds: float = 120.0  # at most
    hold_seconds: float = 0.0  # bound and idle, before anything else


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Times from the first submit; `p50_ms` and `p99_ms` are from a submit to its response."""

    statuses: dict[str, int]
    submit_seconds: float
    p50_ms: float
    p99_ms: float
    receipts: int
    receipt_seconds: float
    cpu_seconds: float


class Load:
    """What all sessions share."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.numbers = count()
        self.sent = 0
        self.statuses: Counter[str] = Counter()
        self.waits: list[float] = []
        self.receipts = 0
        self.begun = self.answered = self.told = 0.0
        self.changed = asyncio.Event()

    @property
    def is_done(self) -> bool:
        return len(self.waits) >= self.order.messages and self.receipts >= self.order.receipts


class Session(asyncio.Protocol):
    """One bound session."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._framer = Framer()
        self._sequence = 1
        self._sent_at: dict[int, float] = {}
        self.bound = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        order = self._load.order
        body = b"%b\0%b\0\0\x34\0\0\0" % (order.system_id.encode(), order.password.encode())
        transport.write(_HEAD.pack(16 + len(body), _BIND_TRANSCEIVER, 0, 1) + body)

    def data_received(self, data: bytes) -> None:
        load, now = self._load, time.perf_counter()
        replies = bytearray()
        for frame in self._framer.feed(data):
            _, command, status, sequence = _HEAD.unpack_from(frame)
            if command == _SUBMIT_SM | _RESPONSE:
                load.waits.append(now - self._sent_at.pop(sequence))
                load.statuses[f"0x{status:02X}"] += 1
                load.answered = now
            elif command == _DELIVER_SM:
                load.receipts += 1
                load.told = now
                replies += _HEAD.pack(17, command | _RESPONSE, 0, sequence) + b"\0"
            elif command == _ENQUIRE_LINK:
                replies += _HEAD.pack(16, command | _RESPONSE, 0, sequence)
            elif command == _BIND_TRANSCEIVER | _RESPONSE:
                self.bound.set_result(status)
        self._transport.write(bytes(replies) + self._filled(now) if load.begun else bytes(replies))
        load.changed.set()

    def fill(self) -> None:
        """Begin to send."""
        self._transport.write(self._filled(time.perf_counter()))

    def _filled(self, now: float) -> bytes:
        """Submits for what the window has free."""
        load, filled = self._load, bytearray()
        while len(self._sent_at) < load.order.window and load.sent < load.order.messages:
            load.sent += 1
            self._sequence += 1
            to = b"346%08d" % (10_000_000 + next(load.numbers) * 10 + 9)  # an ending that the simulator delivers
            body = b"\0\5\0Chasqui\0\1\1%b\0\0\0\1\0\0\1\0\0\0%c%b" % (to, len(TEXT), TEXT)
            filled += _HEAD.pack(16 + len(body), _SUBMIT_SM, 0, self._sequence) + body
            self._sent_at[self._sequence] = now
        return bytes(filled)


async def run(order: Order) -> Tally:
    """Do it. Raises AssertionError where a session is not bound."""
    load = Load(order)
    loop = asyncio.get_running_loop()
    sessions = [
        (await loop.create_connection(lambda: Session(load), "127.0.0.1", order.port))[1] for _ in range(order.sessions)
    ]
    bound = await asyncio.gather(*(session.bound for session in sessions))
    assert set(bound) == {0}, bound
    print("bound", flush=True)
    await asyncio.sleep(order.hold_seconds)
    load.begun = load.answered = load.told = time.perf_counter()
    for session in sessions:
        session.fill()
    async with asyncio.timeout(order.seconds):
        while not load.is_done:
            load.changed.clear()
            await load.changed.wait()
    waits = sorted(load.waits) or [0.0]
    return Tally(
        statuses=dict(load.statuses),
        submit_seconds=load.answered - load.begun,
        p50_ms=waits[len(waits) // 2] * 1000,
        p99_ms=waits[len(waits) * 99 // 100] * 1000,
        receipts=load.receipts,
        receipt_seconds=load.told - load.begun,
        cpu_seconds=time.process_time(),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order)))).decode())
