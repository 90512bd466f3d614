"""Job tallies: what each step learned of a run's messages, under the step's own name; folded, they are its progress."""

from collections.abc import Iterable, Mapping, Set
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.domain.job import Tally
from chalicelib.domain.marks import Marks, spans
from chalicelib.domain.status import Status
from chalicelib.store import dynamo

KEPT_SECONDS: Final = 100 * 86_400
_decoder: Final = msgspec.json.Decoder(dict[str, list[int]])


class TallyTable(dynamo.Table):
    class Meta:
        suffix = "job_tallies"

    run = UnicodeAttribute(hash_key=True)
    step = UnicodeAttribute(range_key=True)
    marks = UnicodeAttribute()
    expires = NumberAttribute()


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What one step learned of one run: the numbers of its messages by mark (domain.marks)."""

    run: str
    step: str
    marks: Mapping[str, Set[int]]


def put(counts: Iterable[Count], now_ms: int) -> None:
    """Write the counts, 25 a request. Writing one again changes nothing. Raises dynamo.Overloaded."""
    dynamo.put_all(
        TallyTable(count.run, count.step, marks=_written(count), expires=now_ms // 1000 + KEPT_SECONDS)
        for count in counts
    )


def of_runs(runs: Iterable[str]) -> Tally:
    """What is known of the runs by now: a megabyte a request, some 5,000 steps."""
    tallies = [_of_run(run) for run in runs]
    return Tally(
        charged=sum(one.charged for one in tallies),
        submitted=sum(one.submitted for one in tallies),
        left=sum(one.left for one in tallies),
        ends={status: count for status in Status if (count := sum(one.ends.get(status, 0) for one in tallies))},
    )


def _of_run(run: str) -> Tally:
    marks = Marks()
    for item in TallyTable.query(run, consistent_read=True):
        for mark, told in _decoder.decode(item.marks).items():
            marks.add(mark, told)
    return marks.tally()


def _written(count: Count) -> str:
    return msgspec.json.encode({mark: spans(numbers) for mark, numbers in count.marks.items() if numbers}).decode()
