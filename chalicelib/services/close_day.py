"""Close a day: an account's messages of a UTC day become its records in the archive, and its summary for reports.

A day is closed in steps, each of which reads a bounded number of messages and writes one part of the archive; what it
goes on from is on ⟨archives⟩. The same messages make the same parts: closing a day again writes the same octets over
them. The night after a day it is closed for the first time, and FINAL_AFTER_DAYS nights after for good, with the
receipts and refunds that came meanwhile.

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
from chalicelib.domain.day_summary import DaySummary, line_of
from chalicelib.services.read_cdrs import DAY_MS, FINAL_AFTER_DAYS, expires_ms, look, starts_ms
from chalicelib.store import accounts, cdrs, day_summaries, queues, usage
from chalicelib.store.cdrs import Closed, PartWriter
from chalicelib.wire import ArchiveWork

PART_RECORDS: Final = 10_000  # half a megabyte, packed
STEP_MESSAGES: Final = 20_000  # read by a step, those of other days among them: some seconds of a function's 20
_MARGIN_MS: Final = 6 * 3_600_000  # within which all of a night's closings are done

log: Final = logging.getLogger(__name__)


def start(now_ms: int) -> int:
    """Put on ⟨archives⟩ what is to be closed this night, for every account; how many days of accounts."""
    sent = 0
    for some in accounts.pages():
        works = [work for account in some for work in due(account, now_ms)]
        queues.send_many(queues.ARCHIVES, works)
        sent += len(works)
    return sent


def due(account: Account, now_ms: int) -> list[ArchiveWork]:
    """What is to be closed of the account this night. A day whose log may have expired stays as it was closed first."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    yesterday, before = today - timedelta(days=1), today - timedelta(days=FINAL_AFTER_DAYS)
    works = [begin(account.id, yesterday, now_ms, final=False)]
    if expires_ms(account, before.isoformat()) > now_ms + _MARGIN_MS:
        works.append(begin(account.id, before, now_ms, final=True))
    return works


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
    )
    day_summaries.put(work.day, work.account, lines, final=work.final)
    cdrs.close(closed)
    _compare(closed)
    log.info("day closed", extra={"account": work.account, "day": work.day, "final": work.final, "parts": parts})


def _compare(closed: Closed) -> None:
    """Usage was added up as the day went by, the archive just now: for good, they say the same."""
    since_ms = starts_ms(closed.day)
    lines = usage.between(closed.account, since_ms, since_ms + DAY_MS, ends=False)
    for name in ("messages", "credits_micros", "refunded_micros"):
        archived, used = getattr(closed, name), sum(getattr(line, name) for line in lines)
        if closed.final and archived != used:
            told = {"account": closed.account, "day": closed.day, "what": name, "archived": archived, "used": used}
            log.error("the archive differs from usage", extra=told)
