"""Jobs as customers read them."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.api.job_previews import Preview, preview
from chalicelib.api.job_progress import JobProgress, progress
from chalicelib.api.job_settings import DeliveryHours
from chalicelib.api.message_types import MessageError
from chalicelib.domain.account import Traffic
from chalicelib.domain.content import Mode, Priority
from chalicelib.domain.job import JobStatus, SourceKind, Tally
from chalicelib.domain.schedule import CatchUp, Hours, Repeat
from chalicelib.store.jobs import JobRow

_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

JobId = Annotated[str, Meta(pattern=f"^job_{_ULID}$(?!\\n)", description="A job's id.")]


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
    category: Traffic | None
    source: SourceKind
    upload_id: str | None
    group_ids: tuple[str, ...]
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
        category=job.category,
        source=job.source.kind,
        upload_id=job.source.upload or None,
        group_ids=job.source.groups,
        dedupe=job.dedupe,
        rate=job.rate,
        spread_seconds=job.spread_seconds,
        validity_seconds=job.validity_seconds,
        start_at=instant(timing.start_ms),
        time_zone=timing.zone,
        repeat=timing.repeat,
        until=instant(timing.until_ms),
        catch_up=timing.catch_up,
        next_start_at=instant(job.next_ms),
        delivery_hours=_hours_view(timing.hours),
        created_at=instant(job.created_ms),
        started_at=instant(job.started_ms),
        ended_at=instant(job.ended_ms),
        error=None
        if job.failure is None
        else MessageError(code=job.failure.code, title=job.failure.title, gateway_code=None),
        preview=None if job.survey is None else preview(job.survey),
        progress=None if tally is None or job.survey is None else progress(row, job.survey, tally, now_ms),
    )


def _hours_view(hours: Hours | None) -> DeliveryHours | None:
    if hours is None:
        return None
    since, until = (f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.since, hours.until))
    return DeliveryHours(since=since, until=until)
