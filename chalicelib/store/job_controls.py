"""Job controls: pauses, stops and resumes in the order they were told, which each bridge follows every second."""

from typing import Final, Literal

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.store import dynamo

ControlState = Literal["paused", "stopped", "running"]
KEPT_SECONDS: Final = 15 * 86_400  # longer than a gateway's queue keeps a record
# Clocks differ, and a write takes its time: what was told a little before the last that was heard is heard again.
OVERLAP_MS: Final = 30_000
_FEED: Final = "all"


class ControlTable(dynamo.Table):
    class Meta:
        suffix = "job_controls"

    feed = UnicodeAttribute(hash_key=True)
    told = UnicodeAttribute(range_key=True)
    job = UnicodeAttribute()
    state = UnicodeAttribute()
    version = NumberAttribute()
    expires = NumberAttribute()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's messages are to do; of two, that of the higher version of the job counts."""

    job: str
    state: ControlState
    version: int
    at_ms: int


def tell(job: str, state: ControlState, version: int, now_ms: int) -> None:
    """Have the bridges hear of it. Telling it again changes nothing."""
    ControlTable(
        _FEED,
        f"{now_ms:015}#{job}#{state}",
        job=job,
        state=state,
        version=version,
        expires=now_ms // 1000 + KEPT_SECONDS,
    ).save()


def since(at_ms: int) -> list[Control]:
    """What was told from then on, read consistently, in order; from 0 on, all that still holds."""
    found = ControlTable.query(_FEED, ControlTable.told >= f"{max(0, at_ms):015}", consistent_read=True)
    return [
        Control(
            job=str(item.job),
            state=msgspec.convert(item.state, ControlState),
            version=int(item.version),
            at_ms=int(str(item.told).partition("#")[0]),
        )
        for item in found
    ]
