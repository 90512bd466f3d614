"""Starts the bridge and stops it in order on SIGTERM or SIGINT."""

import asyncio
import contextlib
import logging
import signal
import time
from typing import Any, Final

from smpp_bridge import logs
from smpp_bridge.customers.aws_side import CustomerSide
from smpp_bridge.customers.metrics import CustomerFigures
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.aws import AwsPlatform
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.leases import Terms
from smpp_bridge.gateways.supervisor import Supervisor
from smpp_bridge.health import HealthServer
from smpp_bridge.metrics import Metrics
from smpp_bridge.settings import BridgeSettings, customer_terms, from_environment

_log: Final = logging.getLogger(__name__)


async def run(settings: BridgeSettings, stop: asyncio.Event, terms: CustomerTerms | None = None) -> None:
    """Run until `stop` is set, then drain. Customers may bind where `terms` name a port."""
    clock = Clock()
    platform = AwsPlatform(clock, receive_seconds=settings.receive_seconds, settled_seconds=settings.settled_seconds)
    metrics = Metrics()
    supervisor = Supervisor(
        platform,
        clock=clock,
        poll_seconds=settings.poll_seconds,
        terms=Terms(lease_seconds=settings.lease_seconds),
        times=metrics.times,
        linger_seconds=settings.linger_seconds,
    )
    metrics.watch(supervisor)
    customers = _customers(terms, settings, clock, supervisor)

    def state() -> dict[str, Any]:
        return {**supervisor.state(), **({"customers": customers.server.state()} if customers else {})}

    health = HealthServer(state, metrics)
    await health.start(settings.host, settings.port)
    if customers is not None:
        metrics.add(CustomerFigures(customers.server, customers.reception))
        await customers.start()
    following = asyncio.create_task(supervisor.run())
    _log.info("bridge started", extra={"host": settings.host, "port": health.port})
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    started = time.monotonic()
    supervisor.draining = True
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    await asyncio.gather(supervisor.stop(), *([customers.stop()] if customers else []))
    await supervisor.teller.last()  # of customers who went later
    await health.stop()
    platform.close()
    _log.info("bridge stopped", extra={"drained_in_seconds": round(time.monotonic() - started, 2)})


def main() -> None:
    """The process: settings from the environment, logs to standard output, exit status 0 after a drain."""
    logs.start()
    asyncio.run(_until_signalled(from_environment(), customer_terms()))


def _customers(
    terms: CustomerTerms | None, settings: BridgeSettings, clock: Clock, supervisor: Supervisor
) -> CustomerSide | None:
    if terms is None or not terms.listens:
        return None
    return CustomerSide(
        terms,
        clock,
        bridge=lambda: supervisor.keeper.name,
        receive_seconds=settings.receive_seconds,
        note=supervisor.sessions.add,
    )


async def _until_signalled(settings: BridgeSettings, terms: CustomerTerms) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop, terms)
