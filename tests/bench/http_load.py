"""A bare HTTP client for load: N kept-alive connections, each with one request at a time.

httpx takes about a millisecond of CPU a request, which on a small machine is taken from what is measured.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

READ_LIMIT: Final = 1 << 20


@dataclass(frozen=True)
class Answer:
    """One response with the seconds that it took."""

    status: int
    body: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Target:
    """Where the requests go, and the API key that they carry."""

    host: str
    port: int
    path: str
    key: str

    @property
    def head(self) -> str:
        """What every request begins with; the length and the empty line are still to come."""
        lines = [f"POST {self.path} HTTP/1.1", f"Host: {self.host}", f"Authorization: Bearer {self.key}"]
        return "\r\n".join([*lines, "Content-Type: application/json", "Content-Length: "])


async def post_all(target: Target, bodies: Sequence[bytes], clients: int, told: Callable[[int], None]) -> list[Answer]:
    """POST every body, `clients` at a time; `told` gets the number answered so far, after each."""
    answers: list[Answer] = []
    waiting = iter(bodies)

    async def client() -> None:
        reader, writer = await asyncio.open_connection(target.host, target.port, limit=READ_LIMIT)
        for body in waiting:
            begun = time.perf_counter()
            writer.write(f"{target.head}{len(body)}\r\n\r\n".encode() + body)
            status, answer = await _read(reader)
            answers.append(Answer(status, json.loads(answer), time.perf_counter() - begun))
            told(len(answers))
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return status, await reader.readexactly(int(lengths[0].partition(b":")[2]))
