"""Jobs as customers write them: what is sent, to whom, and when."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.message_types import MAX_TEXT, MAX_VALIDITY_SECONDS, MIN_VALIDITY_SECONDS, Sender
from chalicelib.domain import ids
from chalicelib.domain.account import Account, Traffic
from chalicelib.domain.contact import MAX_GROUPS_OF_JOB
from chalicelib.domain.content import Mode, Priority
from chalicelib.domain.job import MAX_LISTED, Job, Source, SourceKind
from chalicelib.domain.schedule import BadZone, CatchUp, Hours, Repeat, Timing, zone
from chalicelib.services.faults import FieldFault, invalid

MAX_COLUMNS: Final = 100
_ULID: Final = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

UploadId = Annotated[str, Meta(pattern=f"^upl_{_ULID}$(?!\\n)", description="An upload's id.")]
Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\\n)", examples=["09:00"])]
GroupId = Annotated[str, Meta(pattern=f"^grp_{_ULID}$(?!\\n)", description="A group's id.")]
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
    category: (
        Annotated[
            Traffic,
            Meta(description="Default: the account's. To transactional ones hours and DND do not apply."),
        ]
        | None
    ) = None
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
    """A job to make. Exactly one of `recipients`, `upload_id` and `group_ids` is given."""

    recipients: Annotated[tuple[Columns, ...], Meta(min_length=1, max_length=MAX_LISTED)] | None = None
    upload_id: UploadId | None = None
    group_ids: (
        Annotated[
            tuple[GroupId, ...],
            Meta(
                min_length=1,
                max_length=MAX_GROUPS_OF_JOB,
                description="Groups of contacts, as they are when the job starts; who is in several gets one message.",
            ),
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Meta(description="Read and price all, and wait to be started by hand.")] = False


class ChangedJob(JobSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job that has not started, as it is to be. Its recipients stay, and are read anew."""

    version: Annotated[int, Meta(ge=1, description="The version that this change was made from.")]


def new_job(body: NewJob, account: Account, mode: Mode, now_ms: int) -> Job:
    """The job that is asked for. Raises Fault `invalid_request`."""
    given = [name for name in ("recipients", "upload_id", "group_ids") if getattr(body, name) is not None]
    if len(given) != 1:
        code, told = ("missing", "give one of them") if not given else ("not_allowed", "give only one of them")
        pointer = "/recipients" if not given else f"/{given[1]}"
        raise invalid(FieldFault(field=pointer, code=code, detail=f"recipients, upload_id, group_ids: {told}"))
    kinds: dict[str, SourceKind] = {"recipients": "recipients", "upload_id": "upload", "group_ids": "groups"}
    source = Source(
        kind=kinds[given[0]],
        upload=body.upload_id or "",
        groups=tuple(dict.fromkeys(body.group_ids or ())),
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
        category=body.category,
        validity_seconds=body.validity_seconds,
        dedupe=body.dedupe,
        rate=body.rate,
        spread_seconds=body.spread_seconds,
        timing=timing,
        next_ms=timing.start_ms,
        source=msgspec.structs.replace(job.source, number_column=body.number_column),
    )


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
