"""The AWS emulator as a process: moto, or ministack out of a virtual environment of its own."""

import os
import signal
import sys
from typing import Final

from infra.local import ministack_pace, ministack_server, moto_pace
from infra.local.place import HOST, ROOT, Place

MINISTACK_PYTHON: Final = ROOT / ".venv-ministack" / "bin" / "python"


def python_for(where: Place) -> str:
    """The interpreter that has the backend installed."""
    return str(MINISTACK_PYTHON) if where.backend == "ministack" else sys.executable


def serve(where: Place) -> None:
    """Serve the backend until SIGTERM."""
    {"moto": _serve_moto, "ministack": _serve_ministack}[where.backend](where)


def _serve_moto(where: Place) -> None:
    from infra.local.moto_server import moto_server  # noqa: PLC0415 - the other backend's environment has no moto

    moto_pace.keep()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    moto_server(where.aws_port).serve_forever()


def _serve_ministack(where: Place) -> None:
    os.environ.update(
        GATEWAY_PORT=str(where.aws_port),
        BIND_HOST=HOST,
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        LOG_LEVEL="WARNING",
        TMPDIR=str(where.run_dir),
    )
    import hypercorn.asyncio  # type: ignore[import-not-found] # noqa: PLC0415 - of ministack's environment
    from ministack.app import main  # type: ignore[import-not-found] # noqa: PLC0415 - reads the environment at import

    ministack_pace.keep()
    hypercorn.asyncio.serve = ministack_server.serve  # main imports it when it runs
    sys.argv[1:] = []
    main()
