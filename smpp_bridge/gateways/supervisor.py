"""Keeps one worker a gateway of the rules in force: starts, changes and stops them as snapshots are published."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from chalicelib.domain.rules import Gateway, Rules
from smpp_bridge.gateways import heard_orders
from smpp_bridge.gateways.beats import Beats, Teller
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gathering import OUTCOME_LINGER_SECONDS, OutcomeTimes, gathering_to
from smpp_bridge.gateways.heard_orders import HeardOrders
from smpp_bridge.gateways.job_controls import HEAR_SECONDS, JobControls, follow, hear
from smpp_bridge.gateways.leases import LeaseKeeper, Terms
from smpp_bridge.gateways.platform import Platform
from smpp_bridge.gateways.session_log import SessionLog
from smpp_bridge.gateways.slot import Pace
from smpp_bridge.gateways.worker import GatewayWorker

DRAINED_SECONDS: Final = 20.0  # how long a stop waits for AWS
LEAVE_SECONDS: Final = 3.0  # and then for this; otherwise others wait for the lease to run out

_log: Final = logging.getLogger(__name__)
T = TypeVar("T")


class Supervisor:
    """`run` until cancelled, then `stop`."""

    def __init__(
        self,
        platform: Platform,
        *,
        clock: Clock | None = None,
        pace: Pace | None = None,
        poll_seconds: float = 1.0,
        terms: Terms | None = None,
        times: OutcomeTimes | None = None,
        linger_seconds: float = OUTCOME_LINGER_SECONDS,
    ) -> None:
        self._platform = platform
        self._clock = clock or Clock()
        self._pace = pace or Pace()
        self._poll_seconds = poll_seconds
        self.keeper = LeaseKeeper(platform.leases, self, clock=self._clock, terms=terms or Terms())
        self.gathering = gathering_to(platform, times or OutcomeTimes.silent(), linger_seconds=linger_seconds)
        self.workers: dict[str, GatewayWorker] = {}
        self.rules: Rules | None = None  # in force here
        self.draining = False
        self._in_force: set[str] = set()  # gateways that messages may go on to
        self._counts: dict[str, Counts] = {}  # outlive their workers: a counter never goes back
        self._keeping: asyncio.Task[None] | None = None
        self._jobs = JobControls()
        self._orders = HeardOrders(self._in_force.__contains__)
        self.sessions = SessionLog(self._clock, bridge=lambda: self.keeper.name)
        self.teller = Teller(platform, self.sessions, Beats(self._clock, self.sessions))

    async def run(self) -> None:
        """Follow the rules as they are published. The lease is kept on until `stop` is through."""
        self._keeping = asyncio.get_running_loop().create_task(self.keeper.run())
        await hear(self._jobs, self._platform, self._clock, self._look)  # before anything is submitted
        await heard_orders.hear(self._orders, self._platform, self._look)
        seconds = min(HEAR_SECONDS, self._poll_seconds)
        following = [
            asyncio.get_running_loop().create_task(work)
            for work in (
                follow(self._jobs, self._platform, self._clock, self._look, seconds),
                heard_orders.follow(self._orders, self._platform, self._clock, self._look, seconds),
                self.teller.run(self.workers, lambda: self.keeper.name),
            )
        ]
        try:
            await self._follow_rules()
        finally:
            for task in following:
                task.cancel()

    async def _follow_rules(self) -> None:
        while True:
            try:
                rules = await self._platform.rules()
            except Exception as error:  # AWS's or the network's: the rules at hand stay in force
                _log.error("cannot read rules", extra={"error": repr(error)})
            else:
                await self.follow(rules)
            self._look()
            await asyncio.sleep(self._poll_seconds)

    def _look(self) -> None:
        for worker in self.workers.values():
            worker.look()

    async def follow(self, rules: Rules) -> None:
        """Bring the workers in line; what did not work before is tried again. Gateways do not wait for one another."""
        wanted = {gateway.id: gateway for gateway in rules.gateways}
        self._in_force.clear()
        self._in_force.update(gateway.id for gateway in rules.gateways if gateway.state == "active")
        gone = [id_ for id_ in self.workers if id_ not in wanted]
        await asyncio.gather(
            *(self._guarded(id_, self._stop, id_) for id_ in gone),
            *(self._guarded(id_, self._bring_in_line, gateway) for id_, gateway in wanted.items()),
        )
        self.keeper.want({id_: gateway.sessions for id_, gateway in wanted.items()})
        if self.rules is None or self.rules.number != rules.number:
            _log.info("rules in force", extra={"rules": rules.number, "gateways": sorted(wanted)})
        self.rules = rules

    async def stop(self) -> None:
        """Drain every worker, make durable what they told, and leave the sessions to other bridges."""
        self.draining = self.keeper.leaving = True
        await asyncio.gather(*(self._guarded(id_, self._stop, id_) for id_ in list(self.workers)))
        try:
            await asyncio.wait_for(self.gathering.drained(), DRAINED_SECONDS)
        except TimeoutError:
            _log.critical("stopped before all outcomes were durable: their records will be delivered again")
        await heard_orders.tell(self._orders, self._platform, self._clock)
        await self.teller.last()
        if self._keeping is not None:
            self._keeping.cancel()
            await self._leave()

    def bound(self) -> frozenset[str]:
        """See SessionHolder."""
        return frozenset(id_ for id_, worker in self.workers.items() if worker.bound)

    async def hold(self, gateway: str) -> None:
        """See SessionHolder."""
        if gateway in self.workers:
            await self.workers[gateway].hold()

    def state(self) -> dict[str, Any]:
        """As /health shows it."""
        return {
            "status": "draining" if self.draining else "starting" if self.rules is None else "ok",
            "rules": None if self.rules is None else self.rules.number,
            "bridge": self.keeper.name,
            "bridges": self.keeper.bridges,
            "lease": self.keeper.sure,
            "outcomes_pending": self.gathering.outcomes.pending + self.gathering.receipts.pending,
            "gateways": {id_: worker.state() for id_, worker in self.workers.items()},
        }

    async def _bring_in_line(self, gateway: Gateway) -> None:
        worker = self.workers.get(gateway.id)
        if worker is not None and worker.gateway == gateway:
            return
        if worker is not None and worker.takes_over(gateway):
            await worker.change(gateway)
            return
        if worker is not None:
            await self._stop(gateway.id)
        started = GatewayWorker(
            gateway,
            platform=self._platform,
            keeper=self.keeper,
            gathering=self.gathering,
            clock=self._clock,
            pace=self._pace,
            in_force=self._in_force.__contains__,
            counts=self._counts.setdefault(gateway.id, Counts()),
            jobs=self._jobs,
            orders=self._orders,
            sessions=self.sessions,
        )
        self.workers[gateway.id] = started
        started.start()
        await started.hold()

    async def _stop(self, gateway: str) -> None:
        await self.workers[gateway].stop()
        del self.workers[gateway]

    async def _leave(self) -> None:
        try:
            await asyncio.wait_for(self.keeper.leave(), LEAVE_SECONDS)
        except Exception as error:  # AWS's or the network's: the others find out by themselves
            _log.error("cannot leave", extra={"bridge": self.keeper.name, "error": repr(error)})

    async def _guarded(self, gateway: str, work: Callable[[T], Awaitable[None]], of: T) -> None:
        try:
            await work(of)
        except Exception:  # one gateway's trouble never stops another's
            _log.critical("a gateway's worker is in trouble", exc_info=True, extra={"gateway": gateway})
