"""Jobs as customers write and read them."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.message_types import (
    MAX_TEXT,
    MAX_VALIDITY_SECONDS,
    MIN_VALIDITY_SECONDS,
    MessageError,
    Sender,
    instant,
)
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.job import MAX_LISTED, BadRecipient, Job, JobStatus, Source, SourceKind, Survey, Tally, rate_of
from chalicelib.domain.message import Mode, Priority, Status
from chalicelib.domain.schedule import BadZone, CatchUp, Hours, Repeat, Timing, zone
from chalicelib.services.faults import FieldFault, invalid
from chalicelib.store.jobs import JobRow

MAX_COLUMNS: Final = 100
_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

JobId = Annotated[str, Meta(pattern=f"^job_{_ULID}$(?!\\n)", description="A job's id.")]
UploadId = Annotated[str, Meta(pattern=f"^upl_{_ULID}$(?!\\n)", description="An upload's id.")]
Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\\n)", examples=["09:00"])]
Columns = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=64)],
        Annotated[str, Meta(max_length=1_000)],
    ],
    Meta(max_length=MAX_COLUMNS, description="`to`, and whatever the text's placeholders name."),
]


class DeliveryHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours of the day, in the job's time zone, in which messages go out; 22:00 to 08:00 is overnight."""

    since: Clock = msgspec.field(name="from")
    until: Clock = msgspec.field(name="to")


class JobSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a job sends, and when."""

    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TEXT,
            description="What to send. `{first_name}` is a recipient's column, `{first_name|friend}` with a word for "
            "where it is missing; a brace itself is written twice.",
            examples=["Hello {first_name|friend}, your order is ready."],
        ),
    ]
    sender: Sender | None = msgspec.field(name="from", default=None)
    name: Annotated[str, Meta(max_length=100, description="Your own name for it.")] = ""
    priority: Annotated[Priority, Meta(description="`bulk` waits behind all others at a gateway.")] = "bulk"
    validity_seconds: Annotated[int, Meta(ge=MIN_VALIDITY_SECONDS, le=MAX_VALIDITY_SECONDS)] | None = None
    dedupe: Annotated[bool, Meta(description="A number that stands there twice gets one message: the first.")] = True
    rate: Annotated[float, Meta(gt=0, le=10_000, description="Messages a second, at most.")] | None = None
    spread_seconds: (
        Annotated[int, Meta(ge=60, le=86_400, description="Spread it evenly over so long, instead of a rate.")] | None
    ) = None
    start_at: Annotated[datetime, Meta(description="When to start; with an offset, or read in `time_zone`.")] | None = (
        None
    )
    time_zone: Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Madrid"])] = "UTC"
    repeat: Annotated[Repeat, Meta(description="By the clock of the time zone, from `start_at` on.")] | None = None
    until: Annotated[datetime, Meta(description="No repetition starts later.")] | None = None
    catch_up: Annotated[
        CatchUp, Meta(description="What becomes of starts that were missed: one is made up for all, or none.")
    ] = "run_once"
    delivery_hours: DeliveryHours | None = None
    number_column: (
        Annotated[str, Meta(min_length=1, max_length=64, description="Of the file. Default: found by its name.")] | None
    ) = None


class NewJob(JobSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job to make. Exactly one of `recipients` and `upload_id` is given."""

    recipients: Annotated[tuple[Columns, ...], Meta(min_length=1, max_length=MAX_LISTED)] | None = None
    upload_id: UploadId | None = None
    dry_run: Annotated[bool, Meta(description="Read and price all, and wait to be started by hand.")] = False


class ChangedJob(JobSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job that has not started, as it is to be. Its recipients stay, and are read anew."""

    version: Annotated[int, Meta(ge=1, description="The version that this change was made from.")]


class OperatorPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to an operator, by the rules of the moment."""

    country: str
    operator: str
    messages: int
    parts: int
    price: Amount


class RowText(msgspec.Struct, frozen=True, kw_only=True):
    """How the text reads for a recipient."""

    line: int
    to: str
    text: str
    parts: int


class InvalidRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that gets no message, and why."""

    line: int
    code: str
    detail: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What the recipients are. Every row is valid, invalid, or a duplicate."""

    rows: int
    valid: int
    invalid: int
    duplicates: int
    invalid_by_code: dict[str, int]
    refused: Annotated[int, Meta(description="Valid ones that would be refused now: no route, DND, opt-out …")]
    refused_by_code: dict[str, int]
    columns: tuple[str, ...]
    parts: int
    price: Amount
    operators: tuple[OperatorPrice, ...]
    first_texts: tuple[RowText, ...]
    first_invalid: Annotated[tuple[InvalidRow, ...], Meta(description="The first; all: `…/invalid-rows`.")]


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far its last run has got. A message that ends twice (expired, then delivered late) counts in both."""

    recipients: int
    handed_over: Annotated[int, Meta(description="Charged, and with their gateways.")]
    submitted: int
    ended: int
    by_status: dict[Status, int]
    messages_per_second: float | None
    ends_at: Annotated[datetime, Meta(description="Estimated by its rate so far.")] | None


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands."""

    id: str
    account: str
    name: str
    status: Annotated[JobStatus, Meta(description="preparing: its recipients are read. ready: start it by hand.")]
    version: int
    text: str
    sender: str | None = msgspec.field(name="from")
    mode: Mode
    priority: Priority
    source: SourceKind
    upload_id: str | None
    dedupe: bool
    rate: float | None
    spread_seconds: int | None
    validity_seconds: int | None
    start_at: datetime | None
    time_zone: str
    repeat: Repeat | None
    until: datetime | None
    catch_up: CatchUp
    next_start_at: datetime | None
    delivery_hours: DeliveryHours | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: MessageError | None
    preview: Preview | None
    progress: JobProgress | None


class JobQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page of the jobs."""

    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """Where to put a file of recipients."""

    id: str
    url: Annotated[str, Meta(description="PUT the file here, as it is.")]
    method: Literal["PUT"] = "PUT"
    expires_at: datetime
    max_bytes: int


def new_job(body: NewJob, account: Account, mode: Mode, now_ms: int) -> Job:
    """The job that is asked for. Raises Fault `invalid_request`."""
    given = [name for name in ("recipients", "upload_id") if getattr(body, name) is not None]
    if len(given) != 1:
        code, told = ("missing", "give one of them") if not given else ("not_allowed", "give only one of them")
        pointer = "/recipients" if not given else f"/{given[1]}"
        raise invalid(FieldFault(field=pointer, code=code, detail=f"recipients, upload_id: {told}"))
    kinds: dict[str, SourceKind] = {"recipients": "recipients", "upload_id": "upload"}
    source = Source(
        kind=kinds[given[0]],
        upload=body.upload_id or "",
        number_column=body.number_column,
    )
    made = Job(
        id=ids.new_id("job", now_ms),
        account=account.id,
        created_ms=now_ms,
        status="preparing",
        text=body.text,
        source=source,
        mode=mode,
        dry_run=body.dry_run,
        prep=ids.new_ulid(now_ms),
    )
    return with_settings(made, body)


def with_settings(job: Job, body: JobSettings) -> Job:
    """The job with these settings. Raises Fault `invalid_request`."""
    timing = _timing(body)
    return msgspec.structs.replace(
        job,
        text=body.text,
        sender=body.sender,
        name=body.name,
        priority=body.priority,
        validity_seconds=body.validity_seconds,
        dedupe=body.dedupe,
        rate=body.rate,
        spread_seconds=body.spread_seconds,
        timing=timing,
        next_ms=timing.start_ms,
        source=msgspec.structs.replace(job.source, number_column=body.number_column),
    )


def view(row: JobRow, tally: Tally | None, now_ms: int) -> JobView:
    """The job as it stands; with `tally`, how far it has got."""
    job, timing = row.job, row.job.timing
    return JobView(
        id=job.id,
        account=job.account,
        name=job.name,
        status=job.status,
        version=row.version,
        text=job.text,
        sender=job.sender,
        mode=job.mode,
        priority=job.priority,
        source=job.source.kind,
        upload_id=job.source.upload or None,
        dedupe=job.dedupe,
        rate=job.rate,
        spread_seconds=job.spread_seconds,
        validity_seconds=job.validity_seconds,
        start_at=_instant(timing.start_ms),
        time_zone=timing.zone,
        repeat=timing.repeat,
        until=_instant(timing.until_ms),
        catch_up=timing.catch_up,
        next_start_at=_instant(job.next_ms),
        delivery_hours=_hours_view(timing.hours),
        created_at=instant(job.created_ms),
        started_at=_instant(job.started_ms),
        ended_at=_instant(job.ended_ms),
        error=None
        if job.failure is None
        else MessageError(code=job.failure.code, title=job.failure.title, gateway_code=None),
        preview=None if job.survey is None else _preview(job.survey),
        progress=None if tally is None or job.survey is None else _progress(row, job.survey, tally, now_ms),
    )


def invalid_row(bad: BadRecipient) -> InvalidRow:
    """A row that gets no message."""
    return InvalidRow(line=bad.line, code=bad.code, detail=bad.detail)


def _timing(body: JobSettings) -> Timing:
    hours = body.delivery_hours
    if hours is not None and hours.since == hours.until:
        told = "delivery hours that begin when they end are none"
        raise invalid(FieldFault(field="/delivery_hours", code="reversed_range", detail=told))
    return Timing(
        start_ms=_epoch_ms(body.start_at, body.time_zone, "/start_at"),
        zone=body.time_zone,
        repeat=body.repeat,
        until_ms=_epoch_ms(body.until, body.time_zone, "/until"),
        catch_up=body.catch_up,
        hours=None if hours is None else Hours(_minute(hours.since), _minute(hours.until)),
    )


def _epoch_ms(at: datetime | None, zone_name: str, field: str) -> int | None:
    """An instant; one without an offset is on the clock of the job's time zone."""
    if at is None:
        return None
    try:
        aware = at if at.tzinfo is not None else at.replace(tzinfo=zone(zone_name))
        return round(aware.timestamp() * 1000)
    except BadZone as error:
        raise invalid(FieldFault(field="/time_zone", code=error.code, detail=str(error))) from None
    except (OverflowError, ValueError):
        raise invalid(FieldFault(field=field, code="out_of_range", detail="there is no such instant")) from None


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _hours_view(hours: Hours | None) -> DeliveryHours | None:
    if hours is None:
        return None
    since, until = (f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.since, hours.until))
    return DeliveryHours(since=since, until=until)


def _preview(survey: Survey) -> Preview:
    return Preview(
        rows=survey.rows,
        valid=survey.valid,
        invalid=survey.bad,
        duplicates=survey.duplicates,
        invalid_by_code=survey.bad_by_code,
        refused=survey.refused,
        refused_by_code=survey.refused_by_code,
        columns=survey.columns,
        parts=survey.parts,
        price=Amount(survey.price_micros),
        operators=tuple(
            OperatorPrice(
                country=line.country,
                operator=line.operator,
                messages=line.messages,
                parts=line.parts,
                price=Amount(line.price_micros),
            )
            for line in survey.operators
        ),
        first_texts=tuple(
            RowText(line=one.line, to=one.to, text=one.text, parts=one.parts) for one in survey.first_texts
        ),
        first_invalid=tuple(map(invalid_row, survey.first_bad)),
    )


def _progress(row: JobRow, survey: Survey, tally: Tally, now_ms: int) -> JobProgress:
    job, pace = row.job, row.pace
    running_ms = now_ms - pace.at_ms if pace and job.status == "running" else 0
    rate = (
        (tally.left - pace.first) * 1000 / running_ms if pace and running_ms > 0 and tally.left > pace.first else None
    )
    left = max(0, survey.valid - tally.left)
    limit = rate_of(job)
    told = min(rate, limit) if rate and limit else rate or (limit if job.status == "running" else None)
    return JobProgress(
        recipients=survey.valid,
        handed_over=tally.charged,
        submitted=tally.submitted,
        ended=tally.ended,
        by_status=tally.ends,
        messages_per_second=None if rate is None else round(rate, 2),
        ends_at=None if not told or job.status != "running" else _estimate(now_ms, left / told),
    )


def _estimate(now_ms: int, seconds: float) -> datetime:
    return instant(now_ms) + timedelta(seconds=min(round(seconds), 366 * 86_400))


def _instant(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else instant(at_ms)
