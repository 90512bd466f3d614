"""The whole path under load, on one machine: HTTPS in, receipts back, everything counted.

`BACKEND` chooses the emulator, `BENCH_MESSAGES` how many messages (5000), `BENCH_CLIENTS` how many clients (50).
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import boto3
import httpx

from infra.local import prices
from infra.local.meter import REPORT_SECONDS
from infra.local.place import HOST, PREFIX, REGION
from infra.local.smsc.outcomes import OUTCOMES, SUFFIX_DIGITS
from tests.bench.counts import Counts
from tests.bench.http_load import Answer, Target, post_all
from tests.flows.local_run import LocalRun

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "5000"))
CLIENTS: Final = int(os.environ.get("BENCH_CLIENTS", "50"))
AIM: Final = {"ministack": 300.0}  # messages a second
SETTLE_SECONDS: Final = 600.0
WARM_UP: Final = 20
EMPTY: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class Result:
    """What one run showed."""

    answers: list[Answer]
    posting_seconds: float
    seconds: float
    counts: Counts
    own_cpu: float
    statuses: dict[str, int]
    stats: dict[str, Any]


def main() -> int:
    """0 when nothing was lost or doubled."""
    backend = os.environ.get("BACKEND") or "moto"
    folder = Path(tempfile.mkdtemp(prefix="chasqui-bench-"))
    print(f"{MESSAGES} messages from {CLIENTS} clients, AWS by {backend}; logs in {folder}", flush=True)
    run = LocalRun.start(folder, BACKEND=backend, CHASQUI_RUN_QUIET="1")
    try:
        card = run.card()
        result = _measure(card, folder)
    finally:
        run.stop()
    _print(backend, result)
    return 0 if _whole(result) else 1


def recipients(number: int) -> list[str]:
    """Different numbers, none of them one of the simulator's magic ones."""
    every = (f"+346090{digits:05}" for digits in count())
    return list(islice((to for to in every if to[-SUFFIX_DIGITS:] not in OUTCOMES), number))


def _measure(card: dict[str, Any], folder: Path) -> Result:
    numbers = recipients(MESSAGES + WARM_UP)
    _post(card, numbers[MESSAGES:])
    _settle(card, WARM_UP)
    httpx.post(f"{card['smsc']['admin_url']}/reset").raise_for_status()
    time.sleep(2 * REPORT_SECONDS)
    before, own = Counts.read(folder / "meter"), time.process_time()
    day, begun = datetime.now(UTC).date(), time.monotonic()
    answers = _post(card, numbers[:MESSAGES])
    posted = time.monotonic() - begun
    own = time.process_time() - own
    _settle(card, MESSAGES)
    seconds = time.monotonic() - begun
    time.sleep(2 * REPORT_SECONDS)
    counts = Counts.read(folder / "meter").since(before)
    ids = {answer.body["id"] for answer in answers if answer.status == 202}
    stats = httpx.get(f"{card['smsc']['admin_url']}/stats").raise_for_status().json()
    return Result(answers, posted, seconds, counts, own, _statuses(card, ids, day), stats)


def _post(card: dict[str, Any], numbers: list[str]) -> list[Answer]:
    bodies = [json.dumps({"to": to, "from": "Chasqui", "text": f"Your code is {to[-5:]}"}).encode() for to in numbers]
    step = max(1, len(bodies) // 10)

    def told(done: int) -> None:
        if done % step == 0 and len(bodies) > WARM_UP:
            print(f"  posted {done}", flush=True)

    port = int(card["base_url"].rpartition(":")[2])
    return asyncio.run(post_all(Target(HOST, port, "/v1/messages", card["api_key"]), bodies, CLIENTS, told))


def _settle(card: dict[str, Any], number: int) -> None:
    """Wait until the simulator has given all receipts and every queue is empty. Raises RuntimeError after a while."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=card["endpoint_url"],
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    queues = [url for url in sqs.list_queues(QueueNamePrefix=PREFIX)["QueueUrls"] if not url.endswith("-dead")]
    end, shown = time.monotonic() + SETTLE_SECONDS, time.monotonic()
    while time.monotonic() < end:
        stats = httpx.get(f"{card['smsc']['admin_url']}/stats").raise_for_status().json()
        if stats["receipts_acked"] >= number and not any(_depth(sqs, url) for url in queues):
            return
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            print(f"  submitted {stats['accepted']}, receipts {stats['receipts_acked']}", flush=True)
        time.sleep(0.1)
    raise RuntimeError(f"not settled after {SETTLE_SECONDS:.0f} s: {stats}")


def _depth(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(EMPTY))["Attributes"]
    return sum(int(value) for value in found.values())


def _statuses(card: dict[str, Any], ids: set[str], day: date) -> dict[str, int]:
    """How many of the messages, posted since that day, stand where, as the API lists them."""
    print("  reading all of them back …", flush=True)
    found: dict[str, str] = {}
    query: dict[str, str] = {"limit": "100", "date_from": day.isoformat()}
    with httpx.Client(base_url=card["base_url"], headers={"Authorization": f"Bearer {card['api_key']}"}) as client:
        while True:
            page = client.get("/v1/messages", params=query, timeout=60).raise_for_status().json()
            found |= {message["id"]: message["status"] for message in page["data"]}
            if not page["next_cursor"]:
                break
            query["cursor"] = page["next_cursor"]
    tally: dict[str, int] = {}
    for message_id in ids:
        status = found.get(message_id, "missing")
        tally[status] = tally.get(status, 0) + 1
    return tally


def _whole(result: Result) -> bool:
    stats = result.stats
    return (
        result.statuses == {"delivered": MESSAGES}
        and stats["messages"] == stats["accepted"] == stats["destinations"] == MESSAGES
        and not stats["duplicates"]
    )


def _print(backend: str, result: Result) -> None:
    counts, stats = result.counts, result.stats
    latencies = sorted(answer.seconds * 1000 for answer in result.answers)
    rate = MESSAGES / result.seconds
    print(
        f"\nposted in {result.posting_seconds:.1f} s ({MESSAGES / result.posting_seconds:.0f}/s; "
        f"p50 {statistics.median(latencies):.0f} ms, p99 {latencies[int(len(latencies) * 0.99)]:.0f} ms)"
    )
    print(f"all final after {result.seconds:.1f} s: {rate:.0f} messages/s on {backend}" + _aim(backend, rate))
    print(f"statuses {result.statuses}")
    print(
        f"simulator: {stats['accepted']} submits, {stats['messages']} messages to {stats['destinations']} numbers, "
        f"{stats['duplicates']} duplicates: " + ("none lost, none doubled" if _whole(result) else "NOT WHOLE")
    )
    _print_calls(counts)
    _print_bill(counts)
    _print_cpu(result)


def _aim(backend: str, rate: float) -> str:
    aim = AIM.get(backend)
    return f" (aim: {aim:.0f}{'' if rate >= aim else ', missed'})" if aim else ""


def _print_calls(counts: Counts) -> None:
    print(f"\n{'AWS calls':<36}{'a message':>10}{'write units':>13}{'read units':>12}{'retries':>9}{'errors':>8}")
    totals = [0.0] * 5
    for name, line in sorted(counts.calls.items(), key=lambda pair: -pair[1]["calls"]):
        if not line["calls"]:
            continue
        row = [line["calls"], line["write_units"], line["read_units"], line["retries"], line["errors"]]
        if not name.endswith("(empty)"):
            totals = [total + value for total, value in zip(totals, row, strict=True)]
        _print_row(name, row)
    _print_row("together, without empty receives", totals)


def _print_row(name: str, row: list[float]) -> None:
    calls, write, read = (value / MESSAGES for value in row[:3])
    print(f"{name:<36}{calls:>10.3f}{write:>13.3f}{read:>12.3f}{row[3]:>9.0f}{row[4]:>8.0f}")


def _print_bill(counts: Counts) -> None:
    bill = prices.bill(counts.calls, counts.work)
    scale = prices.MILLION / MESSAGES
    parts = {
        "DynamoDB": bill.dynamodb,
        "SQS": bill.sqs,
        "API Gateway": bill.api_gateway,
        "Lambda (estimate)": bill.lambda_estimate,
        "other": bill.other,
    }
    print(f"\na million messages: ${bill.total * scale:.2f}")
    print("  = " + " + ".join(f"{name} {dollars * scale:.2f}" for name, dollars in parts.items()))
    print("  without the bridge's container, storage, logs and empty receives;")
    print(f"  Lambda by the wall times of this machine at {prices.LAMBDA_GB * 1024:.0f} MB:")
    for name, work in sorted(counts.work.items()):
        invocations = work["invocations"]
        if invocations:
            records, spent = work["records"] / invocations, work["milliseconds"] / invocations
            print(
                f"  {name:<12}{invocations:>7.0f} invocations of {records:.1f} records"
                f" and {spent:.1f} ms, {work['errors']:.0f} errors"
            )


def _print_cpu(result: Result) -> None:
    print(f"\nCPU seconds in {result.seconds:.1f} s, on {os.cpu_count()} cores (the load's own: {result.own_cpu:.1f})")
    for role, seconds in sorted(result.counts.cpu.items(), key=lambda pair: -pair[1]):
        print(f"  {role:<12}{seconds:>6.1f}   {seconds / result.seconds:>4.0%} of a core")
    total = sum(result.counts.cpu.values()) + result.own_cpu
    used = total / result.seconds / (os.cpu_count() or 1)
    busiest = max(result.counts.cpu.items(), key=lambda pair: pair[1])
    print(
        f"  together {total:.1f}, {used:.0%} of the machine; {total / MESSAGES * 1000:.1f} ms a message; "
        f"busiest: {busiest[0]}, {busiest[1] / MESSAGES * 1000:.1f} ms a message"
    )


if __name__ == "__main__":
    sys.exit(main())
