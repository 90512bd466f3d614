"""Starts the platform's processes on this machine, one after the other, and stops them, however the run ends."""

import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import httpx

from infra.local import certificate, seed, stack
from infra.local.card import Keys
from infra.local.children import Crew, RunFailed
from infra.local.emulator import MINISTACK_PYTHON, python_for
from infra.local.place import HOST, PORTS, PREFIX, Place, environment

BRIDGE: Final = "bridge"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked the run to end."""


@contextmanager
def crewed(where: Place) -> Iterator[Crew]:
    """A crew to start, in an environment that leads this process to the emulator too; at the end all are stopped.

    Raises RunFailed where the place cannot be used, and Stopped, from wherever the run is, when it is asked to end.
    """
    for number in _SIGNALS:
        signal.signal(number, _stop)
    crew: Crew | None = None
    try:
        _check_ports()
        _check_backend(where)
        seen = environment(where, secrets.token_hex(16))
        os.environ.update(seen)
        crew = Crew(where, seen)
        yield crew
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # stopping is bounded, and must not be half done
        if crew:
            print("stopping …", flush=True)
            where.card.unlink(missing_ok=True)
            crew.stop()


def start_platform(where: Place, crew: Crew) -> Keys:
    """Emulator, stack, SMSC simulator, API, pumps and bridge; with the accounts and rules of the demo."""
    crew.start("emulator", "emulator", python=python_for(where))
    crew.wait_for("AWS emulator", lambda: _listens(where.aws_port))
    crew.wait_for("stack of infra/data.yaml", lambda: stack.create(PREFIX))
    crew.start("smsc", "smsc")
    crew.start("echo", "echo")
    crew.start("ses", "ses")
    for number in range(where.api_workers):
        crew.start(f"api-{number}", "api")
    for number in range(where.pump_workers):
        crew.start(f"pumps-{number}", "pumps", *(["schedules"] if number == 0 else []))
    certificate.make(where.smpp_certificate, where.smpp_key)
    crew.start(BRIDGE, "bridge")
    crew.wait_for("SMSC simulator", lambda: _listens(where.smsc_port) and _listens(where.smsc_admin_port))
    with httpx.Client(timeout=5) as client:  # one, as each reads all that this machine trusts
        crew.wait_for("HTTPS API", lambda: _answers(client, f"{where.base_url}/health"))
        keys = seed.plant(where)
        crew.wait_for("pumps", lambda: len(list(where.ready_dir.glob("pumps-*"))) == where.pump_workers)
        crew.wait_for("SMPP bridge", lambda: seed.bound(client, where))
    crew.wait_for("webhook echo", lambda: _listens(where.echo_port))
    crew.wait_for("mails", lambda: _listens(where.mails_port))
    seed.plant_webhook(where, keys)
    crew.wait_for("SMPP for customers", lambda: _listens(where.smpp_port) and _listens(where.smpp_tls_port))
    return keys


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


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False
