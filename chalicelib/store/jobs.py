"""Jobs: what each is, under a version; and beside it how far it is fed, which only feeding moves, and only forward."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.domain.job import Job, Step
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import MUST_BE_NEW

_TIMER: Final = "due"  # one partition of the index: jobs are few, and each is in it only while something is due
_decoder: Final = msgspec.json.Decoder(Job)


class ByDue(GlobalSecondaryIndex["JobTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_due"
        projection = KeysOnlyProjection()

    timer = UnicodeAttribute(hash_key=True)
    due_ms = NumberAttribute(range_key=True)


class JobTable(dynamo.Table):
    class Meta:
        suffix = "jobs"

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    version = NumberAttribute()
    timer = UnicodeAttribute(null=True)
    due_ms = NumberAttribute(null=True)
    first = NumberAttribute(null=True)
    size = NumberAttribute(null=True)
    run = UnicodeAttribute(null=True)
    paced_first = NumberAttribute(null=True)
    paced_ms = NumberAttribute(null=True)
    by_due = ByDue()


class Pace(msgspec.Struct, frozen=True):
    """From which recipient on, since when, a job's rate is counted."""

    first: int
    at_ms: int


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job with the version that a change must name, and how far it is fed (None: not begun)."""

    job: Job
    version: int
    step: Step | None = None
    pace: Pace | None = None
    due_ms: int | None = None  # when the scheduler looks at it


def get(account: str, id_: str) -> JobRow | None:
    """The job as it is this moment, or None."""
    try:
        return _row(JobTable.get(account, id_, consistent_read=True))
    except JobTable.DoesNotExist:
        return None


def put(
    job: Job, *, expected: int, due_ms: int | None = None, step: Step | None = None, pace: Pace | None = None
) -> bool:
    """Write the job over that version (MUST_BE_NEW: over nothing). False where it was another version.

    `due_ms`: when the scheduler is to look at it (None: not at all). `step`: where a new run begins to be fed.
    """
    table = JobTable
    changes: list[Action] = [table.body.set(msgspec.json.encode(job).decode()), table.version.add(1)]
    changes += [table.timer.remove(), table.due_ms.remove()] if due_ms is None else _due(due_ms)
    if step is not None:
        changes += _step(step)
    if pace is not None:
        changes += [table.paced_first.set(pace.first), table.paced_ms.set(pace.at_ms)]
    condition = table.id.does_not_exist() if expected == MUST_BE_NEW else table.version == expected
    return _updated(job.account, job.id, changes, condition)


def advance(account: str, id_: str, since: Step, to: Step, due_ms: int) -> bool:
    """Have feeding go on with the next step, unless somebody has done so; `due_ms`: when to see that it did."""
    table = JobTable
    stands = (table.first == since.first) & (table.run == since.run)
    return _updated(account, id_, [*_step(to), *_due(due_ms)], stands)


def see_to(account: str, id_: str, due_ms: int) -> None:
    """Have the scheduler look at the job then."""
    _updated(account, id_, _due(due_ms), JobTable.id.exists())


def delete(account: str, id_: str, expected: int) -> bool:
    """False where it was another version."""
    try:
        JobTable(account, id_).delete(condition=JobTable.version == expected)
    except DeleteError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def of_account(account: str, cursor: Cursor | None = None, limit: int = 50) -> Page[JobRow]:
    """The account's jobs, newest first. `cursor` is `{"before": <job id>}`."""
    older = JobTable.id < cursor["before"] if cursor else None
    found = [_row(item) for item in JobTable.query(account, older, scan_index_forward=False, limit=limit + 1)]
    more = {"before": found[limit - 1].job.id} if len(found) > limit else None
    return Page(tuple(found[:limit]), more)


def of_all(cursor: Cursor | None = None, limit: int = 50) -> Page[JobRow]:
    """Jobs of all accounts, in no particular order."""
    found = JobTable.scan(limit=limit, last_evaluated_key=cursor)
    return Page(tuple(_row(item) for item in found), found.last_evaluated_key)


def due(until_ms: int) -> Iterator[tuple[str, str]]:
    """Account and id of the jobs that something is due for, the longest due first."""
    for item in JobTable.by_due.query(_TIMER, JobTable.due_ms <= until_ms):
        yield str(item.account), str(item.id)


def _due(due_ms: int) -> list[Action]:
    return [JobTable.timer.set(_TIMER), JobTable.due_ms.set(due_ms)]


def _step(step: Step) -> list[Action]:
    return [JobTable.first.set(step.first), JobTable.size.set(step.count), JobTable.run.set(step.run)]


def _updated(account: str, id_: str, changes: list[Action], condition: Condition) -> bool:
    try:
        JobTable(account, id_).update(changes, condition=condition)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _row(item: Any) -> JobRow:
    job = _decoder.decode(item.body)
    step = None if item.run is None else Step(int(item.first), int(item.size), str(item.run))
    pace = None if item.paced_ms is None else Pace(int(item.paced_first), int(item.paced_ms))
    due_ms = None if item.due_ms is None else int(item.due_ms)
    return JobRow(job=job, version=int(item.version), step=step, pace=pace, due_ms=due_ms)
