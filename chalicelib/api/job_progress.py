"""How far a job has got, as customers read it."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.domain.job import Survey, Tally, rate_of
from chalicelib.domain.status import Status
from chalicelib.store.jobs import JobRow


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far its last run has got. A message that ends twice (expired, then delivered late) counts in both."""

    recipients: int
    handed_over: Annotated[int, Meta(description="Charged, and with their gateways.")]
    submitted: int
    ended: int
    by_status: dict[Status, int]
    messages_per_second: float | None
    ends_at: Annotated[datetime, Meta(description="Estimated by its rate so far.")] | None


def progress(row: JobRow, survey: Survey, tally: Tally, now_ms: int) -> JobProgress:
    """How far the job has got, and when it may be through."""
    job, pace = row.job, row.pace
    running_ms = now_ms - pace.at_ms if pace and job.status == "running" else 0
    rate = (
        (tally.left - pace.first) * 1000 / running_ms if pace and running_ms > 0 and tally.left > pace.first else None
    )
    left = max(0, survey.valid - tally.left)
    limit = rate_of(job)
    told = min(rate, limit) if rate and limit else rate or (limit if job.status == "running" else None)
    return JobProgress(
        recipients=survey.valid,
        handed_over=tally.charged,
        submitted=tally.submitted,
        ended=tally.ended,
        by_status=tally.ends,
        messages_per_second=None if rate is None else round(rate, 2),
        ends_at=None if not told or job.status != "running" else _estimate(now_ms, left / told),
    )


def _estimate(now_ms: int, seconds: float) -> datetime:
    return instant(now_ms) + timedelta(seconds=min(round(seconds), 366 * 86_400))
