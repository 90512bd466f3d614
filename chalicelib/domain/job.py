"""A sending job: one text for many recipients, what is known of them, and how far it has got."""

from typing import Final, Literal

import msgspec

from chalicelib.domain.account import Traffic
from chalicelib.domain.content import Mode, Priority
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.schedule import Timing
from chalicelib.domain.status import Status

# preparing: the recipients are being read. ready: they are, and it waits for its start by hand (a dry run).
JobStatus = Literal["preparing", "ready", "scheduled", "running", "paused", "stopped", "completed", "failed"]
SourceKind = Literal["recipients", "upload", "groups"]
MAX_RECIPIENTS: Final = 1_000_000
MAX_FILE_BYTES: Final = 200_000_000
MAX_LISTED: Final = 1_000  # recipients in a request
CHUNK_ROWS: Final = 9_800  # recipients of an object in the bucket: a hundred bundles
FIRST_TEXTS: Final = 10
FIRST_BAD_ROWS: Final = 100  # shown with the job; all are in its list
# Which change is possible from where. What is not here is refused.
MAY_PAUSE: Final = frozenset[JobStatus]({"running"})
MAY_RESUME: Final = frozenset[JobStatus]({"paused"})
MAY_STOP: Final = frozenset[JobStatus]({"preparing", "ready", "scheduled", "running", "paused"})
MAY_EDIT: Final = frozenset[JobStatus]({"ready", "scheduled", "failed"})
MAY_START: Final = frozenset[JobStatus]({"ready", "scheduled"})
MAY_DELETE: Final = frozenset[JobStatus]({"ready", "scheduled", "stopped", "completed", "failed"})
OVER: Final = frozenset[JobStatus]({"stopped", "completed", "failed"})


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the recipients come from: a list in the request, an uploaded file, or groups of contacts."""

    kind: SourceKind
    upload: str = ""  # the upload's id
    groups: tuple[str, ...] = ()  # their ids
    number_column: str | None = None  # of a file; None: found by its name or by what is in it


class OperatorLine(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to an operator, by the rules of the moment in which the recipients were read."""

    country: str
    operator: str
    messages: int = 0
    parts: int = 0
    price_micros: int = 0


class BadRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """A row that gets no message: which, and why."""

    line: int
    code: str
    detail: str


class FirstText(msgspec.Struct, frozen=True, kw_only=True):
    """How the text reads for one of the first recipients."""

    line: int
    to: str
    text: str
    parts: int


class Survey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the recipients are: each row is counted as exactly one of valid, bad, duplicate."""

    rows: int = 0
    valid: int = 0
    bad: int = 0
    duplicates: int = 0
    refused: int = 0  # of the valid ones: those that would be refused by the rules of the moment
    parts: int = 0
    price_micros: int = 0
    bad_by_code: dict[str, int] = {}
    refused_by_code: dict[str, int] = {}
    operators: tuple[OperatorLine, ...] = ()
    columns: tuple[str, ...] = ()
    first_texts: tuple[FirstText, ...] = ()
    first_bad: tuple[BadRecipient, ...] = ()
    bad_chunks: int = 0  # objects of bad rows


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job as it is kept. What is sent of it is counted elsewhere (Progress, tallies)."""

    id: str
    account: str
    created_ms: int
    status: JobStatus
    text: str
    source: Source
    name: str = ""
    sender: str | None = None
    mode: Mode = "live"
    by: str = ""  # who made it: a user's or an API key's id
    priority: Priority = "bulk"
    category: Traffic | None = None  # None: what the account's traffic is
    validity_seconds: int | None = None
    dedupe: bool = True
    rate: float | None = None  # messages a second; None: as fast as it goes
    spread_seconds: int | None = None
    timing: Timing = msgspec.field(default_factory=Timing)
    dry_run: bool = False  # prepared, and started by hand only
    survey: Survey | None = None
    runs: tuple[str, ...] = ()  # ULIDs that its messages are named after, oldest first
    runs_before: int = 0  # how many of them are of earlier starts
    failure: ErrorInfo | None = None
    prep: str = ""  # ULID of the last time that its recipients were read: what is read anew lies elsewhere
    surveyed_ms: int | None = None
    next_ms: int | None = None  # when it is to start next
    started_for_ms: int | None = None  # the start that its last run is of
    started_ms: int | None = None
    ended_ms: int | None = None

    @property
    def present_runs(self) -> tuple[str, ...]:
        """The runs of its last start; each resume began another."""
        return self.runs[self.runs_before :]

    @property
    def folder(self) -> str:
        """Under which name its recipients lie."""
        return f"{self.id}/{self.prep}"


class Step(msgspec.Struct, frozen=True):
    """The recipients [first, first + count) that are being sent, named after a run. What comes before them is sent."""

    first: int
    count: int
    run: str


class Recipient(msgspec.Struct, frozen=True, array_like=True):
    """A recipient as preparing leaves it. `number` of its message is its place among the valid ones."""

    line: int
    to: str
    country: str
    text: str
    parts: int


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a job's messages are known to be where; ends by status."""

    charged: int = 0  # for a gateway
    submitted: int = 0
    left: int = 0  # submitted, or ended without: they wait at no gateway
    ends: dict[Status, int] = {}

    @property
    def ended(self) -> int:
        return sum(self.ends.values())


def rate_of(job: Job) -> float | None:
    """Messages a second that are fed; None: as many as can be taken."""
    if job.spread_seconds and job.survey and job.survey.valid:
        return max(job.survey.valid / job.spread_seconds, 1 / 60)
    return job.rate
