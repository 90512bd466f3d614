"""The simulator's window for people and tests: a few JSON resources over HTTP on loopback."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

MAX_BODY_OCTETS: Final = 4_096
_HEAD_SECONDS: Final = 5.0

Query = dict[str, str]
Route = Callable[[Query, bytes], Any]


class BadRequest(Exception):
    """The request cannot be understood; its text goes to the client."""


class Admin:
    """Serves `routes`, (method, path) -> function of query and body giving what becomes JSON."""

    def __init__(self, routes: dict[tuple[str, str], Route]) -> None:
        self._routes = routes

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            status, answer = await asyncio.wait_for(self._answer(reader), _HEAD_SECONDS)
            body = msgspec.json.encode(answer)
            writer.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client's loss
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[HTTPStatus, Any]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        try:
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            body = await reader.readexactly(_content_length(head))
            parts = urlsplit(target)
            route = self._routes.get((method, parts.path))
            if route is None:
                return HTTPStatus.NOT_FOUND, {"error": "there is none", "routes": [f"{m} {p}" for m, p in self._routes]}
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            return HTTPStatus.OK, route(query, body)
        except (BadRequest, ValueError, msgspec.MsgspecError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}


def _content_length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-length":
            length = int(value)
            if not 0 <= length <= MAX_BODY_OCTETS:
                raise BadRequest(f"a body of at most {MAX_BODY_OCTETS} octets")
            return length
    return 0
