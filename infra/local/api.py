"""The Chalice app over HTTP on the loopback address, by Chalice's own local server with its corners taken off."""

import functools
import signal
import socket
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import unquote

from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    LambdaEventConverter,
    LocalGateway,
    RouteMatcher,
    ThreadedHTTPServer,
    create_local_server,
)

from chalicelib.api.problems import CONTENT_TYPE
from infra import gateway_responses
from infra.local.meter import Meter
from infra.local.place import HOST, Place

# Requests in work at once in a process; the others wait their turn. More threads only fight over the interpreter lock,
# and a Lambda works on one at a time anyway.
CONCURRENCY: Final = 8


class Converter(LambdaEventConverter):
    """Events with decoded path parameters, as API Gateway gives them."""

    def create_lambda_event(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> dict[str, Any]:
        event = super().create_lambda_event(method, path, headers, body)
        event["pathParameters"] = {name: unquote(value) for name, value in event["pathParameters"].items()}
        return event


class Gateway(LocalGateway):
    """API Gateway in front of the app; counts what it handles."""

    def __init__(self, app: Any, config: Config, meter: Meter) -> None:
        super().__init__(app, config)
        self.event_converter = Converter(RouteMatcher(list(app.routes)), app.api.binary_types)
        self._meter = meter
        self._turns = threading.BoundedSemaphore(CONCURRENCY)

    def handle_request(self, method: str, path: str, headers: Any, body: bytes | None) -> Any:
        with self._turns:
            begun = time.perf_counter()
            try:
                answer = super().handle_request(method, path, headers, body)
            except ForbiddenError:  # Chalice's word for a path that is not there: the app itself has no authorizer
                answer = _unknown_path()
        self._meter.worked("api", 1, time.perf_counter() - begun, failed=answer["statusCode"] >= 500)
        return answer


def _unknown_path() -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    status, body = gateway_responses.body_of(gateway_responses.UNKNOWN_PATH, request_id)
    headers = {"Content-Type": CONTENT_TYPE, "X-Request-Id": request_id}
    return {"statusCode": status, "headers": headers, "multiValueHeaders": {}, "body": body}


class Handler(ChaliceRequestHandler):
    """One connection. All share one gateway: Chalice's own handler would build one a connection."""

    disable_nagle_algorithm = True  # with it, an answer on a kept-alive connection takes 44 ms

    def __init__(self, request: Any, client_address: tuple[str, int], server: Any, *, gateway: Gateway) -> None:
        self.local_gateway = gateway
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def log_message(self, format: str, *arguments: Any) -> None:
        """A line a request would be all that the log holds."""


class Server(ThreadedHTTPServer):
    """A server whose port several processes share: the kernel deals the connections out."""

    request_queue_size = 128  # for bursts of new connections; http.server asks for 5

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


def serve(where: Place, meter: Meter) -> None:
    """Serve the app until SIGTERM."""
    from app import app  # noqa: PLC0415 - the calls of its import are to be counted, so the meter comes first

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = Config.create(project_dir=".", chalice_app=app)
    gateway = Gateway(app, config, meter)
    create_local_server(
        app, config, HOST, 0
    ).server.server_close()  # for what it does to `current_request`: one a thread
    server = Server((HOST, where.api_port), functools.partial(Handler, gateway=gateway))
    server.serve_forever()
