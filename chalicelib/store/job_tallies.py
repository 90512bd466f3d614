"""Job tallies: what each step counted of a run's messages, under the step's own name; a run's sum is their sum."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.domain.job import Tally
from chalicelib.domain.message import Status
from chalicelib.store import dynamo

KEPT_SECONDS: Final = 100 * 86_400
_CHARGED: Final = "charged"
_SUBMITTED: Final = "submitted"
_LEFT: Final = "left"


class TallyTable(dynamo.Table):
    class Meta:
        suffix = "job_tallies"

    run = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    counts = UnicodeAttribute()
    expires = NumberAttribute()


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What one step counted of one run, as Tally has it."""

    run: str
    step: str
    charged: int = 0
    submitted: int = 0
    left: int = 0
    ends: dict[Status, int] = {}


def put(counts: Iterable[Count], now_ms: int) -> None:
    """Write the counts, 25 a request. Writing one again changes nothing. Raises dynamo.Overloaded."""
    dynamo.put_all(
        TallyTable(
            count.run,
            count.step,
            counts=msgspec.json.encode(_counts(count)).decode(),
            expires=now_ms // 1000 + KEPT_SECONDS,
        )
        for count in counts
    )


def of_runs(runs: Iterable[str]) -> Tally:
    """What is counted of the runs by now: a megabyte a request, some 10,000 steps."""
    sums: Counter[str] = Counter()
    for run in runs:
        for item in TallyTable.query(run, consistent_read=True):
            sums.update(_read(item))
    charged, submitted, left = (sums.pop(name, 0) for name in (_CHARGED, _SUBMITTED, _LEFT))
    ends = {Status(name): count for name, count in sums.items() if count}
    return Tally(charged=charged, submitted=submitted, left=left, ends=ends)


def _counts(count: Count) -> dict[str, int]:
    named = {_CHARGED: count.charged, _SUBMITTED: count.submitted, _LEFT: count.left}
    named |= {str(status): number for status, number in count.ends.items()}
    return {name: number for name, number in named.items() if number}


def _read(item: Any) -> dict[str, int]:
    return msgspec.json.decode(item.counts, type=dict[str, int])
