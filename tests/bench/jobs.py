"""A job from an uploaded file to final states on one machine; the planner's memory; its parts on a stubbed AWS.

`BENCH_JOBS_BACKEND` chooses the emulator (ministack, where it is installed), `BENCH_ROWS` the rows of the job
(100000), `BENCH_PLAN_ROWS` those of the larger survey (1000000).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from infra.local import prices
from infra.local.emulator import MINISTACK_PYTHON
from infra.local.meter import REPORT_SECONDS
from infra.local.smsc.outcomes import OUTCOMES, SUFFIX_DIGITS
from tests.bench.counts import Counts
from tests.flows.local_run import LocalRun

ROWS: Final = int(os.environ.get("BENCH_ROWS", "100000"))
PLAN_ROWS: Final = int(os.environ.get("BENCH_PLAN_ROWS", "1000000"))
AIM_PER_SECOND: Final = 1_000.0
MOST_CALLS: Final = 0.6  # a message, from upload to final state
SECONDS: Final = 3_600.0
WARM_UP: Final = 200


@dataclass(frozen=True)
class Result:
    """What one job showed."""

    rows: int
    surveyed_seconds: float
    seconds: float
    counts: Counts
    job: dict[str, Any]
    stats: dict[str, Any]


def main() -> int:
    """0 when every row got one message, within the calls that it may cost."""
    good = _memory()
    _stubbed()
    backend = os.environ.get("BENCH_JOBS_BACKEND") or ("ministack" if MINISTACK_PYTHON.exists() else "moto")
    folder = Path(tempfile.mkdtemp(prefix="chasqui-bench-jobs-"))
    print(f"\n{ROWS} rows from a file, AWS by {backend}; logs in {folder}", flush=True)
    run = LocalRun.start(folder, BACKEND=backend, CHASQUI_RUN_QUIET="1")
    try:
        card = run.card()
        with httpx.Client(base_url=card["base_url"], headers=_key(card["api_key"]), timeout=60) as client:
            credit = {"amount": str(ROWS), "why": "a benchmark"}
            answer = client.post(
                f"/v1/admin/accounts/{card['account']}/credits", json=credit, headers=_key(card["admin_key"])
            )
            answer.raise_for_status()
            _run(client, card, folder, WARM_UP, 0)
            httpx.post(f"{card['smsc']['admin_url']}/reset").raise_for_status()
            result = _run(client, card, folder, ROWS, WARM_UP)
    finally:
        run.stop()
    return 0 if _print(backend, result) and good else 1


def _key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def numbers(rows: int, after: int) -> Iterator[str]:
    """Different numbers, none of them one of the simulator's magic ones."""
    at = seen = 0
    while seen < rows + after:
        number = f"+3460{at:07}"
        at += 1
        if number[-SUFFIX_DIGITS:] not in OUTCOMES:
            seen += 1
            if seen > after:
                yield number


def csv(rows: int, after: int) -> bytes:
    """A file with a header and a column for a placeholder."""
    return b"phone;name\r\n" + b"".join(f"{number};Ana {number[-5:]}\r\n".encode() for number in numbers(rows, after))


def _run(client: httpx.Client, card: dict[str, Any], folder: Path, rows: int, after: int) -> Result:
    raw = csv(rows, after)
    time.sleep(2 * REPORT_SECONDS)
    before, began = Counts.read(folder / "meter"), time.monotonic()
    upload = client.post("/v1/uploads").raise_for_status().json()
    httpx.put(upload["url"], content=raw, timeout=600).raise_for_status()
    body = {"upload_id": upload["id"], "text": "Hello {name}, this is a test.", "from": "Chasqui"}
    job = client.post("/v1/jobs", json=body).raise_for_status().json()
    surveyed, shown = 0.0, time.monotonic()
    while job["status"] in ("preparing", "scheduled", "running"):
        if time.monotonic() - began > SECONDS:
            raise RuntimeError(f"not over after {SECONDS:.0f} s: {job['progress']}")
        time.sleep(2.0)
        job = client.get(f"/v1/jobs/{job['id']}").raise_for_status().json()
        if job["preview"] and not surveyed:
            surveyed = time.monotonic() - began
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"  {job['status']}: {json.dumps(job['progress'])}", flush=True)
    seconds = time.monotonic() - began
    time.sleep(2 * REPORT_SECONDS)
    counts = Counts.read(folder / "meter").since(before)
    stats = httpx.get(f"{card['smsc']['admin_url']}/stats").raise_for_status().json()
    return Result(rows, surveyed, seconds, counts, job, stats)


def _print(backend: str, result: Result) -> bool:
    rows, stats, progress = result.rows, result.stats, result.job["progress"] or {}
    whole = stats["messages"] == stats["destinations"] == rows and not stats["duplicates"]
    rate = rows / result.seconds
    print(f"\n{result.job['status']} {result.job['error'] or ''}; by status {progress.get('by_status')}")
    print(
        f"surveyed after {result.surveyed_seconds:.1f} s, all final after {result.seconds:.1f} s: "
        f"{rate:.0f} messages/s on {backend} (aim: {AIM_PER_SECOND:.0f}{'' if rate >= AIM_PER_SECOND else ', missed'})"
    )
    print(
        f"simulator: {stats['messages']} messages, {stats['duplicates']} duplicates: "
        f"{'whole' if whole else 'NOT WHOLE'}"
    )
    print(f"\n{'AWS calls':<36}{'a message':>10}{'write units':>13}{'read units':>12}")
    calls = write = read = 0.0
    for name, line in sorted(result.counts.calls.items(), key=lambda pair: -pair[1]["calls"]):
        if not line["calls"]:
            continue
        told = [line[field] / rows for field in ("calls", "write_units", "read_units")]
        print(f"{name:<36}{told[0]:>10.4f}{told[1]:>13.3f}{told[2]:>12.3f}")
        if not name.endswith("(empty)"):
            calls, write, read = calls + told[0], write + told[1], read + told[2]
    cheap = calls <= MOST_CALLS
    print(f"{'together, without empty receives':<36}{calls:>10.4f}{write:>13.3f}{read:>12.3f}")
    print(f"calls a message: {calls:.3f} (at most {MOST_CALLS}{'' if cheap else ', MISSED'})")
    bill = prices.bill(result.counts.calls, result.counts.work)
    print(f"a million messages: ${bill.total * prices.MILLION / rows:.2f}, without the bridge's container and storage")
    print(f"\nCPU seconds in {result.seconds:.1f} s, on {os.cpu_count()} cores")
    for role, seconds in sorted(result.counts.cpu.items(), key=lambda pair: -pair[1]):
        print(
            f"  {role:<12}{seconds:>7.1f}   {seconds / result.seconds:>4.0%} of a core, "
            f"{seconds / rows * 1e6:.0f} µs a message"
        )
    return whole and cheap


# --- the planner alone


def _memory() -> bool:
    """The survey's and the feed's peak memory at two sizes, each in a process of its own."""
    print("the planner's memory, AWS stubbed:", flush=True)
    peaks = {}
    for rows in (10_000, PLAN_ROWS):
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench.jobs_planner", str(rows)], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            print(answer.stderr, file=sys.stderr)
            return False
        told = json.loads(answer.stdout.splitlines()[-1])
        peaks[rows] = told["peak_mb"]
        print(
            f"  {rows:>9} rows: {told['peak_mb']:.0f} MB at most, {told['before_mb']:.0f} of them before; "
            f"surveyed {rows / told['survey_seconds']:.0f} rows/s, fed {rows / told['feed_seconds']:.0f} messages/s",
            flush=True,
        )
    return True


def _stubbed() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.bench.jobs_planner", "steps"], capture_output=True, text=True, check=False
    )
    print(answer.stdout, answer.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
