"""`make run`: the whole platform on one machine, from nothing to three delivered messages, until Ctrl-C."""

import os
import secrets
import signal
import socket
import sys
from types import FrameType

import httpx

from infra.local import card, demo, seed, stack, watch
from infra.local.children import Crew, RunFailed
from infra.local.emulator import MINISTACK_PYTHON, python_for
from infra.local.place import HOST, PORTS, PREFIX, BadPlace, Place, environment, place


class Stopped(Exception):
    """Somebody asked the run to end."""


def main() -> int:
    """0 when asked to stop (or, run once, when the three messages ended as they should), else 1."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    crew: Crew | None = None
    where: Place | None = None
    try:
        where = place()
        _check_ports()
        _check_backend(where)
        os.environ.update(environment(where, secrets.token_hex(16)))
        crew = Crew(where, environment(where, os.environ["CHASQUI_CURSOR_SECRET"]))
        return _run(where, crew)
    except (BadPlace, RunFailed) as failure:
        print(f"\nmake run: {failure}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # stopping is bounded, and must not be half done
        if crew and where:
            print("stopping …", flush=True)
            where.card.unlink(missing_ok=True)
            crew.stop()


def _run(where: Place, crew: Crew) -> int:
    print(f"Chasqui on one machine, AWS by {where.backend}; logs in {where.run_dir / 'logs'}", flush=True)
    crew.start("emulator", "emulator", python=python_for(where))
    crew.wait_for("AWS emulator", lambda: _listens(where.aws_port))
    crew.wait_for("stack of infra/data.yaml", lambda: stack.create(PREFIX))
    crew.start("smsc", "smsc")
    for number in range(where.api_workers):
        crew.start(f"api-{number}", "api")
    for number in range(where.pump_workers):
        crew.start(f"pumps-{number}", "pumps", *(["schedules"] if number == 0 else []))
    crew.start("bridge", "bridge")
    crew.wait_for("SMSC simulator", lambda: _listens(where.smsc_port) and _listens(where.smsc_admin_port))
    crew.wait_for("HTTPS API", lambda: _answers(f"{where.base_url}/openapi.json"))
    keys = seed.plant(where)
    crew.wait_for("pumps", lambda: len(list(where.ready_dir.glob("pumps-*"))) == where.pump_workers)
    crew.wait_for("SMPP bridge", lambda: seed.bound(where))
    card.write(where, keys)
    delivered = demo.send_three(where, keys, crew)
    if where.run_once:
        return 0 if delivered else 1
    print(demo.banner(where, keys), flush=True)
    watch.follow(where, keys, crew)
    return 0


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def _check_ports() -> None:
    """Raises RunFailed for a port that another program holds, naming the variable that moves it."""
    for variable, default in PORTS.items():
        port = int(os.environ.get(variable) or default)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as taken:
                raise RunFailed(
                    f"port {port} is taken ({taken.strerror}); set {variable} to a free one, "
                    f"as in: {variable}={port + 1} make run"
                ) from taken


def _check_backend(where: Place) -> None:
    if where.backend == "ministack" and not MINISTACK_PYTHON.exists():
        raise RunFailed("ministack is not installed here; BACKEND=ministack make run installs it first")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    sys.exit(main())
