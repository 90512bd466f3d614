"""Customers over SMPP: submits taken and receipts told a second, with AWS stubbed and on the local stack.

`python -m tests.bench.customers`: fails where a core takes fewer than BAR submits a second with AWS stubbed, or idle
sessions cost more than MAX_IDLE_MB. Stubbed is what goes over the wire alone: SQS takes each bundle after STUB_SECONDS,
and DynamoDB is moto in the process, which is asked once a second; all else is the bridge as it runs.
"""

import asyncio
import itertools
import logging
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.esme import EsmeItem, EsmeReceipt
from chalicelib.domain.ids import new_message_id, new_ulid
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Target
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.domain.status import Status
from chalicelib.services.listen import listen
from chalicelib.settings import settings
from chalicelib.store import accounts, ledger, queues, rules
from chalicelib.store.queues import Record
from chalicelib.wire import MAX_BUNDLE_MESSAGES, EsmeBundle, encode
from smpp_bridge.customers.aws_submits import AwsSubmits
from smpp_bridge.customers.desk import SubmitDesk
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.customers.reception import Reception
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock
from tests.bench.esme_load import Order, Tally
from tests.conftest import ENVIRONMENT
from tests.flows.local_run import LocalRun
from tests.smpp_bridge.customers.world import PASSWORD, Memory, verify
from tests.world import empty_aws

BAR: Final = 5_000  # submit_sm a second and core
MAX_IDLE_MB: Final = 50.0
IDLE_SESSIONS: Final = 500
WINDOW: Final = 100
SESSIONS: Final = (1, 10)
STUB_SECONDS: Final = 0.005  # what SQS takes in the same region
STUBBED: Final = int(os.environ.get("BENCH_STUBBED_SUBMITS", "60000"))
LOCAL: Final = int(os.environ.get("BENCH_SUBMITS", "2000"))
RECEIPTS: Final = 40_000
LOGIN: Final = SmppLogin(
    system_id="bench",
    account="acc_bench",
    name="bench",
    password_hash=f"hash of {PASSWORD}",
    created_ms=0,
    max_sessions=1_000,
    window=WINDOW,
    per_second=1e6,
)
ACCOUNT: Final = Account(id=LOGIN.account, name="bench", created_ms=0)
TERMS: Final = CustomerTerms(
    hosts="127.0.0.1", max_per_address=10_000, max_unbound_per_address=10_000, enquire_link_seconds=0.0
)


class Mailbox:
    """A login's queue that has `left` receipts more; a hundred a record, as settle writes them."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._numbers = itertools.count()

    async def receive(self, login: str) -> list[Record]:
        if not self._left:
            await asyncio.sleep(1)
            return []
        await asyncio.sleep(STUB_SECONDS)
        return [self._record(login) for _ in range(10) if self._left]

    def _record(self, login: str) -> Record:
        now_ms = time.time_ns() // 1_000_000
        some = min(self._left, MAX_BUNDLE_MESSAGES)
        self._left -= some
        items = tuple(
            EsmeReceipt(
                id=new_message_id(now_ms),
                sender="Chasqui",
                to="+34600123456",
                submitted_ms=now_ms,
                done_ms=now_ms,
                status=Status.DELIVERED,
                text="Hola, tu pedido 4930",
            )
            for _ in range(some)
        )
        number = next(self._numbers)
        body = encode(EsmeBundle(id=new_ulid(now_ms), login=login, items=items))
        return Record(id=str(number), handle=str(number), body=body, received_times=1, sent_ms=now_ms)

    async def hide(self, login: str, handles: Sequence[str], seconds: int) -> None: ...
    async def delete(self, login: str, handles: Sequence[str]) -> None: ...
    async def put_off(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None: ...
    async def bury(self, login: str, body: str, reason: str, receives: int) -> None: ...


class Sqs:
    """Takes what it is sent."""

    def send_message_batch(self, **_: Any) -> dict[str, Any]:
        time.sleep(STUB_SECONDS)
        return {}


def plant() -> None:
    """An account with credit and a route, and SQS stubbed."""
    now_ms = time.time_ns() // 1_000_000
    accounts.create(ACCOUNT)
    listen(LOGIN.account, now_ms)
    ledger.grant(LOGIN.account, "01GRANT", 10**12, who="bench", why="bench", now_ms=now_ms)
    gateway = Gateway(id="real", name="Real", host="smsc.example", port=2775, system_id="one")
    route = Route(id="rte_es", targets=(Target(gateway="real"),), price_micros=50_000, country="ES")
    plan = [NumberingPrefix(prefix="346", country="ES", operator="Movistar ES")]
    rules.publish([gateway], [route], plan, by="bench", note="", now_ms=now_ms)
    queues.url(queues.ACCEPTED)
    queues._sqs = Sqs


@asynccontextmanager
async def serving(receipts: int = 0) -> AsyncIterator[int]:
    """The port of a server with all that stands behind it."""
    clock = Clock()
    submits = AwsSubmits(clock, join_seconds=15)
    reception = Reception(SubmitDesk(submits, clock), Outbox(Mailbox(receipts), clock=clock))
    platform = Memory(LOGIN)
    platform.accounts[ACCOUNT.id] = ACCOUNT
    server = CustomerServer(platform, reception, terms=TERMS, clock=clock, bridge=lambda: "bench", verify=verify)
    await server.start(port=0)
    try:
        yield server.listeners.port
    finally:
        await server.stop()
        submits.close()


async def ordered(order: Order, once_bound: Callable[[], Awaitable[None]] | None = None) -> Tally:
    """Have the order done by a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.esme_load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(msgspec.json.encode(order))
    process.stdin.close()
    assert await process.stdout.readline() == b"bound\n"
    if once_bound is not None:
        await once_bound()
    told = await process.stdout.read()
    assert await process.wait() == 0
    return msgspec.json.decode(told, type=Tally)


def order_of(port: int, **more: Any) -> Order:
    return Order(port=port, system_id=LOGIN.system_id, password=PASSWORD, window=WINDOW, **more)


async def stubbed_submits(sessions: int) -> float:
    """Submits a second and core, printed with the rest."""
    async with serving() as port:
        await ordered(order_of(port, sessions=sessions, messages=STUBBED // 10))
        before = time.process_time()
        tally = await ordered(order_of(port, sessions=sessions, messages=STUBBED))
        share = (time.process_time() - before) / tally.submit_seconds
    assert tally.statuses == {"0x00": STUBBED}, tally.statuses
    rate = STUBBED / tally.submit_seconds
    print(
        f"  AWS stubbed, {sessions:2} session(s): {rate:7,.0f} submit_sm/s ({share:.0%} of a core: {rate / share:,.0f} "
        f"a core's second), response p50 {tally.p50_ms:.1f} ms, p99 {tally.p99_ms:.1f} ms",
        flush=True,
    )
    return rate / share


async def stubbed_receipts(sessions: int) -> None:
    async with serving(RECEIPTS) as port:
        before = time.process_time()
        tally = await ordered(order_of(port, sessions=sessions, receipts=RECEIPTS))
        share = (time.process_time() - before) / tally.receipt_seconds
    rate = RECEIPTS / tally.receipt_seconds
    print(
        f"  AWS stubbed, {sessions:2} session(s): {rate:7,.0f} receipts/s ({share:.0%} of a core: {rate / share:,.0f} "
        "a core's second)",
        flush=True,
    )


async def idle_megabytes() -> float:
    """What so many sessions add to the process: what Python holds for them, or the pages, whichever is more.

    A process that has imported moto has free memory of its own, from which sessions are served first.
    """
    seen: list[tuple[float, float]] = []

    async def look() -> None:
        await asyncio.sleep(1)
        seen.append((tracemalloc.get_traced_memory()[0] / 1e6, _resident()))

    async with serving() as port:
        await ordered(order_of(port, messages=100))
        tracemalloc.start()
        try:
            await look()
            await ordered(order_of(port, sessions=IDLE_SESSIONS, hold_seconds=2.0), look)
        finally:
            tracemalloc.stop()
    (held_before, resident_before), (held_after, resident_after) = seen
    held, resident = held_after - held_before, resident_after - resident_before
    print(f"  {IDLE_SESSIONS} bound idle sessions: {held:.1f} MB held, {resident:.1f} MB more resident", flush=True)
    return max(held, resident)


def _resident() -> float:
    """Megabytes of this process in memory (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def local(backend: str) -> None:
    """On the local stack: all of the way, while it runs on this machine too."""
    folder = Path(tempfile.mkdtemp(prefix="chasqui-bench-"))
    run = LocalRun.start(folder, BACKEND=backend, CHASQUI_RUN_QUIET="1")
    try:
        smpp = (await asyncio.to_thread(run.card))["smpp"]
        for sessions in SESSIONS:
            login = {"port": smpp["port"], "system_id": smpp["system_id"], "password": smpp["password"]}
            order = Order(**login, sessions=sessions, window=WINDOW, messages=LOCAL, receipts=LOCAL, seconds=600)
            tally = await ordered(order)
            print(
                f"  local stack, AWS by {backend}, {sessions:2} session(s): {LOCAL / tally.submit_seconds:5,.0f} "
                f"submit_sm/s, response p50 {tally.p50_ms:.0f} ms, p99 {tally.p99_ms:.0f} ms; all receipts after "
                f"{tally.receipt_seconds:.1f} s: {tally.receipts / tally.receipt_seconds:,.0f}/s; {tally.statuses}",
                flush=True,
            )
    finally:
        run.stop()


def main() -> int:
    """0 where the bars are met."""
    logging.disable(logging.INFO)
    os.environ.update(ENVIRONMENT)
    settings.cache_clear()
    print(f"window {WINDOW}, {STUBBED:,} submits, {os.cpu_count()} cores, of which the customer takes one", flush=True)
    with empty_aws():
        plant()
        megabytes = asyncio.run(idle_megabytes())  # before anything else has made room
        rates = [asyncio.run(stubbed_submits(sessions)) for sessions in SESSIONS]
        for sessions in SESSIONS:
            asyncio.run(stubbed_receipts(sessions))
    for name in ENVIRONMENT:
        del os.environ[name]
    asyncio.run(local(os.environ.get("BACKEND") or "moto"))
    met = min(rates) >= BAR and megabytes < MAX_IDLE_MB
    print("the bars are met" if met else f"below the bars: {BAR:,} submits a core, {MAX_IDLE_MB:.0f} MB", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
