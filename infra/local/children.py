"""The run's processes: each with a log of its own, watched, and stopped together."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.local.place import LIFELINE, ROOT, Place

LAST_LINES: Final = 25  # of a log, when its process died
STOP_SECONDS: Final = 10.0  # for draining; then the process is killed


class RunFailed(RuntimeError):
    """The run cannot go on; the text says why, with the log's last lines where a process died."""


@dataclass(frozen=True)
class Child:
    """A started process."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        return "\n".join(f"    {line}" for line in lines)


class Crew:
    """The processes of one run, in the order in which they were started."""

    def __init__(self, where: Place, environment: dict[str, str]) -> None:
        self._where = where
        self._lifeline, self._hold = os.pipe()
        self._environment = {**environment, LIFELINE: str(self._lifeline)}
        self._children: list[Child] = []
        for folder in ("logs", "ready", "meter"):
            path = where.run_dir / folder
            path.mkdir(parents=True, exist_ok=True)
            for old in path.iterdir():
                old.unlink()

    def start(self, name: str, role: str, *arguments: str, python: str = sys.executable) -> None:
        """Start `python -m infra.local.worker ROLE …`, its output in .run/logs/NAME.log."""
        log = self._where.run_dir / "logs" / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [python, "-m", "infra.local.worker", role, *arguments],
                env={**self._environment, "CHASQUI_CHILD": name},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lifeline,),
            )
        self._children.append(Child(name, process, log))

    def kill(self, name: str) -> None:
        """End a process as a power cut would, to be started anew or not; its end is no failure of the run."""
        (child,) = (child for child in self._children if child.name == name)
        self._children.remove(child)
        child.process.kill()
        child.process.wait()

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {child.name: child.process.pid for child in self._children}

    def check(self) -> None:
        """Raises RunFailed if a process has ended."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                raise RunFailed(f"{child.name} died (exit code {code}); {child.log} ends:\n{child.last_lines()}")

    def wait_for(self, what: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until `ready()`; a line when it is. Raises RunFailed when a process dies or time runs out."""
        begun = time.monotonic()
        while not ready():
            self.check()
            if time.monotonic() - begun > seconds:
                logs = "\n".join(f"  {child.name}:\n{child.last_lines()}" for child in self._children)
                raise RunFailed(f"{what}: not ready after {seconds:.0f} s; the logs end:\n{logs}")
            time.sleep(0.05)
        print(f"  {what:<34} ready in {time.monotonic() - begun:4.1f} s", flush=True)

    def stop(self) -> None:
        """End every process, each given time to finish; the first, which the others lean on, after them."""
        for children in (self._children[1:], self._children[:1]):
            running = [child.process for child in children if child.process.poll() is None]
            for process in running:
                process.terminate()
            end = time.monotonic() + STOP_SECONDS
            for process in running:
                _wait(process, end - time.monotonic())
        self._children.clear()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
