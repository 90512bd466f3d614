"""A local run as a process of the test: started on free ports in a folder of its own, and stopped without a trace."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.local.place import PORTS, ROOT
from tests import ports

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
PROC: Final = Path("/proc")


def ports_of_run() -> dict[str, str]:
    """A free port for each of the run's variables."""
    return {variable: str(port) for variable, port in zip(PORTS, ports.free_ports(len(PORTS)), strict=True)}


@dataclass(frozen=True)
class LocalRun:
    """A started run. `group` is the process group of it and of every process that it starts."""

    process: subprocess.Popen[bytes]
    folder: Path

    @classmethod
    def start(cls, folder: Path, module: str = "infra.local", **environment: str) -> "LocalRun":
        """Start `python -m MODULE` with its output in FOLDER/run.log."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "run.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                env={**os.environ, **ports_of_run(), "CHASQUI_RUN_DIR": str(folder), **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        return cls(process, folder)

    @property
    def output(self) -> str:
        return (self.folder / "run.log").read_text(errors="replace")

    def card(self) -> dict[str, Any]:
        """.run/local.json, once the run is healthy. Raises AssertionError where it does not get so."""
        card: dict[str, Any] = json.loads(self.once_there("local.json").read_text())
        return card

    def bridge_pid(self) -> int:
        """The process that is started last, once it is at work."""
        return int(json.loads(self.once_there("meter/bridge-*.json").read_text())["pid"])

    def once_there(self, pattern: str) -> Path:
        """A file of the run's folder. Raises AssertionError where it does not come to be."""
        end = time.monotonic() + START_SECONDS
        while not (found := next(self.folder.glob(pattern), None)):
            assert self.process.poll() is None, self.output
            assert time.monotonic() < end, self.output
            time.sleep(0.1)
        return found

    def wait(self, seconds: float = START_SECONDS) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def pids(self) -> list[int]:
        """Living processes of the run's group."""
        return [pid for pid in _processes() if _group_of(pid) == self.process.pid]

    def is_gone(self, seconds: float = 5.0) -> bool:
        """Whether, within so long, none of its processes is left."""
        end = time.monotonic() + seconds
        while self.pids():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end as a terminal does, with the whole group told; its exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


def _processes() -> list[int]:
    """Processes that live, of the whole machine; by /proc where there is one, since slim systems have no ps."""
    if PROC.exists():
        states = {int(path.parent.name): _state(path) for path in PROC.glob("[0-9]*/stat")}
    else:
        answer = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)  # noqa: S607
        rows = [line.split() for line in answer.stdout.splitlines()]
        states = {int(pid): state for pid, state in rows}
    return [pid for pid, state in states.items() if not state.startswith("Z")]


def _state(path: Path) -> str:
    try:
        return path.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"  # it ended just now


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
