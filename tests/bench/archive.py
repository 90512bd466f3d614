"""Closing a day of 100,000 messages and reading it back: records a second, octets a record, and memory, which is flat.

python -m tests.bench.archive       (BENCH_MESSAGES: another number)
"""

import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from unittest.mock import patch

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact, Queued, Receipt, Submitted
from chalicelib.domain.facts import Final as FinalFact
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.services import close_day
from chalicelib.store import accounts, aws, cdrs, messages
from chalicelib.store.messages import Facts
from chalicelib.wire import ArchiveWork
from tests.conftest import ENVIRONMENT
from tests.world import empty_aws

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "100000"))
MOST_STEP_SECONDS: Final = 8.0  # of a function's 20
MOST_GROWTH_MB: Final = 40.0  # from the second part on, with moto's copy of what is written
NOW_MS: Final = 1_760_000_000_000
DAY: Final = date(2025, 10, 9)
RUN: Final = f"{ids.floor_at(NOW_MS)}{'0' * 16}"
TEXT: Final = "Hola, su pedido 12345 esta en camino. Gracias por su compra."
_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyFact]] = msgspec.json.Decoder(AnyFact)


def facts(number: int) -> tuple[AnyFact, ...]:
    """A delivered message of a job."""
    at_ms = NOW_MS + number
    content = Content(to=f"+5255{number * 7919 % 10**8:08}", country="MX", sender="ACME", encoding=Encoding.GSM7,
                      parts=1, valid_until_ms=NOW_MS, text=f"{TEXT} {number}", job="job_1", source="job")  # fmt: skip
    on: dict[str, Any] = {"part": 1, "parts": 1, "gateway": "gtw_a", "smsc_message_id": f"{number * 104_729:x}"}
    return (
        Queued(at_ms=at_ms, content=content, gateway="gtw_a", route="rte_1", operator="Telcel", price_micros=40_000,
               charge_micros=40_000, rules=1, bundle="b", why="route rte_1"),
        Submitted(at_ms=at_ms + 500, session="s", **on),
        Receipt(at_ms=at_ms + 4_000 + number % 9_000, status=Status.DELIVERED, state="DELIVRD", done_at_ms=at_ms, **on),
        FinalFact(at_ms=at_ms + 4_000 + number % 9_000, status=Status.DELIVERED),
    )  # fmt: skip


def made(*_: object) -> Iterator[Facts]:
    """The log, decoded as the table's reader does it; DynamoDB's own time is not in it."""
    after = str(_[4])
    for number in range(ids.number_of(after) + 1 if after else 0, MESSAGES):
        read = tuple(_decoder.decode(_encoder.encode(fact)) for fact in facts(number))
        yield Facts(ids.run_message_id(RUN, number), read)


def megabytes() -> float:
    """The most that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def close() -> tuple[list[float], float]:
    """Each step's seconds, and by how much memory grew from the second step on."""
    work: ArchiveWork | None = close_day.begin("acc_one", DAY, NOW_MS, final=False)
    seconds, held = [], 0.0
    while work is not None:
        begun = time.perf_counter()
        work = close_day.close(work, NOW_MS)
        seconds.append(time.perf_counter() - begun)
        held = held if len(seconds) > 2 else megabytes()
    return seconds, megabytes() - held


def main() -> int:
    """0 where each step is short and memory flat."""
    os.environ.update(ENVIRONMENT)
    no_late = patch.object(messages, "decided_late", lambda *_: iter(()))
    with patch.object(messages, "made", made), no_late, empty_aws():
        accounts.create(Account(id="acc_one", name="One", created_ms=0))
        seconds, growth = close()
        parts = cdrs.listing(DAY.isoformat()).parts
        bucket = f"{ENVIRONMENT['CHASQUI_PREFIX']}-cdr"
        octets = sum(aws.client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] for key in parts)
        begun = time.perf_counter()
        found = [cdrs.has(key, "+525500000000") for key in parts]
        looked = time.perf_counter() - begun
    print(f"{MESSAGES} messages closed in {sum(seconds):.1f} s ({MESSAGES / sum(seconds):.0f}/s), {len(seconds)} steps")
    print(f"worst step {max(seconds):.1f} s, memory + {growth:.0f} MB, {octets / MESSAGES:.0f} octets a record")
    print(f"a number looked for in {len(found)} parts: {1000 * looked / len(found):.0f} ms each")
    return 1 if max(seconds) > MOST_STEP_SECONDS or growth > MOST_GROWTH_MB else 0


if __name__ == "__main__":
    sys.exit(main())
