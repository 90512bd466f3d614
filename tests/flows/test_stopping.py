"""What is left of the local run once it is stopped: nothing. The last of the flows, as it ends their platform."""

import signal
from typing import Any

import pytest

from tests.flows.local_run import LocalRun


@pytest.mark.flow
def test_ctrl_c_stops_everything_and_leaves_nothing(local_run: LocalRun, card: dict[str, Any]) -> None:
    assert len(local_run.pids()) >= 6  # the run, emulator, SMSC, API, pumps, bridge
    assert local_run.stop(signal.SIGINT) == 0
    assert local_run.is_gone()
    assert not (local_run.folder / "local.json").exists()
