"""The platform as an SMSC for its customers' ESMEs: listens, lets in, keeps time and places, and lets go in order."""

import asyncio
import contextlib
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.smpp_login import is_password
from smpp_bridge.customers.application import Application
from smpp_bridge.customers.bans import Bans
from smpp_bridge.customers.connection import Connection
from smpp_bridge.customers.counts import CustomerCounts
from smpp_bridge.customers.door import Door
from smpp_bridge.customers.gate import Gate
from smpp_bridge.customers.line import Line
from smpp_bridge.customers.listeners import Listeners
from smpp_bridge.customers.passwords import Passwords, Verify
from smpp_bridge.customers.places import Places
from smpp_bridge.customers.platform import CustomerPlatform
from smpp_bridge.customers.shared import TICK_SECONDS, Shared
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.operations import State

UNBIND_SECONDS: Final = 3.0  # for unbind_resp, when the bridge stops
_CERTIFICATE_TICKS: Final = 120  # a renewed certificate is found within a minute
_log: Final = logging.getLogger(__name__)


class CustomerServer:
    """`start`, then `stop`. `bridge` tells this process's name among the bridges, which changes with its lease.

    `note` takes what the bind log is to have.
    """

    def __init__(
        self,
        platform: CustomerPlatform,
        application: Application,
        *,
        terms: CustomerTerms | None = None,
        clock: Clock | None = None,
        bridge: Callable[[], str] = str,
        verify: Verify = is_password,
        note: Callable[[BindEvent], None] = lambda _: None,
    ) -> None:
        terms, clock = terms or CustomerTerms(), clock or Clock()
        self._passwords = Passwords(verify, clock=clock, remember_seconds=terms.remember_seconds)
        bans, counts = Bans(terms.ban_failures, terms.ban_seconds), CustomerCounts()
        self.shared = Shared(
            terms=terms,
            clock=clock,
            bridge=bridge,
            door=Door(terms, bans),
            gate=Gate(platform, self._passwords, bans, clock=clock),
            places=Places(platform, counts, clock=clock),
            application=application,
            counts=counts,
            note=note,
        )
        self.listeners = Listeners(terms, self._line)
        self._tasks: list[asyncio.Task[None]] = []
        self._ticks = 0

    async def start(self, port: int | None = None, tls_port: int | None = None) -> None:
        """Listen on the terms' ports, or on those given (0: any free one). Raises OSError or ssl.SSLError."""
        terms = self.shared.terms
        await self.listeners.start(terms.port or port, terms.tls_port or tls_port)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep_time()), loop.create_task(self.shared.places.run())]
        _log.info("customers may bind", extra={"port": self.listeners.port, "tls_port": self.listeners.tls_port})

    async def stop(self) -> None:
        """Let nobody in, answer what is under way, unbind everybody; takes `drain_seconds` and a little at most."""
        shared = self.shared
        shared.draining = True
        self.listeners.stop()
        for connection in list(shared.connections):
            connection.leave("the bridge stops")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(shared.terms.drain_seconds + UNBIND_SECONDS):
                while shared.connections:
                    await asyncio.sleep(TICK_SECONDS / 10)
        for connection in list(shared.connections):
            connection.abort("the bridge stops")
        await asyncio.sleep(0)  # lets them end
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await shared.application.stop()
        await shared.places.released()
        self._passwords.close()

    def tick(self) -> None:
        """Do what is due on every connection."""
        shared = self.shared
        now = shared.clock.monotonic()
        for connection in list(shared.connections):
            try:
                connection.tick(now)
            except Exception:  # one connection's trouble is not the others'
                _log.exception("a connection's tick failed")
                connection.abort("tick failed")
        shared.notices.sum_up(now)
        self._ticks += 1
        if self._ticks % _CERTIFICATE_TICKS == 0:
            try:
                self.listeners.renew_certificate()
            except (OSError, ssl.SSLError) as error:  # the one at hand goes on serving
                _log.critical("cannot read the certificate", extra={"error": str(error), "alarm": True})

    @property
    def sessions(self) -> Counter[str]:
        """Bound sessions by kind."""
        bound = (c.customer for c in self.shared.connections if c.customer is not None)
        return Counter(each.admitted.session.bind for each in bound if each.state is not State.CLOSED)

    @property
    def banned(self) -> int:
        """How many networks are not listened to at present."""
        return self.shared.gate.bans.count(self.shared.clock.monotonic())

    def state(self) -> dict[str, Any]:
        """As /health shows it."""
        shared = self.shared
        return {
            "port": self.listeners.port,
            "tls_port": self.listeners.tls_port,
            "connections": shared.door.connections,
            "sessions": dict(self.sessions),
            "banned": self.banned,
        }

    def _line(self, tls: ssl.SSLContext | None) -> Line:
        return Connection(self.shared, tls).line

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()
