"""Control a job: start it by hand, pause, resume, stop, delete it. Bridges hear of it within a second."""

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.job import MAY_DELETE, MAY_PAUSE, MAY_RESUME, MAY_START, MAY_STOP, Job, JobStatus
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, not_found
from chalicelib.services.start_job import HEAL_MS, begin, lacks_credit, send_feed
from chalicelib.services.tell_finished import tell_finished
from chalicelib.store import accounts, job_controls, job_files, jobs
from chalicelib.store.job_controls import ControlState
from chalicelib.store.jobs import JobRow, Pace

_ATTEMPTS: Final = 5

log: Final = logging.getLogger(__name__)


def start(account: str, job_id: str, now_ms: int) -> JobRow:
    """The job, running; one to groups once their contacts are read.

    Raises Fault `not_found`, `wrong_state`, `no_credit`, `account_suspended`.
    """

    def change(row: JobRow) -> JobRow | None:
        _check_may_send(row.job)
        return begin(row, now_ms)

    return _change(account, job_id, "running", MAY_START, change)


def pause(account: str, job_id: str, now_ms: int) -> JobRow:
    """The job, paused: what waits at gateways goes back to its queue, and nothing is submitted. Raises Fault."""

    def change(row: JobRow) -> JobRow | None:
        paused = msgspec.structs.replace(row.job, status="paused")
        return _put(row, paused)

    row = _change(account, job_id, "paused", MAY_PAUSE, change)
    return _told(row, "paused", now_ms)


def resume(account: str, job_id: str, now_ms: int) -> JobRow:
    """The job, going on where it was. Raises Fault `not_found`, `wrong_state`, `no_credit`, `account_suspended`."""

    def change(row: JobRow) -> JobRow | None:
        _check_may_send(row.job)
        holder = accounts.get(account)
        run = ids.new_run_id(now_ms, holder.shards if holder else 1)
        # What is fed from now on has a run of today, in whose log it is looked after. The step at hand keeps its own.
        job = msgspec.structs.replace(row.job, status="running", runs=(*row.job.runs, run), failure=None)
        pace = Pace(row.step.first if row.step else 0, now_ms)
        if not jobs.put(job, expected=row.version, due_ms=now_ms + HEAL_MS, pace=pace):
            return None
        return JobRow(job=job, version=row.version + 1, step=row.step, pace=pace)

    row = _told(_change(account, job_id, "running", MAY_RESUME, change), "running", now_ms)
    if row.step is not None:
        send_feed(account, job_id, row.step.first)
    return row


def stop(account: str, job_id: str, now_ms: int) -> JobRow:
    """The job, stopped for good: what waits at gateways is canceled and paid back. Raises Fault."""

    def change(row: JobRow) -> JobRow | None:
        if row.step is not None and row.job.present_runs:  # of one that has sent nothing there is nothing to tell
            tell_finished(row.job, row.job.present_runs[-1], "stopped", now_ms)
        return _put(row, msgspec.structs.replace(row.job, status="stopped", ended_ms=now_ms, next_ms=None))

    return _told(_change(account, job_id, "stopped", MAY_STOP, change), "stopped", now_ms)


def delete(account: str, job_id: str) -> None:
    """Forget the job and its recipients; its messages stay in the log. Raises Fault `not_found`, `wrong_state`."""
    row = read(account, job_id)
    if row.job.status not in MAY_DELETE:
        raise _wrong_state(row.job, "deleted")
    if not jobs.delete(account, job_id, row.version):
        raise Fault("version_conflict", "the job was changed in the meantime")
    job_files.delete_of(account, job_id)
    record_change.changed("job", job_id, {"status": row.job.status, "name": row.job.name}, None)


def read(account: str, job_id: str) -> JobRow:
    """The job as it is this moment. Raises Fault `not_found`."""
    row = jobs.get(account, job_id)
    if row is None:
        raise not_found("job")
    return row


def _change(
    account: str,
    job_id: str,
    wanted: JobStatus,
    allowed: frozenset[JobStatus],
    change: Callable[[JobRow], JobRow | None],
) -> JobRow:
    """The job changed; as it is where it is so already: asking again does nothing, and tells the bridges again."""
    for _ in range(_ATTEMPTS):
        row = read(account, job_id)
        if row.job.status == wanted:
            return row
        if row.job.status not in allowed:
            raise _wrong_state(row.job, wanted)
        changed = change(row)
        if changed is not None:
            log.info("job changed", extra={"account": account, "job": job_id, "status": changed.job.status})
            record_change.changed("job", job_id, {"status": row.job.status}, {"status": changed.job.status})
            return changed
    raise Fault("version_conflict", "the job keeps changing")


def _put(row: JobRow, job: Job) -> JobRow | None:
    if not jobs.put(job, expected=row.version):
        return None
    return JobRow(job=job, version=row.version + 1, step=row.step, pace=row.pace)


def _told(row: JobRow, state: ControlState, now_ms: int) -> JobRow:
    job_controls.tell(row.job.id, state, row.version, now_ms)
    return row


def _check_may_send(job: Job) -> None:
    account = accounts.get(job.account)
    if account is None or account.state != "active":
        raise Fault("account_suspended", "the account is suspended: it sends nothing")
    if lacks_credit(job):
        raise Fault("no_credit", "the account's credit does not cover the job")


def _wrong_state(job: Job, wanted: str) -> Fault:
    return Fault("wrong_state", f"the job is {job.status}: it cannot be {wanted}")
