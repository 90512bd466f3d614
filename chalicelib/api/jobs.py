"""Jobs: make, preview, follow, control, change and copy them."""

from typing import Any, Final

import msgspec

from chalicelib.api import job_types as types
from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import Call, CustomerCall, Endpoints, Reply
from chalicelib.api.job_previews import InvalidRow, invalid_row
from chalicelib.api.job_settings import ChangedJob, NewJob, new_job, with_settings
from chalicelib.api.job_types import JobId, JobQuery, JobView
from chalicelib.api.made_files import FileView, file_view
from chalicelib.domain.job import MAX_LISTED
from chalicelib.services import control_job as control
from chalicelib.services import keep_job as keep
from chalicelib.services import report_job
from chalicelib.services.control_job import read
from chalicelib.services.faults import Fault
from chalicelib.store import job_files, job_tallies, jobs
from chalicelib.store.jobs import JobRow

endpoints: Final = Endpoints(__name__, tag="Jobs", role="customer")
MAX_JOB_BYTES: Final = 1024 * MAX_LISTED  # a thousand recipients with some columns each
CHANGES: Final = ("wrong_state", "version_conflict")
STARTS: Final = (*CHANGES, "no_credit", "account_suspended")


@endpoints.post("/v1/jobs", status=202, faults=("account_suspended",), max_body_bytes=MAX_JOB_BYTES)
def create_job(call: CustomerCall, body: NewJob) -> JobView:
    """Send a text to many.

    The recipients of the request are read at once; an uploaded file is read in the background, while the job's status
    is `preparing`. Then it starts, or waits for its time; with `dry_run`, for you to start it.
    """
    account = call.caller.account
    job = msgspec.structs.replace(new_job(body, account, call.caller.key.mode, call.now_ms), by=call.caller.by)
    given = None if body.recipients is None else list(body.recipients)
    return job_view(keep.create(job, account, given, call.now_ms), call.now_ms)


@endpoints.get("/v1/jobs", faults=("invalid_cursor",))
def list_jobs(call: CustomerCall, query: JobQuery) -> Listing[JobView]:
    """List your jobs, newest first, without their progress."""
    return listing(call, call.caller.account.id, query)


@endpoints.get("/v1/jobs/{job}")
def read_job(call: CustomerCall, job: JobId) -> JobView:
    """Read a job as it stands: its preview, and how far it has got."""
    return job_view(read(call.caller.account.id, job), call.now_ms)


@endpoints.get("/v1/jobs/{job}/invalid-rows", faults=("invalid_cursor",))
def list_invalid_rows(call: CustomerCall, job: JobId, query: JobQuery) -> Listing[InvalidRow]:
    """List every row that gets no message, and why; duplicates among them."""
    return invalid_rows(call, read(call.caller.account.id, job), query)


@endpoints.get("/v1/jobs/{job}/results", also={202: FileView}, faults=("wrong_state",))
def read_job_results(call: CustomerCall, job: JobId) -> FileView | Reply[FileView]:
    """Get a file with each message of the job's last start, and what became of it.

    It is made when you ask for it: 202 until it is there. It is made anew where it is older than ten minutes, and was
    not made three days after the job's end.
    """
    return results(read(call.caller.account.id, job), call.now_ms)


@endpoints.put("/v1/jobs/{job}", faults=CHANGES)
def change_job(call: CustomerCall, job: JobId, body: ChangedJob) -> JobView:
    """Change a job that has not started. What is not given falls back to its default."""
    account = call.caller.account
    changed = with_settings(read(account.id, job).job, body)
    return job_view(keep.change(changed, account, body.version, call.now_ms), call.now_ms)


@endpoints.post("/v1/jobs/{job}/start", faults=STARTS)
def start_job(call: CustomerCall, job: JobId) -> JobView:
    """Start a job that is ready or scheduled, now."""
    return job_view(control.start(call.caller.account.id, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/jobs/{job}/pause", faults=CHANGES)
def pause_job(call: CustomerCall, job: JobId) -> JobView:
    """Pause a job: within two seconds nothing more of it is submitted."""
    return job_view(control.pause(call.caller.account.id, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/jobs/{job}/resume", faults=STARTS)
def resume_job(call: CustomerCall, job: JobId) -> JobView:
    """Have a paused job go on where it was."""
    return job_view(control.resume(call.caller.account.id, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/jobs/{job}/stop", faults=CHANGES)
def stop_job(call: CustomerCall, job: JobId) -> JobView:
    """Stop a job for good.

    Within two seconds nothing more of it is submitted; what waits at gateways is canceled, and paid back.
    """
    return job_view(control.stop(call.caller.account.id, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/jobs/{job}/copy", status=202, faults=("account_suspended",))
def copy_job(call: CustomerCall, job: JobId) -> JobView:
    """Make a new job like this one, to be changed, and started by hand."""
    return job_view(keep.copy(job, call.caller.account, call.now_ms, call.caller.by), call.now_ms)


@endpoints.delete("/v1/jobs/{job}", faults=CHANGES)
def delete_job(call: CustomerCall, job: JobId) -> Deleted:
    """Delete a job that is not under way, and its recipients. Its messages stay where they are."""
    control.delete(call.caller.account.id, job)
    return Deleted(id=job)


def job_view(row: JobRow, now_ms: int) -> JobView:
    """The job with its progress, where it has begun."""
    runs = row.job.present_runs
    return types.view(row, job_tallies.of_runs(runs) if runs else None, now_ms)


def results(row: JobRow, now_ms: int) -> FileView | Reply[FileView]:
    """The job's file, or that it is being made."""
    told = report_job.ask(row, now_ms)
    return file_view(told.url, told.made, now_ms)


def listing(call: Call[Any], account: str, query: JobQuery) -> Listing[JobView]:
    """A page of an account's jobs."""
    name = f"jobs {account}"
    page = jobs.of_account(account, unseal(call, name, query.cursor), query.limit)
    data = tuple(types.view(row, None, call.now_ms) for row in page.items)
    return Listing(data=data, next_cursor=seal(call, name, page.cursor))


def invalid_rows(call: Call[Any], row: JobRow, query: JobQuery) -> Listing[InvalidRow]:
    """A page of a job's rows that get no message."""
    job, survey = row.job, row.job.survey
    name = f"invalid rows {job.folder}"
    chunk, at = _place(unseal(call, name, query.cursor))
    if survey is None or chunk >= survey.bad_chunks:
        return Listing(data=())
    bad = job_files.bad(job.account, job.folder, chunk)
    data = tuple(map(invalid_row, bad[at : at + query.limit]))
    after: tuple[int, int] | None = (chunk, at + query.limit) if at + query.limit < len(bad) else (chunk + 1, 0)
    return Listing(data=data, next_cursor=seal(call, name, after if after and after[0] < survey.bad_chunks else None))


def _place(position: Any) -> tuple[int, int]:
    try:
        return (0, 0) if position is None else msgspec.convert(position, tuple[int, int])
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
