"""How a gateway fares: what each bridge that has a share of it tells every ten seconds, and what they tell together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

BEAT_SECONDS: Final = 10.0
GONE_MS: Final = 35_000  # three beats that failed, and a little: the bridge is gone
MINUTES: Final = 5  # of which each beat tells, the one that runs included
MINUTE_MS: Final = 60_000


class Minute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a bridge counted in one minute (UTC)."""

    at_ms: int  # when it began
    submits: int = 0  # submit_sm sent
    taken: int = 0  # submit_sm_resp that said yes
    errors: Mapping[str, int] = {}  # submit_sm_resp that said no, by command_status ("0x58")
    unanswered: int = 0
    receipts: int = 0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The last session that did not come to be, or ended by itself."""

    at_ms: int
    session: str
    reason: str
    status: int | None = None  # command_status of a refused bind


class GatewayBeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One bridge's share of a gateway, at an instant. Rates are messages a second, as sessions allow."""

    gateway: str
    bridge: str
    at_ms: int
    state: str  # as the rules in force at the bridge say
    circuit: str = "closed"
    passing_on: str | None = None  # why messages that another gateway would take go there
    sessions: int = 0  # slots that it holds
    bound: int = 0  # of these
    window: int = 0  # unanswered submits a session
    rate: float = 0.0  # that it may submit at present: less than was set while the SMSC throttles
    in_flight: int = 0
    ready: int = 0  # claimed, to be submitted next
    put_off: int = 0  # parts that are tried again later
    held: int = 0  # messages in its hands, claimed or not
    records: int = 0  # of the queues, that these are of
    oldest_ms: int | None = None  # since when the longest of these has waited at the gateway
    minutes: tuple[Minute, ...] = ()  # newest first
    failure: Failure | None = None


class GatewayLive(msgspec.Struct, frozen=True, kw_only=True):
    """What the bridges tell together."""

    bridges: int
    sessions: int
    bound: int
    window: int
    rate: float
    circuits: tuple[str, ...]
    passing_on: tuple[str, ...]
    in_flight: int
    ready: int
    put_off: int
    held: int
    records: int
    oldest_ms: int | None
    minutes: tuple[Minute, ...]
    failure: Failure | None
    told_ms: int | None

    @property
    def submitted_per_second(self) -> float:
        """Over the minutes that are over, and the part of this one that has passed."""
        if not self.minutes or self.told_ms is None:
            return 0.0
        passed_ms = max(self.told_ms - min(minute.at_ms for minute in self.minutes), 1)
        return sum(minute.submits for minute in self.minutes) * 1000 / passed_ms


def live(beats: Iterable[GatewayBeat], now_ms: int) -> GatewayLive:
    """The beats of bridges that are there, added up."""
    there = [beat for beat in beats if beat.at_ms >= now_ms - GONE_MS]
    failures = [beat.failure for beat in there if beat.failure is not None]
    return GatewayLive(
        bridges=len(there),
        sessions=sum(beat.sessions for beat in there),
        bound=sum(beat.bound for beat in there),
        window=max((beat.window for beat in there), default=0),
        rate=sum(beat.rate for beat in there if beat.bound),
        circuits=tuple(sorted({beat.circuit for beat in there})),
        passing_on=tuple(sorted({beat.passing_on for beat in there if beat.passing_on})),
        in_flight=sum(beat.in_flight for beat in there),
        ready=sum(beat.ready for beat in there),
        put_off=sum(beat.put_off for beat in there),
        held=sum(beat.held for beat in there),
        records=sum(beat.records for beat in there),
        oldest_ms=min((beat.oldest_ms for beat in there if beat.oldest_ms is not None), default=None),
        minutes=_added(minute for beat in there for minute in beat.minutes),
        failure=max(failures, key=lambda failure: failure.at_ms, default=None),
        told_ms=max((beat.at_ms for beat in there), default=None),
    )


def _added(minutes: Iterable[Minute]) -> tuple[Minute, ...]:
    """By minute, newest first; no more of them than a beat has, since bridges' clocks differ a little."""
    of: dict[int, list[Minute]] = {}
    for minute in minutes:
        of.setdefault(minute.at_ms, []).append(minute)
    newest = sorted(of, reverse=True)[:MINUTES]
    return tuple(
        Minute(
            at_ms=at_ms,
            submits=sum(one.submits for one in of[at_ms]),
            taken=sum(one.taken for one in of[at_ms]),
            errors=dict(sum((Counter(one.errors) for one in of[at_ms]), Counter[str]())),
            unanswered=sum(one.unanswered for one in of[at_ms]),
            receipts=sum(one.receipts for one in of[at_ms]),
        )
        for at_ms in newest
    )
