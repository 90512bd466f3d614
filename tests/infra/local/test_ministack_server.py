"""What ministack is served by: several requests on a connection, bodies of every kind, answers with their length."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from infra.local.ministack_server import Message, serve
from tests.flows.local_run import free_ports


async def echoing(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
    """An application that tells what it was asked, in two pieces."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = (await receive())["body"]
    told = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode()}
    told |= {"raw_path": scope["raw_path"].decode(), "body": body.decode(), "headers": len(scope["headers"])}
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-one", b"1")]})
    text = json.dumps(told).encode()
    await send({"type": "http.response.body", "body": text[:9], "more_body": True})
    await send({"type": "http.response.body", "body": text[9:]})


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """To a server of that application, which stops on SIGTERM."""
    port = next(iter(free_ports().values()))
    serving = asyncio.create_task(serve(echoing, SimpleNamespace(bind=[f"127.0.0.1:{port}"])))
    while True:
        await asyncio.sleep(0.01)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            break
        except ConnectionError:
            assert not serving.done()
    try:
        yield reader, writer
    finally:
        writer.close()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(serving, 5)


async def answer(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], int]:
    """Status line and headers; and how long the body is to be."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    return first, headers, int(headers.get("content-length", "0"))


async def told(reader: asyncio.StreamReader) -> dict[str, Any]:
    first, headers, size = await answer(reader)
    assert (first, headers["x-one"]) == ("HTTP/1.1 201 Created", "1")
    return dict(json.loads(await reader.readexactly(size)))


def test_a_connection_takes_one_request_after_another_with_whatever_body() -> None:
    async def asked() -> list[dict[str, Any]]:
        async with connection() as (reader, writer):
            writer.write(b"GET /a%20b/c?d=1&e=%C3%B1 HTTP/1.1\r\nHost: x\r\n\r\n")
            writer.write(b"POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst")
            writer.write(b"PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"3\r\nsec\r\n3;x=y\r\nond\r\n0\r\nTrailer: 1\r\n\r\n")
            return [await told(reader) for _ in range(3)]

    got, posted, put = asyncio.run(asked())
    assert (got["path"], got["raw_path"], got["query"], got["body"]) == ("/a b/c", "/a%20b/c", "d=1&e=%C3%B1", "")
    assert (posted["method"], posted["body"], posted["headers"]) == ("POST", "first", 2)
    assert (put["method"], put["body"]) == ("PUT", "second")


def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    async def asked() -> dict[str, Any]:
        async with connection() as (reader, writer):
            writer.write(b"PUT /file HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"file")
            return await told(reader)

    assert asyncio.run(asked())["body"] == "file"


def test_a_head_is_answered_with_the_length_alone_and_a_connection_closed_where_asked() -> None:
    async def asked() -> bytes:
        async with connection() as (reader, writer):
            writer.write(b"HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert (await answer(reader))[2] > 0
            return await reader.read()

    assert asyncio.run(asked()) == b""
