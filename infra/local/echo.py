"""A customer's server: takes webhooks, verifies their signatures, keeps them, and misbehaves where its path says so.

POST /…               takes a webhook; ?status=500 answers that, ?delay=2 takes so many seconds, ?retry_after=5 says so
GET  /[?type=…&id=…]  what came, oldest first, as JSON; `verified` says whether a known secret signed it
PUT  /secrets         {"secret": "whsec_…"}: one more that is known
"""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from chalicelib.domain.webhook_signature import ID, BadSignature, verify
from infra.local.place import HOST

MAX_KEPT: Final = 10_000  # the oldest go first
MAX_BODY: Final = 1_000_000


class Echo:
    """What came, and what is known to verify it with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self._secrets: list[str] = []

    def know(self, secret: str) -> None:
        with self._lock:
            self._secrets.append(secret)

    def take(self, path: str, headers: Mapping[str, str], body: str) -> None:
        with self._lock:
            known = tuple(self._secrets)
        told = {
            "id": headers.get(ID),
            "path": path,
            "at": time.time(),
            "verified": any(_verified(secret, headers, body) for secret in known),
            "signatures": len(headers.get("webhook-signature", "").split()),
            "headers": dict(headers),
            "body": _read(body),
        }
        with self._lock:
            self._received.append(told)

    def received(self, **wanted: str) -> list[dict[str, Any]]:
        """What came, oldest first; those of a `type`, an `id`, or for a `message`."""
        with self._lock:
            kept = list(self._received)
        return [one for one in kept if all(_said(one, name) == value for name, value in wanted.items())]


@contextmanager
def listening(port: int = 0) -> Iterator[tuple[Echo, int]]:
    """An echo that listens on the loopback address, and its port."""
    echo = Echo()
    server = ThreadingHTTPServer((HOST, port), _handler(echo))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield echo, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve(port: int, stopping: threading.Event) -> None:
    """Listen until told to stop."""
    with listening(port):
        while not stopping.wait(3600):
            pass


def _handler(echo: Echo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = _query(self.path)
            body = self._body()
            time.sleep(float(asked.get("delay", "0")))
            echo.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            extra = {"Retry-After": asked["retry_after"]} if "retry_after" in asked else {}
            if "location" in asked:
                extra["Location"] = asked["location"]
            self._answer(int(asked.get("status", "200")), b"thank you", extra)

        def do_GET(self) -> None:
            self._answer(200, json.dumps(echo.received(**_query(self.path))).encode())

        def do_PUT(self) -> None:
            echo.know(str(json.loads(self._body())["secret"]))
            self._answer(200, b"{}")

        def _body(self) -> str:
            return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BODY)).decode(errors="replace")

        def _answer(self, status: int, body: bytes, extra: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(extra or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: what came can be asked for."""

    return Handler


def _query(path: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}


def _verified(secret: str, headers: Mapping[str, str], body: str) -> bool:
    try:
        verify(secret, headers, body, time.time())
    except BadSignature:
        return False
    return True


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _said(one: Mapping[str, Any], name: str) -> Any:
    body = one["body"] if isinstance(one["body"], dict) else {}
    match name:
        case "message":
            return body.get("data", {}).get("id")
        case "type":
            return body.get("type")
        case _:
            return one.get(name)
