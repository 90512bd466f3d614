"""Report a job: the file of its last start's messages and what became of each, made when somebody asks for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from chalicelib.domain import csv_lines, ids
from chalicelib.domain.job import OVER, Job
from chalicelib.domain.message import Message, fold
from chalicelib.domain.money import format_amount
from chalicelib.services.faults import Fault
from chalicelib.services.make_file import Line, make
from chalicelib.store import job_files, jobs, made_files, messages, queues
from chalicelib.store.jobs import JobRow
from chalicelib.store.made_files import Made
from chalicelib.wire import JobWork

FRESH_MS: Final = 600_000  # for so long a file of a job that may still change is good enough
SETTLED_MS: Final = 3 * 86_400_000  # after a job's end; receipts that come later are few
HEAL_MS: Final = 300_000  # a file that is not there by then is asked for once more
COLUMNS: Final = ("number", "message_id", "status", "error", "parts", "charge", "refund", "time")
_HEAD: Final = (csv_lines.BOM + csv_lines.line(COLUMNS)).encode()
_ASKED: Final = "results"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The file that was asked for last: its ULID, when, and of which runs it is."""

    id: str
    asked_ms: int
    runs: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A file to download; without a URL it is being made."""

    url: str | None = None
    made: Made | None = None


_asked: Final = msgspec.json.Decoder(Asked)


def ask(row: JobRow, now_ms: int) -> Report:
    """The job's file; where there is none that is good enough, it is begun, once. Raises Fault `wrong_state`."""
    job = row.job
    if not job.runs:
        raise Fault("wrong_state", f"the job is {job.status}: nothing of it has been sent")
    asked = _last_asked(job)
    made = made_files.made(_key(job, asked.id)) if asked else None
    if asked is not None and made is not None and _is_good(job, asked, made, now_ms):
        return Report(url=job_files.url_to_download(_key(job, asked.id), f"{job.id}.csv"), made=made)
    if asked is not None and made is None and now_ms - asked.asked_ms < HEAL_MS:
        return Report()
    if asked is not None and made is None:
        anew = msgspec.structs.replace(asked, asked_ms=now_ms)  # the same file goes on where it was
    else:
        anew = Asked(id=ids.new_ulid(now_ms), asked_ms=now_ms, runs=job.present_runs)
    job_files.put(job_files.job_key(job.account, job.id, _ASKED), msgspec.json.encode(anew))
    _send(job.account, job.id, anew.id)
    return Report()


def report(account: str, job_id: str, report_id: str, now_ms: int) -> None:
    """Make the file, or go on with it. Done twice, or by two at once, it is made once."""
    row = jobs.get(account, job_id)
    asked = _last_asked(row.job) if row else None
    if row is None or asked is None or asked.id != report_id:
        return  # it is deleted, or a newer file was asked for
    if make(_key(row.job, report_id), _HEAD, lambda position: _lines(account, asked.runs, position), now_ms) is None:
        _send(account, job_id, report_id)


def _is_good(job: Job, asked: Asked, made: Made, now_ms: int) -> bool:
    if now_ms - made.made_ms < FRESH_MS:
        return True
    settled = job.status in OVER and job.ended_ms is not None and made.made_ms > job.ended_ms + SETTLED_MS
    return settled and asked.runs == job.present_runs


def _lines(account: str, runs: tuple[str, ...], position: str) -> Iterator[Line]:
    """The messages of the runs behind the one named, a line each."""
    begun = ids.run_of(position) if position else None
    for run in runs[runs.index(begun) :] if begun else runs:
        for message_id, facts in messages.of_run(account, run, position if run == begun else ""):
            message = fold(message_id, facts)
            if message is not None and message.content is not None:
                yield Line(message_id, csv_lines.line(_cells(message, message.content.to)).encode())


def _cells(message: Message, number: str) -> tuple[str, ...]:
    return (
        number,
        message.id,
        message.status.value,
        message.error.code if message.error else "",
        str(message.content.parts if message.content else 0),
        format_amount(message.queued.charge_micros if message.queued else 0),
        format_amount(message.refund_micros),
        datetime.fromtimestamp(message.updated_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _last_asked(job: Job) -> Asked | None:
    try:
        return _asked.decode(job_files.get(job_files.job_key(job.account, job.id, _ASKED)))
    except job_files.NoObject:
        return None


def _send(account: str, job_id: str, report_id: str) -> None:
    queues.send(queues.JOBS, JobWork(id=report_id, account=account, job=job_id, stage="report"))


def _key(job: Job, report_id: str) -> str:
    return job_files.job_key(job.account, job.id, f"results-{report_id}.csv")
