"""Counts what each gateway's worker does by the minute, and tells every ten seconds how it fares."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from chalicelib.domain.gateway_beat import BEAT_SECONDS, MINUTE_MS, MINUTES, GatewayBeat, Minute
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.platform import Platform
from smpp_bridge.gateways.session_log import SessionLog

if TYPE_CHECKING:
    from smpp_bridge.gateways.worker import GatewayWorker

LOOK_SECONDS: Final = 1.0
_EVENTS_A_SECOND: Final = 100  # of the bind log: four requests

_log: Final = logging.getLogger(__name__)


class _Totals(msgspec.Struct, frozen=True):
    """A worker's counts at one moment: they only grow."""

    submits: int
    responses: Mapping[int, int]
    unanswered: int
    receipts: int

    @classmethod
    def of(cls, counts: Counts) -> "_Totals":
        return cls(counts.submits, dict(counts.responses), counts.unanswered, sum(counts.receipts.values()))

    def since(self, before: "_Totals", onto: Minute) -> Minute:
        """The minute with what came since `before`."""
        responses = {status: count - before.responses.get(status, 0) for status, count in self.responses.items()}
        errors = Counter({f"0x{status:02X}": count for status, count in responses.items() if status and count})
        return Minute(
            at_ms=onto.at_ms,
            submits=onto.submits + self.submits - before.submits,
            taken=onto.taken + responses.get(0, 0),
            errors=dict(Counter(onto.errors) + errors),
            unanswered=onto.unanswered + self.unanswered - before.unanswered,
            receipts=onto.receipts + self.receipts - before.receipts,
        )


_NOTHING: Final = _Totals.of(Counts())  # they begin with the process


class Beats:
    """`look` every second, and ask for the beats when they are due."""

    def __init__(self, clock: Clock, sessions: SessionLog) -> None:
        self._clock = clock
        self._sessions = sessions
        self._before: dict[str, _Totals] = {}
        self._next: dict[str, float] = {}  # when each gateway's next beat is due, of the monotonic clock
        self._minutes: dict[str, deque[Minute]] = {}  # newest first

    def look(self, workers: Mapping[str, "GatewayWorker"]) -> None:
        """Count what was done since the last look to the minute that runs."""
        now_ms = self._clock.epoch_ms()
        begun_ms = now_ms - now_ms % MINUTE_MS
        for gateway, worker in workers.items():
            minutes = self._minutes.setdefault(gateway, deque(maxlen=MINUTES))
            if not minutes or minutes[0].at_ms != begun_ms:
                minutes.appendleft(Minute(at_ms=begun_ms))
            totals = _Totals.of(worker.counts)
            minutes[0] = totals.since(self._before.get(gateway, _NOTHING), minutes[0])
            self._before[gateway] = totals

    def due(self, workers: Mapping[str, "GatewayWorker"], bridge: str) -> list[GatewayBeat]:
        """How gateways fare of which this bridge has a share, and has not told for a while."""
        now = self._clock.monotonic()
        due = [worker for id_, worker in workers.items() if worker.slots and self._next.get(id_, now) <= now]
        self._next |= {worker.gateway.id: now + BEAT_SECONDS for worker in due}
        return [self.beat(worker, bridge) for worker in due]

    def beat(self, worker: "GatewayWorker", bridge: str) -> GatewayBeat:
        """How its gateway fares now."""
        gateway, submitter, standing = worker.gateway, worker.submitter, worker.standing
        now_ms = self._clock.epoch_ms()
        reason = standing.why_elsewhere
        since_ms = now_ms - MINUTES * MINUTE_MS
        return GatewayBeat(
            gateway=gateway.id,
            bridge=bridge,
            at_ms=now_ms,
            state=gateway.state,
            circuit=str(standing.circuit),
            passing_on=None if reason is None else reason.code,
            sessions=len(worker.slots),
            bound=sum(slot.bound for slot in worker.slots),
            window=gateway.window,
            rate=round(submitter.rate, 3),
            in_flight=submitter.in_flight,
            ready=len(submitter.backlog),
            put_off=submitter.backlog.put_off,
            held=worker.intake.held_messages,
            records=worker.intake.held_records,
            oldest_ms=worker.intake.oldest_ms,
            minutes=tuple(minute for minute in self._minutes.get(gateway.id, ()) if minute.at_ms > since_ms),
            failure=self._sessions.failures.get(gateway.id),
        )


class Teller:
    """Tells the platform of beats and sessions until it is cancelled; `last` tells the rest."""

    def __init__(self, platform: Platform, sessions: SessionLog, beats: Beats) -> None:
        self._platform = platform
        self._sessions = sessions
        self._beats = beats

    async def run(self, workers: Mapping[str, "GatewayWorker"], bridge: Callable[[], str]) -> None:
        """`workers` may change meanwhile; `bridge` tells this process's name among the bridges."""
        while True:
            self._beats.look(workers)
            await self.tell_sessions()
            beats = self._beats.due(workers, bridge())
            if beats:
                await self._tell_beats(beats)
            await asyncio.sleep(LOOK_SECONDS)

    async def last(self) -> None:
        """The bridge stops: tell all that AWS takes."""
        while await self.tell_sessions():
            pass

    async def tell_sessions(self) -> bool:
        """Whether there was anything to tell, and it is told. What AWS does not take now is told a second later."""
        events = self._sessions.take(_EVENTS_A_SECOND)
        if not events:
            return False
        try:
            await self._platform.tell_binds(events)
        except Exception as error:
            self._sessions.put_back(events)
            _log.error("cannot write the bind log", extra={"error": repr(error), "events": len(events)})
            return False
        return True

    async def _tell_beats(self, beats: list[GatewayBeat]) -> None:
        try:
            await self._platform.tell_beats(beats)
        except Exception as error:
            _log.error("cannot tell how gateways fare", extra={"error": repr(error)})
