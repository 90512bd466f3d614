"""A job that waits at a gateway of a hundred a second: a single message overtakes it, and a stop takes effect at once.

`BENCH_ROWS`: its recipients (5000; 50000 is the full size), `BENCH_STOP_UNTIL`: how many of them are submitted before
the stop (1000), `BENCH_JOBS_BACKEND`: the emulator (ministack, where it is installed).
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from infra.local.emulator import MINISTACK_PYTHON
from infra.local.place import SMSC_JOURNAL
from tests.flows.local_run import LocalRun
from tests.flows.slow_job import SlowJob

ROWS: Final = int(os.environ.get("BENCH_ROWS", "5000"))
UNTIL: Final = int(os.environ.get("BENCH_STOP_UNTIL", "1000"))
PER_SECOND: Final = 100.0
OVERTAKES_SECONDS: Final = 1.0
STOPS_SECONDS: Final = 2.0
SECONDS: Final = 600.0


def main() -> int:
    """0 when the message overtook, nothing came after the stop, and the books agree to the digit."""
    backend = os.environ.get("BENCH_JOBS_BACKEND") or ("ministack" if MINISTACK_PYTHON.exists() else "moto")
    folder = Path(tempfile.mkdtemp(prefix="chasqui-bench-stop-"))
    journal = folder / "smsc-journal.log"
    print(f"{ROWS} rows at {PER_SECOND:.0f} messages/s, AWS by {backend}; logs in {folder}", flush=True)
    began = time.monotonic()
    run = LocalRun.start(folder, BACKEND=backend, CHASQUI_RUN_QUIET="1", **{SMSC_JOURNAL: str(journal)})
    try:
        own = folder / "audit"
        own.mkdir()
        told = SlowJob(run.card(), journal, own, ROWS, PER_SECOND, UNTIL, SECONDS).run()
    finally:
        run.stop()
    judged = (
        (
            f"a message of high priority went out {told.overtook_seconds:.2f} s after its answer "
            f"(at most {OVERTAKES_SECONDS})",
            told.overtook_seconds <= OVERTAKES_SECONDS,
        ),
        (
            f"of the job {told.submitted} were submitted, the last {told.last_submit_seconds:.2f} s after the stop's "
            f"answer (at most {STOPS_SECONDS})",
            told.last_submit_seconds <= STOPS_SECONDS,
        ),
        (
            f"{told.waited} waited at the gateway; {told.canceled} of them are canceled",
            told.waited == told.canceled > 0,
        ),
        (f"the balance is {told.balance}; by the journal it is to be {told.owed}", told.balance == told.owed),
        (f"the audit names {told.audit[1]} differences", told.audit == (0, 0)),
    )
    for line, good in judged:
        print(f"{line}{'' if good else '  MISSED'}")
    print(f"all in {time.monotonic() - began:.0f} s")
    return 0 if all(good for _, good in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
