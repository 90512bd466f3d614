"""ministack over HTTP/1.1, and nothing else that its own server can do: that took as long for a call as ministack.

An ASGI server (asgi.readthedocs.io) on asyncio's streams: connections are kept, and answers go out in one write.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Coroutine[Any, Any, None]]

_HEAD_OCTETS: Final = 65_536
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


async def serve(application: Application, config: Any) -> None:
    """Serve on the first address of hypercorn's configuration until SIGTERM, in hypercorn's place."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    host, _, port = config.bind[0].rpartition(":")
    started: asyncio.Queue[Message] = asyncio.Queue()
    told: asyncio.Queue[Message] = asyncio.Queue()
    life = asyncio.create_task(application({"type": "lifespan", "asgi": {"version": "3.0"}}, started.get, told.put))
    await started.put({"type": "lifespan.startup"})
    await told.get()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):  # the client or we go
            while await _answered(application, reader, writer):
                pass
        writer.close()

    server = await asyncio.start_server(connected, host, int(port), limit=_HEAD_OCTETS, backlog=1024)
    await stopping.wait()
    server.close()
    await started.put({"type": "lifespan.shutdown"})
    await told.get()
    life.cancel()


async def _answered(application: Application, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer the next request; whether another may follow. Raises IncompleteReadError where none comes."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    method, target, _ = first.split(b" ")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    named = dict(headers)
    if named.get(b"expect", b"").lower() == b"100-continue":
        writer.write(_CONTINUE)
    asked = [{"type": "http.request", "body": await _body(reader, named), "more_body": False}]
    path, _, query = target.partition(b"?")
    answer = _Answer(writer, with_body=method != b"HEAD")

    async def receive() -> Message:
        return asked.pop() if asked else await asyncio.Future()  # that the client goes is not looked for

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode("ascii"),
        "scheme": "http",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": writer.get_extra_info("peername"),
        "server": writer.get_extra_info("sockname"),
    }
    await application(scope, receive, answer.send)
    await writer.drain()
    return named.get(b"connection", b"").lower() != b"close"


async def _body(reader: asyncio.StreamReader, headers: dict[bytes, bytes]) -> bytes:
    if headers.get(b"transfer-encoding", b"").lower() != b"chunked":
        return await reader.readexactly(int(headers.get(b"content-length", b"0")))
    chunks = []
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        chunks.append((await reader.readexactly(size + 2))[:-2])
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return b"".join(chunks)


class _Answer:
    """Gathers an answer and writes it whole, with its length."""

    def __init__(self, writer: asyncio.StreamWriter, *, with_body: bool) -> None:
        self._writer = writer
        self._with_body = with_body
        self._start: Message = {}
        self._chunks: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._write()

    def _write(self) -> None:
        body = b"".join(self._chunks)
        status = HTTPStatus(self._start["status"])
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode("ascii")]
        lines += [b"%b: %b" % header for header in self._start.get("headers", ())]
        if not any(name.lower() == b"content-length" for name, _ in self._start.get("headers", ())):
            lines.append(b"content-length: %d" % len(body))
        self._writer.write(b"\r\n".join([*lines, b"", body if self._with_body else b""]))
