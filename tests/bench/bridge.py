"""The bridge's submit path alone, one session against the simulator, beside a sender that only packs structs.

`python -m tests.bench.bridge [seconds]`: prints, asserts nothing. Dispatches come from memory and outcomes go there;
all else is the bridge as it runs: claims, backlog, rate, window, codec, outcomes in bundles, JSON of what goes to SQS.
"""

import asyncio
import os
import resource
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.gateway_beat import GatewayBeat
from chalicelib.domain.ids import new_message_id, new_ulid
from chalicelib.domain.rules import Gateway, Rules
from chalicelib.domain.text import Encoding
from chalicelib.domain.waiting_order import WaitingOrder
from chalicelib.store.job_controls import Control
from chalicelib.store.queues import Record
from chalicelib.wire import MAX_BUNDLE_MESSAGES, Dispatch, DispatchBundle, Outcome, OutcomeBundle, encode
from smpp_bridge.gateways.platform import Holder
from smpp_bridge.gateways.supervisor import Supervisor
from smpp_bridge.protocol.framing import Framer
from tests.smpp_bridge.gateways.world import MemoryLeases

RUNS: Final = ((0, 100), (50, 1_000))  # response time in ms, window
TEXT: Final = "Hola, tu pedido 493021 ha salido de la tienda. ¡Llega mañana! Si no vas a estar, responde NO a este SMS."
WARM_SECONDS: Final = 1.0
BUNDLES: Final = 200  # made beforehand, and delivered again and again under new ids


class Memory:
    """The platform in memory: an endless normal queue; outcomes are bundled and encoded, then dropped."""

    def __init__(self, gateway: Gateway) -> None:
        self._rules = Rules(number=1, published_ms=0, published_by="bench", gateways=(gateway,))
        self._bodies = [
            encode(_bundle(gateway.id, number)).replace(f"bundle-{number}", "%s") for number in range(BUNDLES)
        ]
        self._next = 0
        self.outcomes = 0
        self.leases = MemoryLeases()

    async def rules(self) -> Rules:
        return self._rules

    async def password_of(self, gateway: str) -> str:
        return "bench"

    async def receive(self, queue: str, most: int) -> list[Record]:
        if queue.endswith("-bulk"):
            await asyncio.sleep(1)
            return []
        now_ms = time.time_ns() // 1_000_000
        records = []
        for _ in range(most):
            self._next += 1
            body = self._bodies[self._next % BUNDLES] % f"{self._next:026}"
            records.append(Record(id="", handle=str(self._next), body=body, received_times=1, sent_ms=now_ms))
        return records

    async def hide(self, queue: str, handles: Sequence[str], seconds: int) -> None: ...
    async def delete(self, handles: list[tuple[str, str]]) -> None: ...
    async def send_dispatches(self, dispatches: list[tuple[str, DispatchBundle]]) -> None: ...
    async def send_later(self, dispatches: list[tuple[str, DispatchBundle]], seconds: int) -> None: ...

    async def job_controls(self, since_ms: int) -> list[Control]:
        return []

    async def waiting_orders(self) -> list[WaitingOrder]:
        return []

    async def count_ordered(self, order: str, messages: int, at_ms: int) -> None: ...
    async def tell_beats(self, beats: Sequence[GatewayBeat]) -> None: ...
    async def tell_binds(self, events: Sequence[BindEvent]) -> None: ...

    async def canceled(self, account: str, message_ids: Sequence[str]) -> set[str]:
        return set()

    async def send_outcomes(self, outcomes: list[Outcome]) -> None:
        for at in range(0, len(outcomes), MAX_BUNDLE_MESSAGES):
            encode(OutcomeBundle(id=new_ulid(0), outcomes=tuple(outcomes[at : at + MAX_BUNDLE_MESSAGES])))
        self.outcomes += len(outcomes)

    async def claim(self, dispatch_id: str, by: str, at_ms: int) -> Holder:
        return Holder.NOW_OURS

    async def facts_of(self, account: str, message_id: str) -> list[AnyFact]:
        return []


class Bare(asyncio.Protocol):
    """The ceiling: one submit_sm packed beforehand, a new sequence in each, answers counted by the framing alone."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._framer = Framer()
        self._sequence = 1
        self.bound = asyncio.Event()
        self.answers = 0
        content = _content(0)
        body = b"%b\0\5\0Chasqui\0\1\1%b\0\0\0\1\0%b\0\1\0\0\0%c%b" % (
            *(b"", content.to[1:].encode(), b"000002000000000R"),
            *(len(content.text), content.text.encode("latin-1")),
        )
        self._head = struct.pack(">LLL", 16 + len(body), 4, 0)
        self._body = body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        body = b"bench\0bench\0\0\x34\0\0\0"
        transport.write(struct.pack(">LLLL", 16 + len(body), 9, 0, 1) + body)

    def data_received(self, data: bytes) -> None:
        frames = self._framer.feed(data)
        if not self.bound.is_set():
            self.bound.set()
            self._send(self._window)
            return
        self.answers += len(frames)
        self._send(len(frames))

    def _send(self, count: int) -> None:
        head, body, first = self._head, self._body, self._sequence + 1
        pack = struct.Struct(">L").pack
        self._sequence += count
        self._transport.write(b"".join([head + pack(sequence) + body for sequence in range(first, first + count)]))


def _content(number: int) -> Content:
    return Content(
        to=f"+346{number % 100_000_000 // 10:07}9",  # an ending that the simulator delivers
        country="ES",
        sender="Chasqui",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=2**42,
        text=TEXT,
    )


def _bundle(gateway: str, number: int) -> DispatchBundle:
    now_ms = time.time_ns() // 1_000_000
    messages = tuple(
        Dispatch(id=new_message_id(now_ms), content=_content(number * MAX_BUNDLE_MESSAGES + at))
        for at in range(MAX_BUNDLE_MESSAGES)
    )
    return DispatchBundle(id=f"bundle-{number}", account="acc_bench", gateway=gateway, messages=messages)


@asynccontextmanager
async def simulator(response_ms: int) -> AsyncIterator[int]:
    """The simulator as a process of its own, without receipts and without remembering; its port."""
    options = {"receipts": "off", "record": "off", "window": "100000", "response-delay-ms": str(response_ms)}
    command = [sys.executable, "-m", "infra.local.smsc", *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline().split("smpp ")[1].split(",")[0].rpartition(":")[2])
    finally:
        process.terminate()
        process.wait()


async def bridge_rate(port: int, window: int, seconds: float) -> tuple[float, float]:
    """Answered submits a second through the bridge, and the share of a core that it took."""
    gateway = Gateway(
        id="bench",
        name="bench",
        host="127.0.0.1",
        port=port,
        system_id="bench",
        window=window,
        messages_per_second=1e6,
    )
    supervisor = Supervisor(Memory(gateway))
    running = asyncio.create_task(supervisor.run())
    await asyncio.sleep(WARM_SECONDS)
    counts = supervisor.workers["bench"].counts
    before, cpu, started = counts.responses[0], _cpu(), time.perf_counter()
    await asyncio.sleep(seconds)
    passed = time.perf_counter() - started
    rate, share = (counts.responses[0] - before) / passed, (_cpu() - cpu) / passed
    running.cancel()
    await supervisor.stop()
    return rate, share


async def bare_rate(port: int, window: int, seconds: float) -> float:
    """Answered submits a second of the sender that only packs."""
    _, bare = await asyncio.get_running_loop().create_connection(lambda: Bare(window), "127.0.0.1", port)
    await bare.bound.wait()
    await asyncio.sleep(WARM_SECONDS)
    before, started = bare.answers, time.perf_counter()
    await asyncio.sleep(seconds)
    return (bare.answers - before) / (time.perf_counter() - started)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(seconds: float) -> None:
    print(f"bridge alone, one session, {len(TEXT)} characters, {seconds:.0f} s each, {os.cpu_count()} cores")
    for response_ms, window in RUNS:
        async with simulator(response_ms) as port:
            bridge, share = await bridge_rate(port, window, seconds)
        async with simulator(response_ms) as port:
            bare = await bare_rate(port, window, seconds)
        print(
            f"  response {response_ms:2} ms, window {window:5,}: bridge {bridge:7,.0f} submit_sm/s"
            f" ({share:.0%} of a core: {bridge / share:,.0f} a core's second), bare structs {bare:7,.0f}/s"
        )


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0))
