"""moto over HTTP, on connections that are kept; the server that comes with it closes each after one answer."""

from collections.abc import Callable, Iterable
from io import BytesIO
from threading import Lock
from typing import Any

from moto import backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.exceptions import InternalServerError
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app

from infra.local.place import HOST


class TakingTurns:
    """A WSGI application whose DynamoDB calls take turns.

    moto walks whole tables; another thread's write in between answers 500. Its threads
    share one interpreter lock, so turns cost nothing. Queues stay out of it: their long polls would hold up all.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._turn = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET", "")).startswith("DynamoDB"):
            with self._turn:
                return self._application(environ, start_response)
        return self._application(environ, start_response)


class KeptConnection(MotoRequestHandler):
    """Answers one request after another; a connection and a thread for each took as long as moto's own work."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # its wait is 40 ms
    wbufsize = -1  # head and body in one write: at each, another thread gets the interpreter

    def handle_expect_100(self) -> bool:
        """Let the client send the body now: it would wait a second for a word that lies in the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def run_wsgi(self) -> None:
        """Read the request whole, so that the next one begins where it ends; say how long the answer is."""
        environ = self.make_environ()
        asked = environ["wsgi.input"]
        size = -1 if environ.get("wsgi.input_terminated") else int(self.headers["Content-Length"] or 0)  # -1: in chunks
        environ["wsgi.input"] = BytesIO(asked.read(size))
        try:
            answer, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except Exception as error:
            self.log_error("%s %s: %r", self.command, self.path, error)
            answer, status, headers = run_wsgi_app(InternalServerError(), environ, buffered=True)
        body = b"".join(answer)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """A line a call would be all that the log holds."""


def moto_server(port: int) -> BaseWSGIServer:
    """Bound, and not yet serving; port 0 takes a free one."""
    modules = tuple(backends.list_of_moto_modules())  # it walks moto's folder, and is asked at every request
    backends.list_of_moto_modules = lambda: iter(modules)
    application = TakingTurns(DomainDispatcherApplication(create_backend_app))
    return make_server(HOST, port, application, threaded=True, request_handler=KeptConnection)
