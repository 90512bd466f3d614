"""The AWS emulator as a process: moto, or ministack out of a virtual environment of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any, Final

from infra.local import ministack_pace, moto_pace
from infra.local.place import HOST, ROOT, Place

MINISTACK_PYTHON: Final = ROOT / ".venv-ministack" / "bin" / "python"


def python_for(where: Place) -> str:
    """The interpreter that has the backend installed."""
    return str(MINISTACK_PYTHON) if where.backend == "ministack" else sys.executable


def serve(where: Place) -> None:
    """Serve the backend until SIGTERM."""
    {"moto": _serve_moto, "ministack": _serve_ministack}[where.backend](where)


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


def _serve_moto(where: Place) -> None:
    from moto import backends  # noqa: PLC0415 - the other backend's environment has no moto
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - the same
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415 - the same

    class Prompt(MotoRequestHandler):
        """Without Nagle's 40 ms wait."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one write: at each, another thread gets the interpreter

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """A line a call would be all that the log holds."""

    modules = tuple(backends.list_of_moto_modules())  # it walks moto's folder, and is asked at every request
    backends.list_of_moto_modules = lambda: iter(modules)
    moto_pace.keep()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    application = TakingTurns(DomainDispatcherApplication(create_backend_app))
    server = make_server(HOST, where.aws_port, application, threaded=True, request_handler=Prompt)
    server.serve_forever()


def _serve_ministack(where: Place) -> None:
    os.environ.update(
        GATEWAY_PORT=str(where.aws_port),
        BIND_HOST=HOST,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="WARNING",
        TMPDIR=str(where.run_dir),
    )
    from ministack.app import main  # type: ignore[import-not-found] # noqa: PLC0415 - reads the environment at import

    ministack_pace.keep()

    sys.argv[1:] = []
    main()
