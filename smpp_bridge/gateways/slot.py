"""One session slot of a gateway: keeps its link, or its transmitter and receiver, connected for as long as it runs."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from chalicelib.domain.bind_event import BindMode
from chalicelib.domain.rules import Gateway
from smpp_bridge.gateways.backoff import Backoff
from smpp_bridge.gateways.breaker import BreakerTerms
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.link import Ending, Link, LinkUser
from smpp_bridge.gateways.session_log import SessionLog
from smpp_bridge.protocol.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter
from smpp_bridge.protocol.status import Status

CONNECT_SECONDS: Final = 10.0
UNBIND_SECONDS: Final = 2.0  # how long a stop waits for unbind_resp
_STEADY_SECONDS: Final = 30.0  # bound for so long, the session was well, and its end is no part of a series
_MODES: Final[dict[type[Bind], BindMode]] = {
    BindTransceiver: "transceiver",
    BindTransmitter: "transmitter",
    BindReceiver: "receiver",
}
_ROLES: Final[dict[BindMode, str]] = {"transceiver": "trx", "transmitter": "tx", "receiver": "rx"}  # in names of links
# Trying a wrong password over and over locks accounts: these stop the storm (FACTS, submit_sm errors).
_CREDENTIALS_REFUSED: Final = frozenset({Status.BIND_FAILED, Status.INVALID_PASSWORD, Status.INVALID_SYSTEM_ID})

_log: Final = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a lost session is tried again, and for how long its messages wait, in seconds."""

    reconnect_first: float = 1.0
    reconnect_most: float = 60.0
    refused_first: float = 30.0
    refused_most: float = 300.0
    breaker: BreakerTerms = BreakerTerms()
    absent: float = 3.0  # without any: then what waits is taken to end it in time, or left to a bridge that has one
    unbound: float = 30.0  # without any, after which messages go on to the next gateway: a restart takes less


class Slot:
    """`number` from 0. While it is `closing`, nothing more is submitted through it."""

    def __init__(  # its parts are all that it has
        self,
        gateway: Gateway,
        number: int,
        *,
        user: LinkUser,
        password: Callable[[], Awaitable[str]],
        counts: Counts,
        clock: Clock,
        pace: Pace,
        log: SessionLog,
    ) -> None:
        self.number = number
        self._log = log
        self.closing = False
        self._gateway = gateway
        self._user = user
        self._password = password
        self._counts = counts
        self._clock = clock
        self._pace = pace
        kinds = (BindTransceiver,) if gateway.bind_mode == "transceiver" else (BindTransmitter, BindReceiver)
        self._kinds: tuple[type[Bind], ...] = kinds
        self.links: dict[type[Bind], Link] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def transmitter(self) -> Link | None:
        """The link that submits go through."""
        return self.links.get(self._kinds[0])

    @property
    def receiver(self) -> Link | None:
        """The link that receipts come through; the same one for a transceiver."""
        return self.links.get(self._kinds[-1])

    @property
    def in_flight(self) -> int:
        return sum(link.in_flight for link in self.links.values())

    @property
    def bound(self) -> bool:
        return len(self.links) == len(self._kinds) and all(link.is_bound for link in self.links.values())

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep(kind), name=self._name(kind)) for kind in self._kinds]

    async def stop(self) -> None:
        """Unbind and leave; takes at most UNBIND_SECONDS and a little."""
        self._stopping = True
        for link in self.links.values():
            link.unbind()
        endings = [link.ended for link in self.links.values()]
        if endings:
            await asyncio.wait(endings, timeout=UNBIND_SECONDS)
        for link in self.links.values():
            link.close("stopped")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _name(self, kind: type[Bind]) -> str:
        return f"{self._gateway.id}/{self.number}/{_ROLES[_MODES[kind]]}"

    async def _keep(self, kind: type[Bind]) -> None:
        """Connect, wait for the end, wait a while, again."""
        lost = Backoff(self._pace.reconnect_first, self._pace.reconnect_most)
        refused = Backoff(self._pace.refused_first, self._pace.refused_most, least_share=0.5)
        while not self._stopping:
            ending = await self._one_connection(kind)
            if self._stopping:
                return
            if ending.bound_seconds is not None:
                refused.reset()
                if ending.bound_seconds >= _STEADY_SECONDS:
                    lost.reset()
            credentials = ending.refused in _CREDENTIALS_REFUSED
            wait_seconds = (refused if credentials else lost).next()
            self._counts.bind_refusals += ending.refused is not None
            _log.log(
                logging.CRITICAL if credentials else logging.WARNING,
                "bind refused: check the gateway's system_id and password" if credentials else "session ended",
                extra={
                    "gateway": self._gateway.id,
                    "session": self._name(kind),
                    "reason": ending.reason,
                    "wait_seconds": round(wait_seconds, 2),
                    "alarm": credentials,
                },
            )
            await asyncio.sleep(wait_seconds)

    async def _one_connection(self, kind: type[Bind]) -> Ending:
        gateway = self._gateway
        try:
            password = await self._password()
            bind = kind(
                system_id=gateway.system_id,
                password=password,
                system_type=gateway.system_type,
                address_range=gateway.address_range,
            )
            async with asyncio.timeout(
                CONNECT_SECONDS
            ):  # wait_for of 3.11 may lose a cancellation, and stop would hang
                link = await self._connect(kind, bind)
        except Exception as error:  # the network's, TLS's, the secret's: all the same to a session that is not there
            ending = Ending(f"cannot connect: {error!r}", None)
            self._note(kind, ending)
            return ending
        self._counts.connections += 1
        self.links[kind] = link
        link.ended.add_done_callback(lambda ended: self._note(kind, ended.result()))
        try:
            return await asyncio.shield(link.ended)
        finally:
            self.links.pop(kind, None)

    def _note(self, kind: type[Bind], ending: Ending) -> None:
        self._log.ended(self._gateway, self._name(kind), _MODES[kind], ending)

    async def _connect(self, kind: type[Bind], bind: Bind) -> Link:
        gateway = self._gateway
        _, link = await asyncio.get_running_loop().create_connection(
            lambda: Link(gateway, self._name(kind), bind, user=self._user, clock=self._clock),
            gateway.host,
            gateway.port,
            ssl=_tls(gateway),
        )
        return link


def mode_of(session: str) -> BindMode:
    """As what the link of that name is bound."""
    role = session.rpartition("/")[2]
    return next(mode for mode, short in _ROLES.items() if short == role)


def _tls(gateway: Gateway) -> ssl.SSLContext | None:
    if not gateway.tls:
        return None
    context = ssl.create_default_context()
    if not gateway.tls_verify:  # the administrator's choice: operators with self-signed certificates are common
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
