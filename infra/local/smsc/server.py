"""The simulator as a whole: its SMPP port, its admin port, and the centre between them."""

import asyncio
import ssl
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from infra.local.smsc.admin import Admin, Query
from infra.local.smsc.centre import Centre
from infra.local.smsc.config import LOOPBACK, Config, Control
from infra.local.smsc.connection import Connection
from infra.local.smsc.counters import Counters
from infra.local.smsc.inbound import Written, inbound_of
from infra.local.smsc.outcomes import table

DEFAULT_MESSAGES_SHOWN: Final = 100
MAX_MESSAGES_SHOWN: Final = 100_000


class Smsc:
    """`async with Smsc(Config()) as smsc:` listens; `smsc.port`, `smsc.admin_port`, `smsc.stats`, `smsc.messages()`."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.centre = Centre(self.config)
        self.port = 0
        self.admin_port: int | None = None
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(self.centre, self._connections),
            self.config.host,
            self.config.port,
            ssl=_tls(self.config),
        )
        self.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)
        if self.config.admin_port is not None:
            admin = await asyncio.start_server(self._admin().serve, LOOPBACK, self.config.admin_port)
            self.admin_port = admin.sockets[0].getsockname()[1]
            self._servers.append(admin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        self.disconnect()
        self.centre.post_office.close()
        await asyncio.sleep(0)  # lets the connections end

    @property
    def stats(self) -> Counters:
        return self.centre.counters

    def messages(self, destination: str | None = None, limit: int = DEFAULT_MESSAGES_SHOWN) -> list[dict[str, Any]]:
        """The latest messages (to `destination`), parts joined, oldest first; see Recorded.shown for the shape."""
        return self.centre.recorder.messages(destination, limit)

    def control(self, change: Control) -> None:
        """Misbehave, or stop to."""
        self.centre.control(change)
        for connection in self._connections:
            connection.heed_silence()
        if change.disconnect:
            self.disconnect()

    def disconnect(self) -> None:
        """Close every connection without an unbind."""
        for connection in list(self._connections):
            connection.disconnect("the simulator was told to")

    def _admin(self) -> Admin:
        return Admin(
            {
                ("GET", "/stats"): lambda query, body: self._shown_stats(),
                ("GET", "/messages"): lambda query, body: self._shown_messages(query),
                ("GET", "/outcomes"): lambda query, body: dict(table()),
                ("POST", "/reset"): lambda query, body: self._reset(),
                ("POST", "/control"): lambda query, body: self._controlled(body),
                ("POST", "/inbound"): lambda query, body: self._written(body),
            }
        )

    def _shown_stats(self) -> dict[str, Any]:
        repeated = self.centre.recorder.repeated_destinations()
        return {**msgspec.structs.asdict(self.stats), "repeated_destinations": repeated}

    def _shown_messages(self, query: Query) -> list[dict[str, Any]]:
        limit = min(int(query.get("limit", DEFAULT_MESSAGES_SHOWN)), MAX_MESSAGES_SHOWN)
        return self.messages(query.get("to"), limit)

    def _reset(self) -> dict[str, Any]:
        self.centre.reset()
        return self._shown_stats()

    def write(self, written: Written) -> int:
        """Have a handset write; how many PDUs go to the ESME. Raises ValueError where nobody is bound to take them."""
        system_id = written.system_id or self.centre.post_office.anybody()
        if system_id is None:
            raise ValueError("no session is bound that receives")
        mails = inbound_of(written, system_id)
        for mail in mails:
            self.centre.post_office.post(mail, 0)
        return len(mails)

    def _written(self, body: bytes) -> dict[str, int]:
        return {"pdus": self.write(msgspec.json.decode(body, type=Written))}

    def _controlled(self, body: bytes) -> dict[str, Any]:
        change = msgspec.json.decode(body, type=Control)
        self.control(change)
        centre = self.centre
        return {
            "silent": centre.silent,
            "throttle": centre.throttle,
            "response_delay_ms": centre.response_delay_seconds * 1000,
            "receipt_delay_seconds": centre.receipt_delay_seconds,
        }


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.certificate, config.key)
    return context
