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


class TallyTable(dynamo.Table):
    class Meta:
        suffix = "job_tallies"

    run = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    counts = UnicodeAttribute()
    expires = NumberAttribute()


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What one step counted of one run: messages charged, submitted, and ended by status."""

    run: str
    step: str
    charged: int = 0
    submitted: int = 0
    ends: dict[Status, int] = {}


def put(counts: Iterable[Count], now_ms: int) -> None:
    """Write the counts, 25 a request. Writing one again changes nothing. Raises dynamo.Overloaded."""
    dynamo.put_all(
        TallyTable(
            count.run,
            count.step,
            counts=msgspec.json.encode({_CHARGED: count.charged, _SUBMITTED: count.submitted, **count.ends}).decode(),
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
    charged, submitted = sums.pop(_CHARGED, 0), sums.pop(_SUBMITTED, 0)
    return Tally(charged=charged, submitted=submitted, ends={Status(name): n for name, n in sums.items() if n})


def _read(item: Any) -> dict[str, int]:
    return msgspec.json.decode(item.counts, type=dict[str, int])
