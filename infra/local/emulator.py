"""The AWS emulator as a process: moto, or ministack out of a virtual environment of its own."""

import os
import signal
import sys
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
    import uvicorn  # type: ignore[import-not-found] # noqa: PLC0415 - the same
    from ministack.app import main  # type: ignore[import-not-found] # noqa: PLC0415 - reads the environment at import

    async def serve_on_uvicorn(application: Any, _config: object) -> None:
        """hypercorn, which ministack brings, takes as long for a call as ministack itself, and stops slowly."""
        config = uvicorn.Config(
            application,
            host=HOST,
            port=where.aws_port,
            http="httptools",
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        await uvicorn.Server(config).serve()

    ministack_pace.keep()
    hypercorn.asyncio.serve = serve_on_uvicorn  # main imports it when it runs
    sys.argv[1:] = []
    main()
