"""Prepare a job: its recipients are read and surveyed, some seconds at a time; then it starts, or waits its time."""

import logging
import time
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.job import Job, JobStatus, Survey
from chalicelib.services.faults import Fault
from chalicelib.services.gather_groups import freeze
from chalicelib.services.read_recipients import Recipients, open_recipients
from chalicelib.services.start_job import await_next, send_start, start
from chalicelib.services.survey_recipients import Progress, Surveyor, TooMany
from chalicelib.services.tell_finished import tell_finished
from chalicelib.store import accounts, job_files, jobs, queues
from chalicelib.store.jobs import JobRow
from chalicelib.wire import JobWork

HEAL_MS: Final = 150_000  # a record that failed comes again after two minutes; after this the scheduler sends another
_SECONDS: Final = 8.0  # of a function's 20, after which the rest is another record's
_LOOK_EVERY: Final = 1_000  # rows between two looks at the clock
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Progress)

log: Final = logging.getLogger(__name__)


def prepare(account_id: str, job_id: str, now_ms: int) -> None:
    """Go on with the job's survey, from where the last record left it; at the end start or schedule the job.

    Done twice, it writes the same; of two that end it, one does.
    """
    row = jobs.get(account_id, job_id)
    account = accounts.get(account_id)
    if row is None or account is None or row.job.status != "preparing":
        return
    job = row.job
    jobs.see_to(account_id, job_id, now_ms + HEAL_MS)
    try:
        surveyed = _survey(job, account, now_ms)
    except (job_files.NoObject, TooMany, Fault) as error:
        _fail(row, error, now_ms)
        return
    if surveyed is None:
        queues.send(queues.JOBS, JobWork(id=job.prep, account=account_id, job=job_id, stage="prepare"))
    else:
        conclude(row, surveyed, now_ms)


def conclude(row: JobRow, survey: Survey, now_ms: int) -> JobRow | None:
    """The job with its survey, started where it is due. None where somebody has changed it meanwhile."""
    job, version = row.job, row.version
    waits = job.next_ms is not None and job.next_ms > now_ms
    may_fill = waits and job.source.kind == "groups"
    if not survey.valid and not job.dry_run and not may_fill:
        _end_without_recipients(row, survey, now_ms)
        return None
    status: JobStatus = "ready" if job.dry_run else "scheduled"
    ready = msgspec.structs.replace(
        job, survey=survey, surveyed_ms=now_ms, status=status, next_ms=job.next_ms or (None if job.dry_run else now_ms)
    )
    if not jobs.put(ready, expected=version, due_ms=None if job.dry_run else ready.next_ms):
        return None
    made = JobRow(job=ready, version=version + 1)
    if waits and ready.next_ms is not None and not job.dry_run:
        send_start(ready, ready.next_ms, now_ms)  # the scheduler may look too late for it
    if job.dry_run or waits:
        return made
    return start(made, now_ms)


def _end_without_recipients(row: JobRow, survey: Survey, now_ms: int) -> None:
    """There is nobody to write to: the job has failed. One to groups that repeats passes this time over."""
    job = row.job
    if job.timing.repeat is None or job.source.kind != "groups":
        _fail(row, Fault("no_recipients", "no row has a number that can be written to"), now_ms)
        return
    passed = msgspec.structs.replace(job, survey=survey, surveyed_ms=now_ms, started_for_ms=job.next_ms or now_ms)
    await_next(msgspec.structs.replace(row, job=passed), now_ms)
    log.info("nobody to write to", extra={"account": job.account, "job": job.id})


def _survey(job: Job, account: Account, now_ms: int) -> Survey | None:
    """The survey; None where it is not through yet."""
    if job.source.kind == "groups" and not freeze(job, now_ms):
        return None
    key = job_files.job_key(job.account, job.folder, job_files.CHECKPOINT)
    progress = _kept(key)
    recipients: Recipients = open_recipients(job, progress.place if progress else None)
    surveyor = Surveyor(job, account, now_ms, progress)
    ends = time.monotonic() + _SECONDS
    for row in recipients:
        surveyor.add(row)
        if not surveyor.rows % _LOOK_EVERY and time.monotonic() > ends:
            job_files.put(key, _encoder.encode(surveyor.keep(recipients.place)))
            return None
    return surveyor.finish(recipients.columns)


def _kept(key: str) -> Progress | None:
    try:
        return _decoder.decode(job_files.get(key))
    except job_files.NoObject:
        return None


def _fail(row: JobRow, error: Exception, now_ms: int) -> None:
    told = {job_files.NoObject: ("no_file", "the file is not there (any more)"), TooMany: ("too_many_rows", str(error))}
    code, title = told.get(type(error), (getattr(error, "code", "failed"), str(error)))
    failed = msgspec.structs.replace(
        row.job, status="failed", failure=ErrorInfo(code=code, title=title), ended_ms=now_ms, next_ms=None
    )
    tell_finished(failed, f"prepared/{row.job.prep}", "failed", now_ms)
    jobs.put(failed, expected=row.version)
    log.info("job failed", extra={"account": row.job.account, "job": row.job.id, "code": code})
