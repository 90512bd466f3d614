"""GET /health (also /healthz) and GET /metrics: one request a connection, nothing else understood."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from smpp_bridge.metrics import Metrics

_REQUEST_SECONDS: Final = 5.0
_MAX_HEAD: Final = 8_192  # octets; a connection with more is closed

Answer = tuple[HTTPStatus, str, bytes]


class HealthServer:
    """`state` gives what /health shows: 503 while it starts or drains, and no reason to restart if an SMSC is down."""

    def __init__(self, state: Callable[[], dict[str, Any]], metrics: Metrics) -> None:
        self._state = state
        self._metrics = metrics
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, kind, body = self._answer(head)
            writer.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            )
            writer.write(body)
            await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or asked for something else
        finally:
            writer.close()

    def _answer(self, head: bytes) -> Answer:
        method, _, rest = head.split(b"\r\n", 1)[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"GET only\n"
        if path in {b"/health", b"/healthz"}:
            state = self._state()
            status = HTTPStatus.OK if state["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
            return status, "application/json", msgspec.json.encode(state)
        if path == b"/metrics":
            return HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", self._metrics.text()
        return HTTPStatus.NOT_FOUND, "text/plain", b"/health or /metrics\n"
