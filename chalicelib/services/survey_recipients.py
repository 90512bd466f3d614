"""Survey recipients: each row becomes a recipient with its text, or a bad row with why; all are counted and priced."""

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.charging import price_of
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision
from chalicelib.domain.job import (
    CHUNK_ROWS,
    FIRST_BAD_ROWS,
    FIRST_TEXTS,
    MAX_RECIPIENTS,
    BadRecipient,
    FirstText,
    Job,
    OperatorLine,
    Recipient,
    Survey,
)
from chalicelib.domain.numbers import BadNumber, normalize, parse_sender
from chalicelib.domain.placeholders import MissingValue, Template
from chalicelib.domain.recipients_file import Place
from chalicelib.domain.seen_numbers import SeenNumbers
from chalicelib.domain.text import BadText, encoding_of, segment
from chalicelib.services.read_recipients import Listed
from chalicelib.services.route import foreseen
from chalicelib.store import job_files
from chalicelib.wire import AcceptedBundle, Draft

DUPLICATE: Final = "duplicate"
_PRICED_AT_ONCE: Final = 980  # recipients whose decisions are in memory together


class Sums(msgspec.Struct):
    """What has been counted so far."""

    rows: int = 0
    valid: int = 0
    bad: dict[str, int] = {}
    refused: dict[str, int] = {}
    operators: dict[str, OperatorLine] = {}
    first_texts: list[FirstText] = []
    first_bad: list[BadRecipient] = []


class Progress(msgspec.Struct):
    """A survey as far as it has got: what another process needs to go on with it."""

    place: Place | None
    seen: bytes
    sums: Sums
    chunk: int = 0
    bad_chunk: int = 0
    recipients: list[Recipient] = []
    bad: list[BadRecipient] = []


class TooMany(ValueError):
    """There are more rows than a job takes."""


class Surveyor:
    """Feed it rows; it writes each full chunk of recipients, and of bad rows, to the job's folder.

    What it writes follows from the rows and the rules alone: broken off and begun again, it writes the same.
    """

    def __init__(self, job: Job, account: Account, now_ms: int, progress: Progress | None = None) -> None:
        self._job = job
        self._account = account
        self._now_ms = now_ms
        self._template = Template(job.text)
        self._sender = str(parse_sender(job.sender or account.default_sender or ""))
        self._progress = progress or Progress(place=None, seen=b"", sums=Sums())
        self._seen = SeenNumbers(self._progress.seen) if job.dedupe else None
        self._counted = ("", 0)  # the last text and its parts: often all are the same
        self._priced = len(self._progress.recipients)  # of the recipients at hand

    @property
    def rows(self) -> int:
        return self._progress.sums.rows

    def add(self, row: Listed | BadRecipient) -> None:
        """One more row. Raises TooMany."""
        sums, progress = self._progress.sums, self._progress
        sums.rows += 1
        if sums.rows > MAX_RECIPIENTS:
            raise TooMany(f"a job takes at most {MAX_RECIPIENTS} rows")
        made = row if isinstance(row, BadRecipient) else self._recipient(row)
        if isinstance(made, BadRecipient):
            self._note_bad(made)
            return
        progress.recipients.append(made)
        sums.valid += 1
        if len(sums.first_texts) < FIRST_TEXTS:
            sums.first_texts.append(FirstText(line=made.line, to=made.to, text=made.text, parts=made.parts))
        if len(progress.recipients) - self._priced >= _PRICED_AT_ONCE:
            self._price()
        if len(progress.recipients) == CHUNK_ROWS:
            self._flush()

    def keep(self, place: Place) -> Progress:
        """All that it knows, to go on behind `place` later."""
        self._price()
        self._progress.place = place
        self._progress.seen = self._seen.keep() if self._seen else b""
        return self._progress

    def finish(self, columns: Sequence[str]) -> Survey:
        """Write what is left; the survey of all rows."""
        self._flush()
        self._flush_bad()
        sums, progress = self._progress.sums, self._progress
        bad = dict(sums.bad)
        duplicates = bad.pop(DUPLICATE, 0)
        return Survey(
            rows=sums.rows,
            valid=sums.valid,
            bad=sum(bad.values()),
            duplicates=duplicates,
            refused=sum(sums.refused.values()),
            parts=sum(line.parts for line in sums.operators.values()),
            price_micros=sum(line.price_micros for line in sums.operators.values()),
            bad_by_code=bad,
            refused_by_code=dict(sums.refused),
            operators=tuple(sorted(sums.operators.values(), key=lambda line: (line.country, line.operator))),
            columns=tuple(columns),
            first_texts=tuple(sums.first_texts),
            first_bad=tuple(sums.first_bad),
            bad_chunks=progress.bad_chunk,
        )

    def _recipient(self, row: Listed) -> Recipient | BadRecipient:
        try:
            number = normalize(row.number, self._account.default_region)
            text = self._template.text_for(row.values)
            parts = self._parts_of(text)
        except BadNumber as error:
            return BadRecipient(line=row.line, code=error.code, detail=str(error))
        except MissingValue as error:
            return BadRecipient(line=row.line, code="missing_value", detail=str(error))
        except BadText as error:
            return BadRecipient(line=row.line, code=error.code, detail=str(error))
        if not text:
            return BadRecipient(line=row.line, code="empty_text", detail="nothing is left of the text")
        if parts > self._account.max_parts:
            told = f"the text takes {parts} parts; the account allows {self._account.max_parts}"
            return BadRecipient(line=row.line, code="text_too_long", detail=told)
        if self._seen is not None and not self._seen.add(number.e164):
            return BadRecipient(line=row.line, code=DUPLICATE, detail="the number stands further up")
        return Recipient(line=row.line, to=number.e164, country=number.country, text=text, parts=parts)

    def _parts_of(self, text: str) -> int:
        if self._counted[0] != text:
            self._counted = (text, len(segment(text).parts))
        return self._counted[1]

    def _note_bad(self, bad: BadRecipient) -> None:
        sums = self._progress.sums
        sums.bad[bad.code] = sums.bad.get(bad.code, 0) + 1
        if bad.code != DUPLICATE and len(sums.first_bad) < FIRST_BAD_ROWS:
            sums.first_bad.append(bad)
        self._progress.bad.append(bad)
        if len(self._progress.bad) == CHUNK_ROWS:
            self._flush_bad()

    def _flush(self) -> None:
        self._price()
        if self._progress.recipients:
            job = self._job
            job_files.put_recipients(job.account, job.folder, self._progress.chunk, self._progress.recipients)
            self._progress.chunk += 1
            self._progress.recipients.clear()
            self._priced = 0

    def _flush_bad(self) -> None:
        if self._progress.bad:
            job_files.put_bad(self._job.account, self._job.folder, self._progress.bad_chunk, self._progress.bad)
            self._progress.bad_chunk += 1
            self._progress.bad.clear()

    def _price(self) -> None:
        """What the recipients that have come since would cost, and which of them would be refused."""
        recipients = self._progress.recipients[self._priced :]
        self._priced = len(self._progress.recipients)
        if not recipients:
            return
        drafts = tuple(self._draft(one) for one in recipients)
        for routed in foreseen(
            AcceptedBundle(id=self._job.id, account=self._job.account, messages=drafts), self._now_ms
        ).messages:
            if routed.decision is not None:
                self._count(routed.draft.content, routed.decision)
            elif routed.refusal is not None:
                refused, code = self._progress.sums.refused, routed.refusal.error.code
                refused[code] = refused.get(code, 0) + 1

    def _draft(self, recipient: Recipient) -> Draft:
        content = content_for(self._job, self._sender, recipient, self._account, self._now_ms)
        return Draft(id=ids.new_message_id(self._now_ms), at_ms=self._now_ms, content=content)

    def _count(self, content: Content, decision: Decision) -> None:
        operators, key = self._progress.sums.operators, f"{content.country} {decision.operator}"
        held = operators.get(key) or OperatorLine(country=content.country, operator=decision.operator)
        operators[key] = OperatorLine(
            country=held.country,
            operator=held.operator,
            messages=held.messages + 1,
            parts=held.parts + content.parts,
            price_micros=held.price_micros + price_of(decision, content.parts),
        )


def content_for(job: Job, sender: str, recipient: Recipient, account: Account, now_ms: int) -> Content:
    """The message for a recipient, were it sent now."""
    validity_seconds = min(job.validity_seconds or account.max_validity_seconds, account.max_validity_seconds)
    return Content(
        to=recipient.to,
        country=recipient.country,
        sender=sender,
        encoding=encoding_of(recipient.text),
        parts=recipient.parts,
        valid_until_ms=now_ms + validity_seconds * 1000,
        text=recipient.text,
        priority=job.priority,
        category=job.category or account.traffic,
        mode=job.mode,
        source="job",
        job=job.id,
        by=job.by,
    )
