"""Tick: once a minute, whatever jobs are due for is begun; and what was lost on its way is sent again."""

from collections.abc import Callable
from typing import Final

from chalicelib.services.start_job import HEAL_MS, send_feed, send_start
from chalicelib.store import jobs, queues
from chalicelib.store.jobs import JobRow
from chalicelib.wire import JobWork

AHEAD_MS: Final = 90_000  # the tick after this one may be late by so much and still be in time


def tick(now_ms: int) -> int:
    """Send what is due within AHEAD_MS on its way, to the second; how many jobs were looked at.

    A start is sent by each tick that sees it: the job starts once (start_job). Feeding and preparing have records of
    their own; a job that is due for them is one whose record did not come through.
    """
    seen = 0
    for account, job in jobs.due(now_ms + AHEAD_MS):
        row = jobs.get(account, job)
        if row is not None and row.due_ms is not None:
            _DUE.get(row.job.status, _nothing)(row, now_ms)
            seen += 1
    return seen


def _start(row: JobRow, now_ms: int) -> None:
    if row.job.next_ms is not None:
        send_start(row.job, row.job.next_ms, now_ms)


def _feed(row: JobRow, now_ms: int) -> None:
    if row.step is not None and row.due_ms is not None and row.due_ms <= now_ms:
        jobs.see_to(row.job.account, row.job.id, now_ms + HEAL_MS)
        send_feed(row.job.account, row.job.id, row.step.first)


def _prepare(row: JobRow, now_ms: int) -> None:
    if row.due_ms is not None and row.due_ms <= now_ms:
        jobs.see_to(row.job.account, row.job.id, now_ms + HEAL_MS)
        work = JobWork(id=row.job.prep, account=row.job.account, job=row.job.id, stage="prepare")
        queues.send(queues.JOBS, work)


def _nothing(_row: JobRow, _now_ms: int) -> None:
    """It is over, or waits for somebody."""


_DUE: Final[dict[str, Callable[[JobRow, int], None]]] = {"scheduled": _start, "running": _feed, "preparing": _prepare}
