"""The local run itself: what it says, and that nothing is left of it."""

import os
import signal
import socket
from pathlib import Path

import pytest

from infra.local.place import HOST
from tests.flows.local_run import LocalRun

pytestmark = pytest.mark.flow
# Of each process one; how the run ends is the same with more.
SMALL = {
    "CHASQUI_API_WORKERS": "1",
    "CHASQUI_PUMP_WORKERS": "1",
    "CHASQUI_RUN_QUIET": "1",
}
PROCESSES = 8  # the run, emulator, SMSC, echo, SES, API, pumps, bridge


def test_run_once_shows_three_timelines_and_leaves_with_success(tmp_path: Path) -> None:
    run = LocalRun.start(tmp_path, CHASQUI_RUN_ONCE="1")
    assert run.wait() == 0, run.output
    assert run.output.count("→ delivered") == 2
    assert run.output.count("→ undelivered") == 1
    assert run.output.count("it cost") == 3
    assert run.is_gone()


def test_a_killed_run_takes_its_processes_with_it(tmp_path: Path) -> None:
    run = LocalRun.start(tmp_path, **SMALL)
    run.bridge_pid()
    assert len(run.pids()) == PROCESSES
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()
    assert run.is_gone()


def test_a_process_that_dies_ends_the_run_with_its_name_and_log(tmp_path: Path) -> None:
    run = LocalRun.start(tmp_path, **SMALL)
    run.card()
    os.kill(run.bridge_pid(), signal.SIGKILL)
    assert run.wait() == 1
    assert "bridge died (exit code -9)" in run.output
    assert run.is_gone()


@pytest.mark.parametrize("variable", ["CHASQUI_API_PORT", "CHASQUI_SMSC_PORT"])
def test_a_taken_port_is_told_with_the_variable_that_moves_it(tmp_path: Path, variable: str) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        run = LocalRun.start(tmp_path, **{variable: str(port)})
        assert run.wait() == 1
    assert f"port {port} is taken" in run.output
    assert variable in run.output
    assert run.is_gone()
