"""Start a job's run: once for each time it is due, whoever notices."""

import logging
from math import ceil
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.job import CHUNK_ROWS, Job, Step, rate_of
from chalicelib.domain.refusals import REASONS
from chalicelib.domain.schedule import LATE_MS, next_start
from chalicelib.services.tell_finished import tell_finished
from chalicelib.store import accounts, jobs, queues, wallets
from chalicelib.store.jobs import JobRow, Pace
from chalicelib.wire import MAX_BUNDLE_MESSAGES, JobWork

HEAL_MS: Final = 150_000  # a record that failed comes again after two minutes; after this the scheduler sends another
LEAST_STEP: Final = 10 * MAX_BUNDLE_MESSAGES
PACED_SECONDS: Final = 2.0  # of a job with a rate, a step is what it sends in so long
MISSED: Final = ErrorInfo(code="missed_start", title="The job's time was missed, and it is not to catch up.")

log: Final = logging.getLogger(__name__)


def start_when_due(account: str, job_id: str, at_ms: int, now_ms: int) -> None:
    """Start the scheduled job that is due at that instant. Of many that ask, one starts it."""
    row = jobs.get(account, job_id)
    if row is None or row.job.status != "scheduled" or row.job.next_ms != at_ms:
        return
    if at_ms > now_ms:  # clocks differ
        send_start(row.job, at_ms, now_ms)
        return
    timing = row.job.timing
    if now_ms - at_ms > LATE_MS and timing.catch_up == "skip":
        await_next(row, now_ms, MISSED)
    else:
        begin(row, now_ms)


def begin(row: JobRow, now_ms: int) -> JobRow | None:
    """The job, started; of one to groups their contacts are read first, as they are now, and then it starts."""
    job = row.job
    if job.source.kind != "groups" or (job.next_ms and job.next_ms <= (job.surveyed_ms or 0)):
        return start(row, now_ms)
    now = msgspec.structs.replace(job, dry_run=False, next_ms=(job.next_ms and min(job.next_ms, now_ms)) or now_ms)
    return prepare_anew(msgspec.structs.replace(row, job=now), now_ms)


def start(row: JobRow, now_ms: int) -> JobRow | None:
    """The job, running; paused where credit is lacking, or the account is suspended: of what is sent then each message
    would be refused. None where somebody has changed it meanwhile."""
    job, account = row.job, accounts.get(row.job.account)
    if account is None or job.survey is None:
        return None
    run = ids.new_run_id(now_ms, account.shards)
    begun = msgspec.structs.replace(
        job,
        status="running",
        runs=(*job.runs, run),
        runs_before=len(job.runs),
        next_ms=None,
        dry_run=False,
        failure=None,
        started_for_ms=job.next_ms or now_ms,
        started_ms=now_ms,
        ended_ms=None,
    )
    missing = "account_inactive" if account.state != "active" else "no_credit" if lacks_credit(job) else None
    if missing is not None:
        error = ErrorInfo(code=missing, title=REASONS[missing].title)
        begun = msgspec.structs.replace(begun, status="paused", failure=error)
    step, due_ms = Step(0, first_count(job), run), None if begun.status == "paused" else now_ms + HEAL_MS
    if not jobs.put(begun, expected=row.version, due_ms=due_ms, step=step, pace=Pace(0, now_ms)):
        return None
    made = JobRow(job=begun, version=row.version + 1, step=step, due_ms=due_ms)
    log.info("job started", extra={"account": job.account, "job": job.id, "run": run, "status": begun.status})
    if begun.status == "running":  # of one that is paused nothing is at any gateway: no bridge need hear
        send_feed(job.account, job.id, 0)
    return made


def prepare_anew(row: JobRow, now_ms: int) -> JobRow | None:
    """The job, whose recipients are being read from the beginning."""
    job = msgspec.structs.replace(row.job, status="preparing", prep=ids.new_ulid(now_ms), survey=None, failure=None)
    if not jobs.put(job, expected=row.version, due_ms=now_ms + HEAL_MS):
        return None
    queues.send(queues.JOBS, JobWork(id=job.prep, account=job.account, job=job.id, stage="prepare"))
    return JobRow(job=job, version=row.version + 1, step=row.step, due_ms=now_ms + HEAL_MS)


def await_next(row: JobRow, now_ms: int, failure: ErrorInfo | None = None) -> bool:
    """A run is over, or was missed: schedule the next one, or the job is over. False where it was changed meanwhile."""
    job, timing = row.job, row.job.timing
    after_ms = job.started_for_ms if failure is None and job.started_for_ms else now_ms
    if timing.catch_up == "skip":
        after_ms = max(after_ms, now_ms - LATE_MS)
    following = next_start(timing, after_ms) if timing.repeat else None
    if following is not None and following <= now_ms:  # one is made up for all that were missed
        later = next_start(timing, now_ms)
        following = now_ms if later is None or later > now_ms else later
    if following is None:
        ended = msgspec.structs.replace(
            job, status="failed" if failure else "completed", failure=failure, ended_ms=now_ms, next_ms=None
        )
    else:
        ended = msgspec.structs.replace(job, status="scheduled", next_ms=following, ended_ms=now_ms)
    if failure is not None:
        tell_finished(job, f"missed/{job.next_ms}", "failed", now_ms)
    elif job.present_runs:
        tell_finished(job, job.present_runs[-1], "completed", now_ms)
    if not jobs.put(ended, expected=row.version, due_ms=following):
        return False
    if following is not None:
        send_start(ended, following, now_ms)
    return True


def first_count(job: Job) -> int:
    """How many recipients the first step has."""
    valid, rate = job.survey.valid if job.survey else 0, rate_of(job)
    count = LEAST_STEP if rate is None else min(CHUNK_ROWS, max(1, int(rate * PACED_SECONDS)))
    return min(count, valid, CHUNK_ROWS)


def lacks_credit(job: Job) -> bool:
    """Whether what it would cost is more than the account has."""
    if job.mode == "test" or job.survey is None:
        return False
    wallet = wallets.get(job.account, consistent=True)
    return wallet is None or wallet.available_micros < job.survey.price_micros


def send_feed(account: str, job: str, first: int, delay_ms: int = 0) -> None:
    """Have feeding go on, after a delay of at most fifteen minutes."""
    work = JobWork(id=f"{job}-{first}", account=account, job=job, stage="feed", at=first)
    queues.send(queues.JOBS, work, delay_seconds=ceil(delay_ms / 1000))


def send_start(job: Job, at_ms: int, now_ms: int) -> None:
    """Have the job started at that instant, where it is near enough; else the scheduler will."""
    delay_seconds = max(0, ceil((at_ms - now_ms) / 1000))
    if delay_seconds <= queues.MAX_DELAY_SECONDS:
        work = JobWork(id=f"{job.id}-{at_ms}", account=job.account, job=job.id, stage="start", at=at_ms)
        queues.send(queues.JOBS, work, delay_seconds=delay_seconds)
