"""Close a day: an account's messages of a UTC day become its records in the archive, and its summary for reports.

A day is closed in steps, each of which reads a bounded number of messages and writes one part of the archive; what it
goes on from is on ⟨archives⟩. The same messages make the same parts: closing a day again writes the same octets over
them. The night after a day it is closed for the first time, and FINAL_AFTER_DAYS nights after for good, with the
receipts and refunds that came meanwhile. Where usage says AGAIN_AFTER_DAYS nights after that some came later still, it
is closed once more.

It costs, with reads of 0.125 $ a million: of a message's four facts some 2 KB, half a unit for 4 KB: 0.04 $ a million
messages each time; of the archive a write of 0.005 $ a thousand parts, and 0.023 $ a gigabyte and month, some ten
million records.
"""

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.day_summary import DaySummary, added_up_ends, line_of
from chalicelib.domain.usage import UsageLine, added_up
from chalicelib.services.read_cdrs import (
    AGAIN_AFTER_DAYS,
    DAY_MS,
    FINAL_AFTER_DAYS,
    LONGEST_WAIT_MS,
    day_after,
    expires_ms,
    look,
    starts_ms,
)
from chalicelib.store import accounts, cdrs, day_summaries, usage
from chalicelib.store.cdrs import Closed, PartWriter
from chalicelib.store.messages import LATE_MS
from chalicelib.wire import ArchiveWork

PART_RECORDS: Final = 10_000  # half a megabyte, packed
STEP_MESSAGES: Final = 20_000  # read by a step, those of other days among them: some seconds of a function's 20
_MARGIN_MS: Final = 6 * 3_600_000  # within which all of a night's closings are done
_COMPARED: Final = ("messages", "credits_micros", "refunded_micros")  # by the archive and by usage

log: Final = logging.getLogger(__name__)


def due(account: Account, now_ms: int) -> list[ArchiveWork]:
    """What is to be closed of the account this night. A day whose log may have expired stays as it was closed first."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    yesterday, before = today - timedelta(days=1), today - timedelta(days=FINAL_AFTER_DAYS)
    works = [begin(account.id, yesterday, now_ms, final=False)]
    if _is_kept(account, before, now_ms):
        works.append(begin(account.id, before, now_ms, final=True))
    for day in (today - timedelta(days=days) for days in AGAIN_AFTER_DAYS):
        was_there = account.created_ms < starts_ms(day_after(day.isoformat()))
        if was_there and _is_kept(account, day, now_ms, LONGEST_WAIT_MS):
            works.append(msgspec.structs.replace(begin(account.id, day, now_ms, final=True), if_changed=True))
    return works


def _is_kept(account: Account, day: date, now_ms: int, waited_ms: int = LATE_MS) -> bool:
    """Whether the log will have all of the day, what had waited for so long too, while it is being closed."""
    return expires_ms(account, day.isoformat(), waited_ms) > now_ms + _MARGIN_MS


def begin(account: str, day: date, now_ms: int, *, final: bool) -> ArchiveWork:
    """The first step of a day's closing."""
    return ArchiveWork(id=ids.new_ulid(now_ms), account=account, what="close", day=day.isoformat(), final=final)


def close(work: ArchiveWork, now_ms: int) -> ArchiveWork | None:
    """A step: one part of the archive. What is to be done next; None: the day is closed. Done again, it is the same.

    What is closed already stays so where the log has expired: there would be less of it.
    """
    account = accounts.get(work.account)
    if account is None:
        log.warning("no account to close a day of", extra={"account": work.account})
        return None
    if expires_ms(account, work.day) <= now_ms and cdrs.closed(work.day, work.account) is not None:
        log.warning("too late to close a day again", extra={"account": work.account, "day": work.day})
        return None
    if work.if_changed and not work.cursor and not _is_to_be_closed_again(account, work, now_ms):
        return None
    writer, summary, cursor, looked = PartWriter(), DaySummary(), "", 0
    for place, cdr in look(account, work.day, work.cursor):
        cursor, looked = place, looked + 1
        if cdr is not None:
            writer.add(cdrs.line_of(cdr))
            summary.add(line_of(cdr))
        if writer.records == PART_RECORDS or looked == STEP_MESSAGES:
            break
    else:
        cursor = ""
    cdrs.put_part(work.day, work.account, work.part, writer, summary.lines)
    if cursor:
        return msgspec.structs.replace(work, part=work.part + 1, cursor=cursor)
    _end(work, parts=work.part + 1)
    return None


def _end(work: ArchiveWork, parts: int) -> None:
    """All parts are written: add up what they came to."""
    lines = DaySummary(cdrs.summaries(work.day, work.account, parts)).lines
    closed = Closed(
        day=work.day,
        account=work.account,
        final=work.final,
        objects=parts,
        records=sum(line.records for line in lines),
        messages=sum(line.messages for line in lines),
        credits_micros=sum(line.credits_micros for line in lines),
        refunded_micros=sum(line.refunded_micros for line in lines),
        ends=added_up_ends(line.ends for line in lines),
    )
    day_summaries.put(work.day, work.account, lines, final=work.final)
    cdrs.close(closed)
    _compare(closed)
    log.info("day closed", extra={"account": work.account, "day": work.day, "final": work.final, "parts": parts})


def _is_to_be_closed_again(account: Account, work: ArchiveWork, now_ms: int) -> bool:
    """Whether something came of the day's messages since it was closed for good, and the log has all of them still."""
    if expires_ms(account, work.day, LONGEST_WAIT_MS) <= now_ms:
        return False
    closed = cdrs.closed(work.day, work.account)
    if closed is None or not closed.final:
        return True
    used = _used(work.account, work.day)
    ends = {str(status): count for status, count in used.ends.items()}
    return closed.ends != ends or any(getattr(closed, name) != getattr(used, name) for name in _COMPARED)


def _used(account: str, day: str) -> UsageLine:
    since_ms = starts_ms(day)
    return added_up(usage.between(account, since_ms, since_ms + DAY_MS))


def _compare(closed: Closed) -> None:
    """Usage was added up as the day went by, the archive just now: for good, they say the same."""
    line = _used(closed.account, closed.day)
    for name in _COMPARED:
        archived, used = getattr(closed, name), getattr(line, name)
        if closed.final and archived != used:
            told = {"account": closed.account, "day": closed.day, "what": name, "archived": archived, "used": used}
            log.error("the archive differs from usage", extra=told)
