"""Jobs of all accounts: see them, and do with them what their holders can."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api import job_types as types
from chalicelib.api.admin.types import AccountId, Deleted
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints, Reply
from chalicelib.api.job_previews import InvalidRow
from chalicelib.api.job_types import JobId, JobQuery, JobView
from chalicelib.api.jobs import CHANGES, STARTS, invalid_rows, job_view, listing, results
from chalicelib.api.made_files import FileView
from chalicelib.services import control_job as control
from chalicelib.services.control_job import read
from chalicelib.store import jobs

endpoints: Final = Endpoints(__name__, tag="Jobs of accounts", role="admin")


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which jobs to list."""

    account: Annotated[AccountId, Meta(description="Default: all accounts' jobs, in no order.")] | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


@endpoints.get("/v1/admin/jobs", faults=("invalid_cursor",))
def list_all_jobs(call: AdminCall, query: JobsQuery) -> Listing[JobView]:
    """List an account's jobs, newest first, or all accounts'."""
    if query.account is not None:
        return listing(call, query.account, JobQuery(cursor=query.cursor, limit=query.limit))
    page = jobs.of_all(unseal(call, "all jobs", query.cursor), query.limit)
    data = tuple(types.view(row, None, call.now_ms) for row in page.items)
    return Listing(data=data, next_cursor=seal(call, "all jobs", page.cursor))


@endpoints.get("/v1/admin/accounts/{account}/jobs/{job}")
def read_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> JobView:
    """Read a job as it stands."""
    return job_view(read(account, job), call.now_ms)


@endpoints.get("/v1/admin/accounts/{account}/jobs/{job}/invalid-rows", faults=("invalid_cursor",))
def list_invalid_rows_of_account(
    call: AdminCall, account: AccountId, job: JobId, query: JobQuery
) -> Listing[InvalidRow]:
    """List every row of a job that gets no message, and why."""
    return invalid_rows(call, read(account, job), query)


@endpoints.get("/v1/admin/accounts/{account}/jobs/{job}/results", also={202: FileView}, faults=("wrong_state",))
def read_results_of_account(call: AdminCall, account: AccountId, job: JobId) -> FileView | Reply[FileView]:
    """Get a file with each message of a job's last start, and what became of it; 202 until it is made."""
    return results(read(account, job), call.now_ms)


@endpoints.post("/v1/admin/accounts/{account}/jobs/{job}/start", faults=STARTS)
def start_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> JobView:
    """Start a job that is ready or scheduled, now."""
    return job_view(control.start(account, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/admin/accounts/{account}/jobs/{job}/pause", faults=CHANGES)
def pause_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> JobView:
    """Pause a job."""
    return job_view(control.pause(account, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/admin/accounts/{account}/jobs/{job}/resume", faults=STARTS)
def resume_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> JobView:
    """Have a paused job go on where it was."""
    return job_view(control.resume(account, job, call.now_ms), call.now_ms)


@endpoints.post("/v1/admin/accounts/{account}/jobs/{job}/stop", faults=CHANGES)
def stop_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> JobView:
    """Stop a job for good; what waits at gateways is canceled, and paid back."""
    return job_view(control.stop(account, job, call.now_ms), call.now_ms)


@endpoints.delete("/v1/admin/accounts/{account}/jobs/{job}", faults=CHANGES)
def delete_job_of_account(call: AdminCall, account: AccountId, job: JobId) -> Deleted:
    """Delete a job that is not under way, and its recipients."""
    control.delete(account, job)
    return Deleted(id=job)
