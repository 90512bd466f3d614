"""Export CDRs: a gzip file of an account's records between two dates of any age, or of everybody's, made in the
background. Days that are closed for good come out of the archive, the last ones out of the log.
"""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from chalicelib.domain import csv_lines, ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.money import format_amount
from chalicelib.domain.suppression import BadZone, zone
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.services.make_file import Line, make
from chalicelib.services.read_cdrs import DAY_MS, FINAL_AFTER_DAYS, day_after, days_between, expires_ms, look
from chalicelib.store import accounts, cdrs, job_files, made_files, queues
from chalicelib.store.made_files import Made
from chalicelib.wire import EVERYBODY, ArchiveWork

Format = Literal["csv", "jsonl"]
MAX_DAYS: Final = 1_830  # five years a file
FIRST_DAY: Final = date(2020, 1, 1)  # before there was anything
AHEAD: Final = timedelta(days=366)
MEMBER_ROWS: Final = 1_000  # that are packed together


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: the records that count in [since_ms, until_ms), of an account or of all (None)."""

    account: str | None
    since_ms: int
    until_ms: int
    format: Format
    asked_ms: int
    full: bool  # with what only administrators see


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far an export has got: in this account's day, behind this record."""

    day: str
    account: str = ""
    after: str = ""


class Known(NamedTuple):
    """A record, and its place in its account's day."""

    after: str
    cdr: Cdr


Cell = str | int | bool | None
# What a customer's file says of each message, in the order of its columns.
CUSTOMER_COLUMNS: Final[Mapping[str, Callable[[Cdr], Cell]]] = {
    "message_id": lambda cdr: cdr.message_id,
    "date": lambda cdr: _instant(cdr.at_ms),
    "mobile_number": lambda cdr: cdr.mobile_number,
    "message_type": lambda cdr: cdr.message_type,
    "flash": lambda cdr: cdr.flash,
    "message_length": lambda cdr: cdr.message_length,
    "parts": lambda cdr: cdr.parts,
    "text_hash": lambda cdr: cdr.text_hash,
    "sender": lambda cdr: cdr.sender,
    "country": lambda cdr: cdr.country,
    "operator": lambda cdr: cdr.operator,
    "price": lambda cdr: format_amount(cdr.price_micros),
    "credit_deducted": lambda cdr: format_amount(cdr.credit_micros),
    "refunded": lambda cdr: format_amount(cdr.refunded_micros),
    "status": lambda cdr: cdr.status,
    "error_code": lambda cdr: cdr.error_code,
    "description": lambda cdr: cdr.description,
    "created_at": lambda cdr: _instant(cdr.created_ms),
    "charged_at": lambda cdr: _instant(cdr.charged_ms),
    "submitted_at": lambda cdr: _instant(cdr.submitted_ms),
    "ended_at": lambda cdr: _instant(cdr.done_ms),
    "mode": lambda cdr: cdr.mode,
    "category": lambda cdr: cdr.category,
    "source": lambda cdr: cdr.source,
    "sent_by": lambda cdr: cdr.by,
    "login": lambda cdr: cdr.login,
    "job": lambda cdr: cdr.job,
    "client_ref": lambda cdr: cdr.client_ref,
}
# And what only administrators see besides.
FULL_COLUMNS: Final[Mapping[str, Callable[[Cdr], Cell]]] = {
    "account": lambda cdr: cdr.account,
    **CUSTOMER_COLUMNS,
    "gateway": lambda cdr: cdr.gateway,
    "submitted_to": lambda cdr: cdr.submitted_to,
    "route": lambda cdr: cdr.route,
    "rules": lambda cdr: cdr.rules,
    "cost": lambda cdr: None if cdr.cost_micros is None else format_amount(cdr.cost_micros),
    "gateway_code": lambda cdr: cdr.gateway_code,
    "handset_at": lambda cdr: _instant(cdr.handset_ms),
    "smsc_ids": lambda cdr: " ".join(cdr.smsc_ids),
}
_decoder: Final = msgspec.json.Decoder(Export)
_place: Final = msgspec.json.Decoder(Place)


def begin(
    account: Account | None, first: date, last: date, time_zone: str, kind: Format, *, full: bool, now_ms: int
) -> str:
    """The id of an export that is begun: of the days from `first` to `last`, both included, by that zone's clock.

    `account` None: of all. Raises Fault `invalid_request`.
    """
    try:
        zone(time_zone)
    except BadZone as error:
        raise invalid_field("/time_zone", error.code, str(error)) from None
    if first > last:
        raise invalid_field("/date_from", "reversed_range", "date_from is after date_to")
    if (last - first).days >= MAX_DAYS:
        raise invalid_field("/date_from", "out_of_range", f"at most {MAX_DAYS} days at a time")
    if first < FIRST_DAY or last > date.fromisoformat(ids.day_at(now_ms)) + AHEAD:
        raise invalid_field("/date_from", "out_of_range", f"days from {FIRST_DAY} to a year from now")
    asked = Export(
        account=account.id if account else None,
        since_ms=_midnight_ms(first, time_zone),
        until_ms=_midnight_ms(last + timedelta(days=1), time_zone),
        format=kind,
        asked_ms=now_ms,
        full=full,
    )
    export_id = ids.new_id("cdx", now_ms)
    owner = account.id if account and not full else EVERYBODY
    job_files.put(_key(owner, export_id, "asked"), msgspec.json.encode(asked))
    queues.send(queues.ARCHIVES, ArchiveWork(id=export_id, account=owner, what="export"))
    told = {"since": first.isoformat(), "until": last.isoformat(), "account": asked.account}
    record_change.changed("cdr_export", export_id, None, told, account=asked.account)
    return export_id


def state(owner: str, export_id: str) -> tuple[str | None, Made | None]:
    """A URL of the file with when it was made; neither while it is made. Raises Fault `not_found`.

    `owner`: the account, or EVERYBODY for what administrators asked for.
    """
    asked = _asked(owner, export_id)
    if asked is None:
        raise not_found("export")
    key = _file(owner, export_id, asked)
    made = made_files.made(key)
    if made is None:
        return None, None
    return job_files.url_to_download(key, f"{export_id}.{asked.format}.gz", "application/gzip"), made


def export(work: ArchiveWork, now_ms: int) -> ArchiveWork | None:
    """Make the file, or go on with it: what is left then. Done twice, or by two at once, it is made once."""
    asked = _asked(work.account, work.id)
    if asked is None:
        return None  # the bucket has forgotten it
    columns = FULL_COLUMNS if asked.full else CUSTOMER_COLUMNS
    head = _packed(csv_lines.BOM + csv_lines.line(tuple(columns))) if asked.format == "csv" else b""
    key = _file(work.account, work.id, asked)
    made = make(key, head, lambda position: _lines(asked, columns, position), now_ms)
    return work if made is None else None


def _lines(asked: Export, columns: Mapping[str, Callable[[Cdr], Cell]], position: str) -> Iterator[Line]:
    """The records behind a position, some packed together: gzip members one after the other are one gzip file."""
    told = _as_csv if asked.format == "csv" else _as_json
    for place, some in _members(asked, _place.decode(position) if position else Place("")):
        text = "".join(told({name: cell(cdr) for name, cell in columns.items()}) for cdr in some)
        yield Line(msgspec.json.encode(place).decode(), _packed(text) if text else b"", len(some))


def _members(asked: Export, begins: Place) -> Iterator[tuple[Place, list[Cdr]]]:
    """Up to MEMBER_ROWS records at a time, and at the end of each day what is left: perhaps none."""
    first, last = ids.day_at(asked.since_ms), ids.day_at(min(asked.until_ms, asked.asked_ms + 1) - 1)
    whose = _chosen(asked)
    for day in days_between(max(first, begins.day), last):
        start = begins if day == begins.day else Place(day)
        some: list[Cdr] = []
        for account, archived in _sources(asked, whose, day, start.account):
            after = start.after if account.id == start.account else ""
            for known in _archived(archived, after) if archived is not None else _logged(account, day, after):
                if asked.since_ms <= known.cdr.at_ms < asked.until_ms:
                    some.append(known.cdr)
                if len(some) == MEMBER_ROWS:
                    yield Place(day, account.id, known.after), some
                    some = []
        yield Place(day_after(day)), some


def _sources(
    asked: Export, whose: Sequence[Account], day: str, since: str
) -> Iterator[tuple[Account, list[str] | None]]:
    """The accounts from one on, by id; with the day's parts where the archive is to be read, else None."""
    archive = cdrs.listing(day, asked.account)
    settled = _begins_before(day, asked.asked_ms - (FINAL_AFTER_DAYS + 1) * DAY_MS)
    for account in whose:
        if account.id >= since and ids.day_at(account.created_ms) <= day:
            expired = expires_ms(account, day) <= asked.asked_ms
            from_archive = account.id in archive.closed and (settled or expired)
            yield (
                account,
                [key for key in archive.parts if cdrs.account_of(key) == account.id] if from_archive else None,
            )


def _begins_before(day: str, at_ms: int) -> bool:
    """Whether the UTC day begins before that instant."""
    return day <= ids.day_at(at_ms)


def _chosen(asked: Export) -> list[Account]:
    if asked.account is not None:
        account = accounts.get(asked.account)
        return [account] if account else []
    return sorted((account for some in accounts.pages() for account in some), key=lambda account: account.id)


def _archived(parts: list[str], after: str) -> Iterator[Known]:
    """The records of the parts; `after` is `<part>:<lines>` of them."""
    begun, _, lines = after.partition(":")
    for number, key in enumerate(parts[int(begun or 0) :], start=int(begun or 0)):
        skip = int(lines or 0) if number == int(begun or 0) else 0
        for line, raw in enumerate(cdrs.lines(key, skip), start=skip + 1):
            yield Known(f"{number}:{line}", cdrs.read(raw))


def _logged(account: Account, day: str, after: str) -> Iterator[Known]:
    return (Known(place, cdr) for place, cdr in look(account, day, after) if cdr is not None)


def _as_csv(cells: Mapping[str, Cell]) -> str:
    return csv_lines.line([_written(cell) for cell in cells.values()])


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _as_json(cells: Mapping[str, Cell]) -> str:
    return msgspec.json.encode(cells).decode() + "\n"


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(), 6, mtime=0)


def _instant(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _midnight_ms(day: date, time_zone: str) -> int:
    """The first instant of the day by that zone's clock."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).timestamp() * 1000)


def _asked(owner: str, export_id: str) -> Export | None:
    try:
        return _decoder.decode(job_files.get(_key(owner, export_id, "asked")))
    except job_files.NoObject:
        return None


def _file(owner: str, export_id: str, asked: Export) -> str:
    return _key(owner, export_id, f"cdrs.{asked.format}.gz")


def _key(owner: str, export_id: str, name: str) -> str:
    return f"{job_files.upload_key(owner, export_id)}/{name}"  # with the uploads, it is deleted after a week
