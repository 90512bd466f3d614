"""A million messages in a day of one account: what the first page of its reports costs, against a hundredth of them.

`BENCH_MESSAGES` says how many (1,000,000). Half came one by one, the others by one job that took all day, so that most
of its messages stand where they were charged, by the index. Made straight in the store (see sqlite_tables).
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact, Queued, Receipt, Submitted
from chalicelib.domain.facts import Final as Ended
from chalicelib.domain.job import Job, Source
from chalicelib.domain.local_days import Days
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.usage import SLOT_MS, slot_at
from chalicelib.services import report_messages as sms
from chalicelib.services import report_summary as summary
from chalicelib.services import report_today as today
from chalicelib.store import jobs, messages, usage
from chalicelib.store.jobs import JobRow
from chalicelib.store.messages import LATE_MS, Noted
from chalicelib.store.usage import UsageTable
from tests.bench.sqlite_tables import SqliteTables

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "1000000"))
DAY: Final = date(2026, 11, 22)
DAY_MS: Final = 1_795_305_600_000  # its midnight, UTC
ACCOUNT: Final = Account(id="acc_bench", name="Bench", created_ms=0, shards=4, time_zone="UTC")
OPERATORS: Final = ("Movistar", "Orange", "Vodafone")
LIMIT: Final = 50
_MARK_ID: Final = "msg_00000000000000000000000000"
_MARK_TO: Final = "+34600000000"
_MARK_LOG: Final = "<the log that it is in>"
_MARK_MS: Final = 4_102_444_800_123
_BLOCK: Final = 20_000
Row = tuple[str, str, str]
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "CHASQUI_PREFIX": "bench",
}


def main() -> int:
    """0 when the larger day's first pages cost no more calls, and hardly more units, than the smaller one's."""
    os.environ.update(ENVIRONMENT)
    print(f"a day of {MESSAGES:,} messages, and one of {MESSAGES // 100:,}", flush=True)
    small, large = _measure(max(1000, MESSAGES // 100)), _measure(MESSAGES)
    print(f"\n{'':<34}{'calls':>8}{'calls':>8}{'read units':>12}{'read units':>12}{'ms':>8}{'ms':>8}")
    constant = True
    for name, few in small.items():
        many = large[name]
        print(f"{name:<34}{few[0]:>8}{many[0]:>8}{few[1]:>12.1f}{many[1]:>12.1f}{few[2]:>8.1f}{many[2]:>8.1f}")
        constant = constant and many[0] <= 1.1 * few[0] + 4 and many[1] <= 1.5 * few[1] + 10
    print("constant in the size of the day" if constant else "NOT CONSTANT")
    return 0 if constant else 1


def _measure(count: int) -> dict[str, tuple[int, float, float]]:
    """Calls, read units and milliseconds of each thing that is read."""
    tables = SqliteTables()
    begun = time.monotonic()
    job = _fill(tables, count)
    print(f"{count:,} messages made in {time.monotonic() - begun:.0f} s", flush=True)
    day = Days(first=DAY, last=DAY, time_zone="UTC")
    number = f"+3460{count // 3:07}"

    def page(**filters: Any) -> Callable[[], object]:
        return lambda: _page(sms.Asked(days=day, **filters))

    vars(jobs)["get"] = lambda _account, _id: JobRow(job=job, version=1)  # it is the messages that are counted
    asked: dict[str, Callable[[], object]] = {
        "first page of the SMS report": page(),
        "first page of an operator": page(operator="Orange"),
        "first page of a rare status": page(status="undelivered"),
        "first page of a number": page(number=number),
        "first page of a job": page(job=job.id),
        "today's statistics": lambda: today.report_today(ACCOUNT.id, day),
        "summary of the day": lambda: list(summary.report_summary(ACCOUNT.id, day, "date", "")),
    }
    measured = {}
    with tables.in_place():
        for name, read in asked.items():
            tables.forget_counts()
            begun = time.monotonic()
            read()
            measured[name] = sum(tables.calls.values()), tables.read_units, 1000 * (time.monotonic() - begun)
    return measured


def _page(asked: sms.Asked) -> int:
    """As the API reads a page; how many it has."""
    found = spent = 0
    for step in sms.report_messages(ACCOUNT, asked, "", LIMIT):
        found, spent = found + (step.cdr is not None), spent + step.cost
        if found == LIMIT or spent >= sms.MOST_SEEN:
            break
    return found


def _fill(tables: SqliteTables, count: int) -> Job:
    """The day's messages with their facts, and its usage."""
    tables.create("bench-messages", "fact")
    tables.create("bench-messages/by_recipient", "fact")
    tables.create("bench-messages/by_decision", "decided")
    tables.create("bench-usage", "line")
    job = Job(
        id="job_bench",
        account=ACCOUNT.id,
        created_ms=DAY_MS,
        status="running",
        text="hello",
        source=Source(kind="recipients"),
        runs=(ids.new_run_id(DAY_MS + 600_000, ACCOUNT.shards),),
    )
    kinds = [_prototypes(operator, status) for operator in OPERATORS for status in ("delivered", "undelivered")]
    for at in range(0, count, _BLOCK):
        rows: dict[str, list[Row]] = {"": [], "/by_recipient": [], "/by_decision": []}
        for number in range(at, min(at + _BLOCK, count)):
            _add(rows, number, count, job, kinds[number % 3 * 2 + (number % 97 == 0)])
        for index, some in rows.items():
            tables.put(f"bench-messages{index}", some)
    tables.put("bench-usage", _usage(count))
    return job


def _prototypes(operator: str, status: str) -> list[str]:
    """The facts of a message as the store writes them, as JSON with marks in place of what differs."""
    content = Content(
        to=_MARK_TO,
        country="ES",
        sender="ACME",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=_MARK_MS + 86_400_000,
        job="job_bench",  # as if it had made the others, too
        text="Your parcel arrives today between ten and eleven. Have a look: example.com/1234567",
    )
    queued = Queued(
        at_ms=_MARK_MS,
        content=content,
        gateway="gtw_a",
        route="rte_1",
        operator=operator,
        price_micros=40_000,
        charge_micros=40_000,
        rules=7,
        bundle=_MARK_ID[4:],
        why="route rte_1 by operator",
        dispatch=_MARK_ID[4:],
    )
    facts: list[AnyFact] = [
        queued,
        Submitted(at_ms=_MARK_MS, part=1, parts=1, gateway="gtw_a", smsc_message_id=_MARK_ID[4:20], session="s1"),
        Receipt(
            at_ms=_MARK_MS,
            part=1,
            parts=1,
            gateway="gtw_a",
            smsc_message_id=_MARK_ID[4:20],
            status=Status(status),
            state=status[:7].upper(),
        ),
        Ended(at_ms=_MARK_MS, status=Status(status)),
    ]
    items = [messages._item(Noted(ACCOUNT.id, _MARK_ID, fact, 90)).serialize() for fact in facts]
    return [json.dumps({**item, "log": {"S": _MARK_LOG}}) for item in items]


def _add(rows: dict[str, list[Row]], number: int, count: int, job: Job, facts: list[str]) -> None:
    """The message's items, and those of the indexes: every other one is the job's."""
    at_ms = DAY_MS + number * 85_000_000 // count + 600_000 * (number % 2)
    if number % 2:
        message_id = ids.run_message_id(job.runs[0], number // 2)
    else:
        message_id = ids.new_message_id(at_ms - 300, ACCOUNT.shards)
    created_ms, to = ids.created_ms_of(message_id), f"+3460{number:07}"
    log = messages.log_of(ACCOUNT.id, ids.day_at(created_ms), ids.shard_of(message_id))
    for raw, key in zip(facts, ("queued", "submitted#001", "receipt#001#x", "final#x"), strict=True):
        told = raw.replace(_MARK_ID, message_id).replace(_MARK_LOG, log)
        told = told.replace(_MARK_TO, to).replace(str(_MARK_MS), str(at_ms))
        rows[""].append((log, f"{message_id}#{key}", told))
    at = {"log": {"S": log}, "fact": {"S": f"{message_id}#queued"}}
    whose = f"{ACCOUNT.id}#{to}"
    rows["/by_recipient"].append((whose, at["fact"]["S"], json.dumps({**at, "recipient": {"S": whose}})))
    if at_ms - created_ms > LATE_MS:
        place = f"{at_ms:015}#{message_id}"
        rows["/by_decision"].append((log, place, json.dumps({**at, "late": {"S": log}, "decided": {"S": place}})))


def _usage(count: int) -> Iterator[tuple[str, str, str]]:
    """The lines of the day's quarters, with their ends."""
    for at_ms in range(DAY_MS, DAY_MS + 86_400_000, SLOT_MS):
        for operator in OPERATORS:
            each = max(1, count // 96 // 3)
            place = usage._place(slot_at(at_ms))
            sent: dict[str, Any] = {"messages": each, "parts": each, "credits_micros": 40_000 * each}
            for kind, sums in (("", sent), ("ends#", {"delivered": each, "latency_06": each})):
                item = UsageTable(
                    f"{ACCOUNT.id}#{DAY:%Y-%m}", f"{kind}{place}#ES#{operator}#gtw_a", day=str(DAY), **sums
                )
                item.account_line = f"{ACCOUNT.id}#{place}#ES#{operator}#gtw_a"
                raw = item.serialize()
                yield raw["account_month"]["S"], raw["line"]["S"], json.dumps(raw)


if __name__ == "__main__":
    sys.exit(main())
