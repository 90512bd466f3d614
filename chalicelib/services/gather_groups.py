"""Gather the contacts of groups, in order of numbers, each once; and keep them as a job's recipients."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Final

import msgspec

from chalicelib.domain.contact import Contact
from chalicelib.domain.job import Job
from chalicelib.services.make_file import Line, make
from chalicelib.store import contacts, job_files, memberships
from chalicelib.store.dynamo import BATCH_GET

_encoder: Final = msgspec.json.Encoder()


def gathered(account: str, group_ids: Sequence[str], after: str = "") -> Iterator[Contact]:
    """The groups' contacts behind a number ('': all). What is in several comes once; memory does not grow with them."""
    numbers = (number for number, _ in groupby(merge(*(memberships.numbers_of(group, after) for group in group_ids))))
    while some := list(islice(numbers, BATCH_GET)):
        found = contacts.among(account, some)
        yield from (found[number].contact for number in some if number in found)


def freeze(job: Job, now_ms: int) -> bool:
    """Keep the contacts of the job's groups as they are now; whether all of them are kept by now.

    Every later reading of this preparation reads the same, however the groups change meanwhile.
    """
    return make(gathered_key(job), b"", lambda position: _lines(job, position), now_ms) is not None


def gathered_key(job: Job) -> str:
    """Where the recipients of this preparation lie, a JSON object a line."""
    return job_files.job_key(job.account, job.folder, job_files.GATHERED)


def _lines(job: Job, position: str) -> Iterator[Line]:
    for contact in gathered(job.account, job.source.groups, position):
        yield Line(contact.number, _encoder.encode(contact.values) + b"\n")
