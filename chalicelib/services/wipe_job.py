"""Wipe a number out of a job: out of its recipients as they were handed over, and as they were each time read."""

from contextlib import suppress
from typing import NamedTuple

import msgspec

from chalicelib.domain.job import Job, Recipient
from chalicelib.domain.numbers import BadNumber, normalize
from chalicelib.domain.recipients_file import Place
from chalicelib.domain.texts import ERASED
from chalicelib.services.read_recipients import ListedRecipients
from chalicelib.store import job_files, jobs
from chalicelib.store.jobs import JobRow


class Wiped(NamedTuple):
    """In how many places the number was a recipient; and whether the recipients are being read at this moment."""

    recipients: int
    is_read: bool


def wipe(row: JobRow, number: str, region: str | None) -> Wiped:
    """Take the number out of all that the job has in the bucket, and out of what is shown of it.

    `region`: which country national numbers of its list are of. Done again, it finds nothing more.
    """
    job, count, is_read = row.job, 0, False
    for name in job_files.names_of(job.account, job.id):
        folder, _, last = name.rpartition("/")
        kind, _, chunk = last.partition("-")
        with suppress(job_files.NoObject):  # the bucket has forgotten it
            if kind == job_files.LIST:
                count += _in_list(job, number, region)
            elif kind == job_files.CHUNK:
                count += _in_chunk(job, f"{job.id}/{folder}", int(chunk), number)
            elif kind.startswith((job_files.GATHERED, job_files.CHECKPOINT)):
                is_read |= _is_needed(job, name)
    if count:
        job_files.delete_results(job.account, job.id)  # who asks for them gets them anew
    _in_first_texts(row, number)
    return Wiped(count, is_read)


def _in_list(job: Job, number: str, region: str | None) -> int:
    """The list of the request, which is read again where the job is changed or copied."""
    key = job_files.job_key(job.account, job.id, job_files.LIST)
    given = msgspec.json.decode(job_files.get(key), type=list[dict[str, str]])
    found = [_is_number(one.number, number, region) for one in ListedRecipients(given, Place(0))]
    if any(found):
        wiped = [{"to": ERASED} if gone else one for one, gone in zip(given, found, strict=True)]
        job_files.put(key, msgspec.json.encode(wiped))
    return sum(found)


def _is_number(written: str, number: str, region: str | None) -> bool:
    """It stands there as somebody wrote it."""
    try:
        return normalize(written, region).e164 == number
    except BadNumber:
        return False


def _in_chunk(job: Job, folder: str, chunk: int, number: str) -> int:
    known = job_files.recipients(job.account, folder, chunk)
    changed = [_nobody(one) if one.to == number else one for one in known]
    if changed != list(known):
        job_files.put_recipients(job.account, folder, chunk, changed)
    return sum(one.to == number for one in known)


def _nobody(recipient: Recipient) -> Recipient:
    """In its place, by which messages are numbered; what is sent to it is refused."""
    return msgspec.structs.replace(recipient, to=ERASED, text="")


def _is_needed(job: Job, name: str) -> bool:
    """Whether the recipients are being read; what only that needs is deleted otherwise."""
    now = jobs.get(job.account, job.id)
    if now is not None and now.job.status == "preparing":
        return True
    job_files.delete(job_files.job_key(job.account, job.id, name))
    return False


def _in_first_texts(row: JobRow, number: str) -> None:
    survey = row.job.survey
    if survey and any(one.to == number for one in survey.first_texts):
        shown = tuple(one for one in survey.first_texts if one.to != number)
        changed = msgspec.structs.replace(row.job, survey=msgspec.structs.replace(survey, first_texts=shown))
        jobs.put(changed, expected=row.version, due_ms=row.due_ms)
