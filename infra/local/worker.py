"""Every process of a local run starts here: `python -m infra.local.worker ROLE`.

What runs inside does not know where it runs; here the process is tied to its run's life and its AWS calls are counted.
Roles import inside their function: the emulator's environment has none of the platform's packages.
"""

import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

from infra.local import lifeline
from infra.local.meter import Meter
from infra.local.place import METER_DIR, SMSC_JOURNAL, Place, place


def main() -> None:
    """Run one role until SIGTERM."""
    # Ctrl-C reaches the run, which stops its processes in order. Not ignored: some servers ask for it themselves.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    lifeline.hold()
    role, *arguments = sys.argv[1:]
    where = place()
    meter = Meter(os.environ.get("CHASQUI_CHILD", role))
    if METER_DIR in os.environ:
        meter.report_into(os.environ[METER_DIR])
    try:
        ROLES[role](where, meter, arguments)
    except SystemExit as end:  # how some servers stop
        if end.code:
            raise
    os._exit(0)  # nothing is left to be done: an interpreter with all of this in it takes itself apart for 0.1 s


def _emulator(where: Place, _meter: Meter, _arguments: list[str]) -> None:
    from infra.local import emulator  # noqa: PLC0415 - see the module's text

    emulator.serve(where)


def _api(where: Place, meter: Meter, _arguments: list[str]) -> None:
    _count_calls(meter)
    from infra.local import api  # noqa: PLC0415 - see the module's text

    api.serve(where, meter)


def _pumps(where: Place, meter: Meter, arguments: list[str]) -> None:
    _count_calls(meter)
    from infra.local import pumps  # noqa: PLC0415 - see the module's text

    pumps.serve(where, meter, with_schedules="schedules" in arguments)


def _bridge(_where: Place, meter: Meter, _arguments: list[str]) -> None:
    _count_calls(meter)
    _run_module("smpp_bridge")


def _smsc(where: Place, _meter: Meter, _arguments: list[str]) -> None:
    ports = ("--port", str(where.smsc_port), "--admin-port", str(where.smsc_admin_port))
    journal = os.environ.get(SMSC_JOURNAL)
    _run_module("infra.local.smsc", *ports, *(("--journal", journal) if journal else ()))


def _echo(where: Place, _meter: Meter, _arguments: list[str]) -> None:
    from infra.local import echo  # noqa: PLC0415 - see the module's text

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    echo.serve(where.echo_port, stopping)


def _ses(where: Place, _meter: Meter, _arguments: list[str]) -> None:
    from infra.local import ses  # noqa: PLC0415 - see the module's text

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    ses.serve(where.run_dir, where.mails_port, stopping)


def _count_calls(meter: Meter) -> None:
    from chalicelib.settings import settings  # noqa: PLC0415 - see the module's text
    from chalicelib.store import aws  # noqa: PLC0415 - the same
    from infra.local import faults, tables  # noqa: PLC0415 - the same

    meter.indexes = tables.indexes(settings().prefix)
    aws.watch(meter.watch)
    on_purpose = faults.from_environment(meter.role)
    if on_purpose:
        aws.watch(on_purpose.watch)


def _run_module(name: str, *arguments: str) -> None:
    sys.argv[1:] = arguments
    runpy.run_module(name, run_name="__main__", alter_sys=True)


ROLES: Final[dict[str, Callable[[Place, Meter, list[str]], None]]] = {
    "emulator": _emulator,
    "api": _api,
    "pumps": _pumps,
    "bridge": _bridge,
    "smsc": _smsc,
    "echo": _echo,
    "ses": _ses,
}

if __name__ == "__main__":
    main()
