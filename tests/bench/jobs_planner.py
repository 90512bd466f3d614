"""The planner and the steps behind it on a stubbed AWS: how fast a core is, and how much memory it takes.

`python -m tests.bench.jobs_planner ROWS` surveys and feeds a file of that many rows, and tells its peak memory as JSON.
`python -m tests.bench.jobs_planner steps` tells messages a second of plan, route and charge.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.job import CHUNK_ROWS, Job, Source, Step
from chalicelib.domain.routing import RoutingTable
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Rules, Target
from chalicelib.domain.suppression import NOTHING_KNOWN
from chalicelib.services import charge as charging
from chalicelib.services import feed_job, prepare_job, read_recipients, survey_recipients
from chalicelib.services import route as routing
from chalicelib.services.survey_recipients import Surveyor
from chalicelib.store import accounts, dynamo, job_files, job_tallies, queues, rules

ACCOUNT: Final = Account(id="acc_bench", name="Bench", created_ms=0, default_sender="Chasqui")
STEP_MESSAGES: Final = 20_000


class StubbedAws:
    """A bucket in memory of what is being read only, and queues and tables that take all and keep nothing."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.chunks: dict[int, bytes] = {}
        self.sent: list[wire.Bundle] = []
        self.keeps = False

    def put(self, key: str, body: bytes) -> None:
        if "chunk-" in key:
            self.chunks = {int(key[-5:]): body}  # one at a time: the bucket is not the planner's memory

    def get(self, key: str) -> bytes:
        if "chunk-" not in key or int(key[-5:]) not in self.chunks:
            raise job_files.NoObject(key)
        return self.chunks[int(key[-5:])]

    def blocks(self, _key: str, offset: int, _size: int) -> Iterator[bytes]:
        assert offset == 0
        yield b"phone;name\r\n"
        for start in range(0, self.rows, 10_000):
            yield b"".join(f"+3460{at:07};Ana {at}\r\n".encode() for at in range(start, min(self.rows, start + 10_000)))

    def send_many(self, _queue: str, bundles: Any, **_: Any) -> None:
        for bundle in bundles:
            wire.encode(bundle)
            if self.keeps:
                self.sent.append(bundle)

    def install(self) -> None:
        """In place of the store's own functions, in this process."""
        table = RoutingTable(
            Rules(
                number=1,
                published_ms=0,
                published_by="bench",
                gateways=(Gateway(id="gw", name="GW", host="smsc", port=2775, system_id="us"),),
                routes=(Route(id="rte_1", targets=(Target(gateway="gw"),), price_micros=45_000, country="ES"),),
                numbering=(NumberingPrefix(prefix="346", country="ES", operator="Movistar"),),
            )
        )
        stubs: list[tuple[Any, str, Any]] = [
            (job_files, "put", self.put),
            (job_files, "get", self.get),
            (job_files, "blocks", self.blocks),
            (job_files, "size_of", lambda _key: 1),
            (job_files, "sample", lambda _key, most: b"phone;name\r\n+34600000000;Ana\r\n"[:most]),
            (rules, "table", lambda _now_ms: table),
            (accounts, "cached", lambda _id, _now_ms: ACCOUNT),
            (accounts, "retention_days", lambda _id, _now_ms: 90),
            (routing, "look_up", lambda _asked, _now_ms: NOTHING_KNOWN),
            (queues, "send_many", self.send_many),
            (dynamo, "put_all", lambda models: [model.serialize() for model in models]),
            (job_tallies, "put", lambda _counts, _now_ms: None),
            (dynamo, "transact", lambda _build: []),
            (charging, "announce", lambda _news, _now_ms: None),
        ]
        for module, name, stub in stubs:
            setattr(module, name, stub)


def main() -> None:
    """One measurement."""
    if sys.argv[1] == "steps":
        _steps()
    else:
        print(json.dumps(_memory(int(sys.argv[1]))))


def _job() -> Job:
    return Job(
        id=ids.new_id("job", 1),
        account=ACCOUNT.id,
        created_ms=1,
        status="preparing",
        text="Hello {name}, this is a test.",
        source=Source(kind="upload", upload="upl"),
        prep="P",
    )


def _memory(rows: int) -> dict[str, float]:
    aws = StubbedAws(rows)
    aws.install()
    job, now_ms = _job(), time.time_ns() // 1_000_000
    prepare_job._SECONDS = 1e9  # type: ignore[misc]  # in one go, as if a function had the time
    before_mb = _peak_mb()
    began = time.perf_counter()
    fed = [0.0]

    def feed_chunk(account: str, folder: str, chunk: int, recipients: Any) -> None:
        """Feed each chunk as it is written, so that the bucket needs no memory here."""
        _PUT_RECIPIENTS(account, folder, chunk, recipients)
        started = time.perf_counter()
        count = len(recipients)
        feed_job._send(job, Step(chunk * CHUNK_ROWS, count, "0" * 26), ACCOUNT, now_ms)
        fed[0] += time.perf_counter() - started

    setattr(job_files, "put_recipients", feed_chunk)  # noqa: B010 -- a stub
    survey = prepare_job._survey(job, ACCOUNT, now_ms)
    assert survey is not None
    assert survey.valid == rows
    return {
        "before_mb": before_mb,
        "peak_mb": _peak_mb(),
        "survey_seconds": time.perf_counter() - began - fed[0],
        "feed_seconds": fed[0],
    }


_PUT_RECIPIENTS: Final = job_files.put_recipients


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _steps() -> None:
    aws = StubbedAws(STEP_MESSAGES)
    aws.install()
    job, now_ms = _job(), time.time_ns() // 1_000_000
    began = time.process_time()
    recipients = read_recipients.open_recipients(job, None)
    surveyor = Surveyor(job, ACCOUNT, now_ms)
    kept: list[Any] = []
    setattr(job_files, "put_recipients", lambda _account, _folder, _chunk, some: kept.extend(some))  # noqa: B010
    for row in recipients:
        surveyor.add(row)
    surveyor.finish(recipients.columns)
    _tell("plan: survey", len(kept), time.process_time() - began)
    began = time.process_time()
    drafts = [
        wire.Draft(
            id=ids.run_message_id("0" * 26, at),
            at_ms=now_ms,
            content=survey_recipients.content_for(job, "Chasqui", one, ACCOUNT, now_ms),
        )
        for at, one in enumerate(kept)
    ]
    size = wire.MAX_BUNDLE_MESSAGES
    bundles = [
        wire.AcceptedBundle(
            id=ids.run_bundle_id("0" * 26, at), account=ACCOUNT.id, messages=tuple(drafts[at : at + size])
        )
        for at in range(0, len(drafts), size)
    ]
    _tell("plan: feed", len(kept), time.process_time() - began)
    aws.keeps, began = True, time.process_time()
    for at in range(0, len(bundles), 10):
        routing.route(bundles[at : at + 10], now_ms)
    _tell("route", len(kept), time.process_time() - began)
    routed = [wire.decode(wire.encode(bundle)) for bundle in aws.sent]
    aws.keeps, began = False, time.process_time()
    for at in range(0, len(routed), 10):
        some = [bundle for bundle in routed[at : at + 10] if isinstance(bundle, wire.RoutedBundle)]
        charging.charge(some, now_ms)
    _tell("charge", len(kept), time.process_time() - began)


def _tell(step: str, count: int, seconds: float) -> None:
    print(f"  {step:<14}{count / seconds:>9.0f} messages/s a core, on a stubbed AWS")


if __name__ == "__main__":
    main()
