"""The run's processes: watched, and gone with the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local import children
from infra.local.children import Crew, RunFailed
from infra.local.place import ROOT, Place, place

STAYS = "import time; time.sleep(60)"


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("CHASQUI_RUN_DIR", str(tmp_path))
    return place()


def _interpreter(tmp_path: Path, program: str) -> str:
    """An executable that runs a program in the worker's place, whatever its arguments."""
    path = tmp_path / "python"
    path.write_text(f"#!{sys.executable}\n{program}\n")
    path.chmod(0o755)
    return str(path)


def _alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").exists()


def test_a_process_that_dies_is_told_with_its_logs_last_lines(where: Place, tmp_path: Path) -> None:
    crew = Crew(where, {})
    crew.start("api", "api", python=_interpreter(tmp_path, "import sys; print('no such table'); sys.exit(3)"))
    with pytest.raises(RunFailed, match=r"(?s)api died \(exit code 3\).*no such table"):
        crew.wait_for("API", lambda: False, seconds=10)
    crew.stop()


def test_a_process_that_never_gets_ready_ends_the_run_with_the_logs(where: Place, tmp_path: Path) -> None:
    crew = Crew(where, {})
    crew.start("api", "api", python=_interpreter(tmp_path, f"print('still waiting', flush=True); {STAYS}"))
    time.sleep(0.3)
    with pytest.raises(RunFailed, match="not ready"):
        crew.wait_for("API", lambda: False, seconds=0.2)
    crew.stop()


def test_a_process_that_ignores_the_request_to_stop_is_killed(
    where: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 0.3)
    crew = Crew(where, {})
    stubborn = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {STAYS}"
    crew.start("bridge", "bridge", python=_interpreter(tmp_path, stubborn))
    pid = crew.pids()["bridge"]
    while "up" not in (where.run_dir / "logs" / "bridge.log").read_text():
        time.sleep(0.02)
    crew.stop()
    assert not _alive(pid)


def test_the_processes_end_when_their_run_is_killed(where: Place, tmp_path: Path) -> None:
    child_program = _interpreter(tmp_path, f"from infra.local import lifeline; lifeline.hold(); {STAYS}")
    run = f"""
import time
from infra.local.children import Crew
from infra.local.place import place
crew = Crew(place(), {{}})
crew.start("child", "child", python={child_program!r})
print(crew.pids()["child"], flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert _alive(child)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)
