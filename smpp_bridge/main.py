"""Starts the bridge and stops it in order on SIGTERM or SIGINT."""

import asyncio
import contextlib
import logging
import signal
import time
from typing import Final

from smpp_bridge import logs
from smpp_bridge.gateways.aws import AwsPlatform
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.leases import Terms
from smpp_bridge.gateways.supervisor import Supervisor
from smpp_bridge.health import HealthServer
from smpp_bridge.metrics import Metrics
from smpp_bridge.settings import BridgeSettings, from_environment

_log: Final = logging.getLogger(__name__)


async def run(settings: BridgeSettings, stop: asyncio.Event) -> None:
    """Run until `stop` is set, then drain."""
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
    health = HealthServer(supervisor.state, metrics)
    await health.start(settings.host, settings.port)
    following = asyncio.create_task(supervisor.run())
    _log.info("bridge started", extra={"host": settings.host, "port": health.port})
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
    started = time.monotonic()
    supervisor.draining = True
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    await supervisor.stop()
    await health.stop()
    platform.close()
    _log.info("bridge stopped", extra={"drained_in_seconds": round(time.monotonic() - started, 2)})


def main() -> None:
    """The process: settings from the environment, logs to standard output, exit status 0 after a drain."""
    logs.start()
    asyncio.run(_until_signalled(from_environment()))


async def _until_signalled(settings: BridgeSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop)
