"""A small `make chaos`: the same driver, faults, emulator and account of it, with fewer messages."""

import json
from pathlib import Path
from typing import Final

import pytest

from infra.local.emulator import MINISTACK_PYTHON
from tests.flows.local_run import LocalRun

MESSAGES: Final = 2_000
KILLS: Final = 3
CUTS: Final = 6
# With this seed the bridge is killed early, so that what it held is back when the load ends. A record comes again 8 s
# after its function failed, and 12 s after its bridge died or its delete did, not 120: what the log knows by then is
# the same. A dead bridge's lease stands for half as long as usual, and outcomes wait for each other a little longer:
# fewer records, of which more are lost with a bridge that is killed.
SIZE: Final = {
    "BACKEND": "ministack",
    "CHASQUI_API_WORKERS": "1",  # it only opens the accounts
    "CHAOS_SEED": "1644",
    "CHAOS_MESSAGES": str(MESSAGES),
    "CHAOS_KILLS": str(KILLS),
    "CHAOS_CUTS": str(CUTS),
    "CHAOS_SPELLS": "1",
    "CHAOS_VISIBILITY": "8",
    "CHAOS_GATEWAY_VISIBILITY": "12",
    "CHASQUI_BRIDGE_LEASE_SECONDS": "4",
    "CHASQUI_BRIDGE_LINGER_SECONDS": "0.5",
}
SECONDS: Final = 420  # about 180 on two cores that have four times as much to do


@pytest.mark.flow
@pytest.mark.skipif(not MINISTACK_PYTHON.exists(), reason="ministack is not installed here: `make test` installs it")
@pytest.mark.timeout(SECONDS + 60)
def test_under_chaos_nothing_is_lost_paid_twice_or_submitted_twice_without_a_reason(tmp_path: Path) -> None:
    run = LocalRun.start(tmp_path, "infra.local.chaos", **SIZE)
    try:
        code = run.wait(SECONDS)
    finally:
        run.stop()
    told = json.loads(run.output.splitlines()[-1])
    wanted = {"lost": 0, "charged_twice": 0, "unexplained": 0, "audit_differences": 0}
    assert {name: told[name] for name in wanted} == wanted, run.output
    assert told["accepted"] == told["final"] == MESSAGES
    assert code == 0
    deeds = (tmp_path / "chaos.log").read_text()
    assert (deeds.count("bridge killed"), deeds.count("connections cut")) == (KILLS, CUTS)
    faults = "".join(log.read_text() for log in (tmp_path / "faults").glob("*.log"))
    for kind in ("refused", "unheard", "failed", "unknown", "twice"):
        assert faults.count(f" {kind} "), f"no call or record was {kind}: nothing was put to the test"
