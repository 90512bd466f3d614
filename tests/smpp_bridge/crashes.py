"""What crashes and outages are made of: a bridge as a process, a line to AWS that can be cut, and settle by hand."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum
from pathlib import Path

from chalicelib.domain.account import Account
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.rules import Gateway
from chalicelib.services.settle import settle
from chalicelib.store import accounts, aws, made_queues, messages, queues, rules, secrets
from chalicelib.wire import DispatchBundle, Outcome, OutcomeBundle, decode
from tests.smpp_bridge.gateways.world import now_ms

ROOT = Path(__file__).parents[2]
ACCOUNT = "acc_1"


def publish(*gateways: Gateway, visibility_seconds: int = 120) -> None:
    """The account, the rules in force, and the gateways' queues."""
    accounts.create(Account(id=ACCOUNT, name="Acme", created_ms=now_ms()))  # settle remembers what is there, only
    sqs = aws.client("sqs")
    for gateway in gateways:
        made_queues.create_gateway_queues(gateway.id)
        secrets.put(secrets.gateway_password(gateway.id), "secret")
        for queue in (f"gateway-{gateway.id}", f"gateway-{gateway.id}-bulk"):
            given = {"VisibilityTimeout": str(visibility_seconds)}
            sqs.set_queue_attributes(QueueUrl=queues.url(queue), Attributes=given)
    rules.publish(list(gateways), [], [], by="test", note="", now_ms=now_ms())


def put(bundles: Iterable[DispatchBundle]) -> None:
    for bundle in bundles:
        queues.send(f"gateway-{bundle.gateway}", bundle)


def settled() -> list[Outcome]:
    """Take what lies on ⟨outcomes⟩, as settle does."""
    found: list[Outcome] = []
    while records := queues.receive(queues.OUTCOMES, wait_seconds=0):
        told = [bundle for record in records if isinstance(bundle := decode(record.body), OutcomeBundle)]
        assert len(told) == len(records)
        settle(told, now_ms())
        found += [outcome for bundle in told for outcome in bundle.outcomes]
        queues.delete_many(queues.OUTCOMES, [record.handle for record in records])
    return found


async def settled_until(told: list[Outcome], condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Settle again and again, adding to `told`, until the condition holds; fails the test where it never does."""
    deadline = time.monotonic() + seconds
    while True:
        told += await asyncio.to_thread(settled)
        if condition():
            return
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.2)


def facts_of(message_id: str) -> list[AnyFact]:
    return messages.facts_of(ACCOUNT, message_id)


class Process:
    """A bridge as a process."""

    def __init__(self, **settings: float) -> None:
        given = {"port": 0, "poll_seconds": 0.1, "receive_seconds": 1, "lease_seconds": 1.0, "settled_seconds": 0.5}
        named = {f"CHASQUI_BRIDGE_{name.upper()}": str(value) for name, value in {**given, **settings}.items()}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "smpp_bridge"],
            cwd=ROOT,
            env={**os.environ, **named, "CHASQUI_RULES_POLL_SECONDS": "0.5"},
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


@contextmanager
def process(**settings: float) -> Iterator[Process]:
    """Stopped in order at the end, unless it has been killed."""
    started = Process(**settings)
    try:
        yield started
        started.stop()
    finally:
        started.kill()


class Line(Enum):
    """How the line to AWS is."""

    WELL = "well"
    SLOW = "slow"
    DEAD = "dead"  # connections are taken and nothing is answered
    REFUSING = "refusing"  # connections are closed at once


class Proxy:
    """The line between a bridge in this process and AWS."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._line = Line.WELL
        self._well = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    def set(self, line: Line) -> None:
        """What was cut stays cut: clients connect anew."""
        if Line.DEAD in (line, self._line) or line is Line.REFUSING:
            for writer in list(self._writers):
                if line is not Line.DEAD:
                    writer.close()
        self._line = line

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._line is Line.REFUSING:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        mine = {writer, far_writer}
        self._writers |= mine
        try:
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        except ConnectionError:
            pass
        finally:
            self._writers -= mine
            for each in mine:
                each.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            while self._line is Line.DEAD:
                await asyncio.sleep(0.05)
            if self._line is Line.SLOW:
                await asyncio.sleep(0.15)
            writer.write(data)
        writer.close()


@asynccontextmanager
async def proxy(to_port: int) -> AsyncIterator[Proxy]:
    line = Proxy(to_port)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    try:
        yield line
    finally:
        line.set(Line.REFUSING)
        server.close()
