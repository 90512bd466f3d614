"""Keeps the places of the bound sessions, and looks now and then whether their logins and accounts still stand."""

import asyncio
import logging
from typing import Final, Protocol

from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.store.esme_sessions import BEAT_SECONDS
from smpp_bridge.customers.counts import CustomerCounts
from smpp_bridge.customers.gate import Admitted
from smpp_bridge.customers.platform import CustomerPlatform
from smpp_bridge.customers.tally import Tally
from smpp_bridge.gateways.clock import Clock

_LOOK_BEATS: Final = 3  # a suspended login is unbound within half a minute
_AT_A_TIME: Final = 8
RELEASE_SECONDS: Final = 3.0  # for a stop; what is not released by then is free by itself soon after

_log: Final = logging.getLogger(__name__)


class Holder(Protocol):
    """A bound session."""

    @property
    def admitted(self) -> Admitted | None: ...

    @property
    def tally(self) -> Tally: ...

    def changed(self, login: SmppLogin) -> None:
        """Its login is this now."""

    def leave(self, reason: str) -> None:
        """Unbind in order."""


class Places:
    """`run` until cancelled; `hold` and `let_go` as sessions come and go."""

    def __init__(self, platform: CustomerPlatform, counts: CustomerCounts, *, clock: Clock) -> None:
        self._platform = platform
        self._counts = counts
        self._clock = clock
        self._limit = asyncio.Semaphore(_AT_A_TIME)
        self._releases: set[asyncio.Task[None]] = set()
        self._beats = 0
        self.held: set[Holder] = set()

    async def run(self) -> None:
        """Beat for all sessions, every BEAT_SECONDS."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.beat()

    async def beat(self) -> None:
        """Keep every place once. What is asked or has changed meanwhile is done."""
        self._beats += 1
        look = self._beats % _LOOK_BEATS == 0
        await asyncio.gather(*(self._keep(holder, look=look) for holder in list(self.held)))

    def hold(self, holder: Holder) -> None:
        self.held.add(holder)

    def let_go(self, holder: Holder) -> None:
        """The session has ended: free its place, in the background."""
        self.held.discard(holder)
        if holder.admitted is not None:
            self.release(holder.admitted)

    def release(self, admitted: Admitted) -> None:
        """Free a place in the background."""
        task = asyncio.get_running_loop().create_task(self._release(admitted))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def released(self) -> None:
        """Wait for what is being freed."""
        if self._releases:
            await asyncio.wait(set(self._releases), timeout=RELEASE_SECONDS)

    async def _keep(self, holder: Holder, *, look: bool) -> None:
        admitted = holder.admitted
        if admitted is None or holder not in self.held:
            return
        try:
            async with self._limit:
                now = self._clock.monotonic()
                if await self._platform.beat(admitted.session, admitted.slot, holder.tally.traffic(now)):
                    holder.leave("asked to unbind, or its place is another's")
                elif look:
                    await self._look(holder, admitted)
        except Exception as error:  # AWS's: there are beats to come before others take the place
            self._counts.failed_beats += 1
            _log.error("cannot keep a session's place", extra={"session": admitted.session.id, "error": repr(error)})

    async def _look(self, holder: Holder, admitted: Admitted) -> None:
        login = await self._platform.login(admitted.login.system_id)
        account = await self._platform.account(admitted.login.account)
        if login is None or login.state != "active":
            holder.leave("the login is no longer active")
        elif account is None or account.state == "closed":
            holder.leave("the account is closed")
        elif login != admitted.login:
            holder.changed(login)

    async def _release(self, admitted: Admitted) -> None:
        try:
            await self._platform.release(admitted.session, admitted.slot)
        except Exception as error:  # it is free by itself, once nobody renews it
            _log.error("cannot release a place", extra={"session": admitted.session.id, "error": repr(error)})
