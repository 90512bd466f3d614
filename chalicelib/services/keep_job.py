"""Keep jobs: make one, change it before it starts, copy it; checked as far as can be without reading a file."""

from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.job import MAX_FILE_BYTES, MAY_EDIT, Job
from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.placeholders import BadTemplate, Template
from chalicelib.domain.schedule import BadZone, zone
from chalicelib.domain.text import BadText, segment
from chalicelib.services import record_change
from chalicelib.services.control_job import read
from chalicelib.services.faults import Fault, FieldFault, invalid, invalid_field
from chalicelib.services.keep_groups import check_groups
from chalicelib.services.prepare_job import HEAL_MS, prepare
from chalicelib.services.read_recipients import layout_at
from chalicelib.services.start_job import prepare_anew
from chalicelib.store import job_files, jobs, queues
from chalicelib.store.jobs import JobRow
from chalicelib.store.rows import MUST_BE_NEW
from chalicelib.wire import JobWork

MAX_AHEAD_MS: Final = 366 * 86_400_000  # a start or an end of repetitions further off is a mistake
JOB: Final = "job"


def create(job: Job, account: Account, recipients: list[dict[str, str]] | None, now_ms: int) -> JobRow:
    """The job, kept, and its recipients being read; those of the request are read when this returns.

    Raises Fault: `invalid_request` with the fields at fault, `text_too_long`, `account_suspended`, `not_found`.
    """
    if account.state != "active":
        raise Fault("account_suspended", "the account is suspended: it sends nothing")
    check(job, account, now_ms)
    check_groups(job.account, job.source.groups)
    _check_columns(job, _columns(job, recipients))
    if recipients is not None:
        job_files.put(job_files.job_key(job.account, job.id, job_files.LIST), msgspec.json.encode(recipients))
    if not jobs.put(job, expected=MUST_BE_NEW, due_ms=now_ms + HEAL_MS):
        raise Fault("already_exists", f"there is a job {job.id}")
    record_change.changed(JOB, job.id, None, job)
    if recipients is None:
        queues.send(queues.JOBS, JobWork(id=job.prep, account=job.account, job=job.id, stage="prepare"))
    else:
        prepare(job.account, job.id, now_ms)
    return read(job.account, job.id)


def change(job: Job, account: Account, expected_version: int, now_ms: int) -> JobRow:
    """The job over that version of it, read anew. Raises Fault as create does, `version_conflict`, `wrong_state`."""
    held = read(account.id, job.id)
    if held.job.status not in MAY_EDIT:
        raise Fault("wrong_state", f"the job is {held.job.status}: it cannot be changed")
    if held.version != expected_version:
        raise Fault("version_conflict", f"the job is at version {held.version}")
    check(job, account, now_ms)
    if held.job.survey is not None and held.job.source.kind != "groups":  # each contact has attributes of its own
        _check_columns(job, held.job.survey.columns)
    row = prepare_anew(JobRow(job=job, version=held.version, step=held.step), now_ms)
    if row is None:
        raise Fault("version_conflict", "the job was changed in the meantime")
    record_change.changed(JOB, job.id, held.job, row.job)
    return row


def copy(job_id: str, account: Account, now_ms: int, by: str = "") -> JobRow:
    """A new job like that one, made by `by`, prepared and to be started by hand. Raises Fault `not_found`."""
    of = read(account.id, job_id).job
    made = Job(
        id=ids.new_id(JOB, now_ms),
        account=account.id,
        created_ms=now_ms,
        status="preparing",
        text=of.text,
        source=of.source,
        name=of.name,
        sender=of.sender,
        mode=of.mode,
        by=by,
        priority=of.priority,
        category=of.category,
        validity_seconds=of.validity_seconds,
        dedupe=of.dedupe,
        rate=of.rate,
        spread_seconds=of.spread_seconds,
        timing=msgspec.structs.replace(of.timing, start_ms=None, repeat=None, until_ms=None),
        dry_run=True,
        prep=ids.new_ulid(now_ms),
    )
    given = None
    if of.source.kind == "recipients":
        try:
            given = msgspec.json.decode(job_files.get(job_files.job_key(of.account, of.id, job_files.LIST)))
        except job_files.NoObject:
            raise Fault("not_found", "the job's recipients are not there any more") from None
    return create(made, account, given, now_ms)


def check(job: Job, account: Account, now_ms: int) -> None:
    """Raises Fault with each field at fault."""
    faults = [*_of_text(job, account), *_of_sender(job, account), *_of_timing(job, now_ms)]
    if job.category == "transactional" and account.traffic != "transactional":
        told = "the account has no right to send transactional messages"
        faults.append(FieldFault(field="/category", code="not_allowed", detail=told))
    if job.validity_seconds is not None and job.validity_seconds > account.max_validity_seconds:
        told = f"the account allows a validity of {account.max_validity_seconds} seconds"
        faults.append(FieldFault(field="/validity_seconds", code="out_of_range", detail=told))
    if job.rate is not None and job.spread_seconds is not None:
        faults.append(FieldFault(field="/rate", code="not_allowed", detail="give a rate or a spread, not both"))
    if faults:
        raise invalid(*faults)


def _of_text(job: Job, account: Account) -> list[FieldFault]:
    try:
        template = Template(job.text)
        parts = 1 if template.names else len(segment(template.text_for({})).parts)
    except (BadTemplate, BadText) as error:
        return [FieldFault(field="/text", code=error.code, detail=str(error))]
    if parts > account.max_parts:
        told = f"the text takes {parts} parts; the account allows {account.max_parts}"
        return [FieldFault(field="/text", code="too_long", detail=told)]
    return []


def _of_sender(job: Job, account: Account) -> list[FieldFault]:
    given = job.sender if job.sender is not None else account.default_sender
    if given is None:
        told = "say who it is from: the account has no default sender"
        return [FieldFault(field="/from", code="missing", detail=told)]
    try:
        parse_sender(given)
    except BadSender as error:
        return [FieldFault(field="/from", code=error.code, detail=str(error))]
    return []


def _of_timing(job: Job, now_ms: int) -> list[FieldFault]:
    timing, faults = job.timing, []
    try:
        zone(timing.zone)
    except BadZone as error:
        faults.append(FieldFault(field="/time_zone", code=error.code, detail=str(error)))
    if timing.repeat is not None and timing.start_ms is None:
        faults.append(FieldFault(field="/start_at", code="missing", detail="a repeated job has a first time"))
    if timing.start_ms is not None and timing.start_ms < now_ms - 60_000:
        faults.append(FieldFault(field="/start_at", code="in_the_past", detail="the start is in the past"))
    if timing.start_ms is not None and timing.start_ms > now_ms + MAX_AHEAD_MS:
        faults.append(FieldFault(field="/start_at", code="out_of_range", detail="the start is over a year ahead"))
    if timing.until_ms is not None and (timing.repeat is None or timing.until_ms < (timing.start_ms or now_ms)):
        faults.append(FieldFault(field="/until", code="out_of_range", detail="it ends before it begins"))
    if timing.until_ms is not None and timing.until_ms > now_ms + MAX_AHEAD_MS:
        faults.append(FieldFault(field="/until", code="out_of_range", detail="it ends over a year ahead"))
    return faults


def _columns(job: Job, recipients: list[dict[str, str]] | None) -> tuple[str, ...] | None:
    """The columns that placeholders may name; None where each recipient has its own."""
    if recipients is not None or job.source.kind != "upload":
        return None
    key = job_files.upload_key(job.account, job.source.upload)
    size = job_files.size_of(key)
    if size is None:
        raise invalid_field("/upload_id", "unknown_upload", "nothing was uploaded there, or it is older than a week")
    if size > MAX_FILE_BYTES:
        raise invalid_field("/upload_id", "too_large", f"the file has {size} bytes; the limit is {MAX_FILE_BYTES}")
    return layout_at(key, job.source.number_column).columns


def _check_columns(job: Job, columns: tuple[str, ...] | None) -> None:
    """Raises Fault where the text asks for what no recipient has."""
    if columns is None:
        return
    unknown = sorted(Template(job.text).names - set(columns))
    if unknown:
        named = ", ".join(f"{{{name}}}" for name in unknown)
        told = f"there is no column for {named}; there are {', '.join(columns)[:400] or 'none'}"
        raise invalid_field("/text", "unknown_placeholder", told)
