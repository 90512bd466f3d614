"""Take texts out when their time is over: of an account that keeps them for some days only, and what waited with one.

An account with `text_days` has its texts replaced by their hashes when so many days are over since the message was
made. Of one that wants hashes only (`keep_texts`) what had to wait with its text is gone through, too: what was held.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import AnyFact, Held
from chalicelib.domain.job import OVER
from chalicelib.domain.message import fold
from chalicelib.domain.texts import hashed, with_content, without_texts
from chalicelib.services.read_cdrs import DAY_MS, day_after, starts_ms
from chalicelib.store import accounts, dead_letters, hash_keys, held, inbound, job_files, jobs, messages, queues
from chalicelib.store.messages import Facts, Noted
from chalicelib.wire import ArchiveWork

STEP_MESSAGES: Final = 4_000  # read, and at most two writes each: some seconds of a function's 20
INBOUND_PAGE: Final = 500
JOBS_AT_ONCE: Final = 100
# How many days after its text's time a day is looked through again: what had not ended stays as it is until it has (a
# message may be scheduled 30 days ahead), and a dead letter that is sent again notes its text once more.
LOOKS_AGAIN_DAYS: Final = (0, 16, 33)
BEFORE_IT_IS_SO_SECONDS: Final = 60  # by then an account's new terms are written, and known everywhere

log: Final = logging.getLogger(__name__)


def due(account: Account, now_ms: int) -> list[ArchiveWork]:
    """The days of the account that are to be looked through this night."""
    newest = _newest(account, now_ms)
    if newest is None:
        return []
    told = [(newest - timedelta(days=again)).isoformat() for again in LOOKS_AGAIN_DAYS]
    return [ArchiveWork(id=ids.new_ulid(now_ms), account=account.id, what="blank", day=day) for day in told]


def begin_older(before: Account, after: Account, now_ms: int) -> None:
    """Where an account is about to keep its texts for shorter, have all days gone through whose time is over thereby.

    Called before that is written, so that it is done in any case: what comes to nothing changes nothing.
    """
    was, now = _newest(before, now_ms), _newest(after, now_ms)
    if now is None or (was is not None and was >= now):
        return
    kept_days = max(before.retention_days, after.retention_days)
    oldest = max(_day(before.created_ms), _day(now_ms) - timedelta(days=kept_days + 1))
    if oldest > now:
        return
    work = ArchiveWork(
        id=ids.new_ulid(now_ms), account=after.id, what="blank", day=oldest.isoformat(), until=now.isoformat()
    )
    queues.send(queues.ARCHIVES, work, delay_seconds=BEFORE_IT_IS_SO_SECONDS)


def _newest(account: Account, now_ms: int) -> date | None:
    """The last day whose texts' time is over; None: they go with their messages."""
    if account.text_retention == "keep" and account.text_days is None:
        return None
    days = 1 if account.text_retention == "hash" else (account.text_days or 0) + 1
    return _day(now_ms) - timedelta(days=days)


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def blank(work: ArchiveWork, now_ms: int) -> ArchiveWork | None:
    """Take the texts out of a day's messages, a step of them; what is to be done next. Again, it changes nothing."""
    account = accounts.get(work.account)
    newest = _newest(account, now_ms) if account else None
    if account is None or newest is None or work.day > newest.isoformat():
        return None  # its terms have changed, or have not
    since_ms = starts_ms(work.day)
    made = messages.made(account.id, account.shards, since_ms, since_ms + DAY_MS, work.cursor)
    some = list(islice(made, STEP_MESSAGES))
    messages.put_facts(_blanked(account, some))
    for one in some:
        _blank_held(one)
    if len(some) == STEP_MESSAGES:
        return msgspec.structs.replace(work, cursor=some[-1].message_id)
    if work.day < work.until:
        _blank_inbound(account, since_ms)
        return msgspec.structs.replace(work, day=day_after(work.day), cursor="")
    blanked = {
        "inbound": _blank_inbound(account, since_ms),
        "dead_letters": _blank_dead_letters(account, since_ms + DAY_MS),
        "jobs": _blank_jobs(account, since_ms + DAY_MS),
    }
    log.info("texts taken out", extra={"account": account.id, "day": work.day, **blanked})
    return None


def _blanked(account: Account, some: Iterable[Facts]) -> Iterator[Noted]:
    """The facts with a text in them of messages that have ended, as they are to be instead."""
    key = hash_keys.of(account.id)
    for message_id, facts in some:
        if _has_ended(message_id, facts):
            for fact in facts:
                changed = with_content(fact, lambda content: hashed(content, key))
                if changed is not fact and changed != fact:
                    yield Noted(account.id, message_id, changed, account.retention_days)


def _blank_held(one: Facts) -> None:
    """What was held, and is decided, needs its text no more."""
    if any(isinstance(fact, Held) for fact in one.facts) and _has_ended(*one):
        held.change(one.message_id, lambda content: msgspec.structs.replace(content, text="", data=b""))


def _has_ended(message_id: str, facts: Iterable[AnyFact]) -> bool:
    message = fold(message_id, facts)
    return message is not None and message.final


def _blank_inbound(account: Account, since_ms: int) -> int:
    """What people wrote to the account on the day; how many."""
    cursor, count = None, 0
    while True:
        page = inbound.listing(account.id, since_ms, since_ms + DAY_MS, cursor, INBOUND_PAGE)
        for message in page.items:
            if message.text or message.data:
                count += inbound.change(msgspec.structs.replace(message, text="", data=b""))
        cursor = page.cursor
        if cursor is None:
            return count


def _blank_dead_letters(account: Account, until_ms: int) -> int:
    """What could not be processed until then; sent again, it ends as expired. How many."""
    count = 0
    for letter in dead_letters.with_text(account.id):
        if letter.last_seen_ms < until_ms:
            with suppress(msgspec.DecodeError):  # cut, or no bundle
                told = without_texts(msgspec.json.decode(letter.body))
                count += dead_letters.change_body(letter, msgspec.json.encode(told).decode())
    return count


def _blank_jobs(account: Account, until_ms: int) -> int:
    """The texts of jobs that were over by then, and what each recipient was sent; how many jobs."""
    cursor, count = None, 0
    while True:
        page = jobs.of_account(account.id, cursor, JOBS_AT_ONCE)
        for row in page.items:
            job = row.job
            if job.status in OVER and job.text and (job.ended_ms or job.created_ms) < until_ms:
                job_files.delete_recipients(account.id, job.id)
                survey = msgspec.structs.replace(job.survey, first_texts=()) if job.survey else None
                blank = msgspec.structs.replace(job, text="", survey=survey)
                count += jobs.put(blank, expected=row.version, due_ms=row.due_ms)
        cursor = page.cursor
        if cursor is None:
            return count
