"""What has become of sessions, kept until the bind log has it, a second later; and each gateway's last fault."""

from collections import deque
from collections.abc import Callable
from typing import Final

from chalicelib.domain.bind_event import BindEvent, BindKind, BindMode, bind_event
from chalicelib.domain.gateway_beat import Failure
from chalicelib.domain.rules import Gateway
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.link import Ending, Link

MAX_UNTOLD: Final = 2_000  # of more the oldest are lost: the log is for people, and somebody may knock very often
IN_ORDER: Final = frozenset({"unbound", "the SMSC unbound", "stopped"})  # reasons of links that somebody has ended


class SessionLog:
    """`bridge` tells this process's name among the bridges."""

    def __init__(self, clock: Clock, *, bridge: Callable[[], str] = str) -> None:
        self.failures: dict[str, Failure] = {}  # by gateway
        self._clock = clock
        self._bridge = bridge
        self._untold: deque[BindEvent] = deque(maxlen=MAX_UNTOLD)

    def add(self, event: BindEvent) -> None:
        """Tell it soon."""
        self._untold.append(event)

    def take(self, most: int) -> list[BindEvent]:
        """Up to so many that are to be told, oldest first; they are here no longer."""
        return [self._untold.popleft() for _ in range(min(most, len(self._untold)))]

    def put_back(self, events: list[BindEvent]) -> None:
        """They were not told, after all; where more came meanwhile than there is room for, the oldest are lost."""
        room = MAX_UNTOLD - len(self._untold)
        self._untold.extendleft(reversed(events[-room:] if room else []))

    def bound(self, gateway: Gateway, link: Link, mode: BindMode) -> None:
        """The SMSC has accepted the bind."""
        self._add(gateway, "bound", mode, link.name)

    def ended(self, gateway: Gateway, session: str, mode: BindMode, ending: Ending) -> None:
        """The session is over, or never came to be."""
        kind = _kind_of(ending)
        now_ms = self._clock.epoch_ms()
        bound_ms = None if ending.bound_seconds is None else now_ms - round(ending.bound_seconds * 1000)
        self._add(gateway, kind, mode, session, reason=ending.reason, status=ending.refused, bound_ms=bound_ms)
        if kind != "unbound":
            self.failures[gateway.id] = Failure(
                at_ms=now_ms, session=session, reason=ending.reason, status=ending.refused
            )

    def _add(
        self,
        gateway: Gateway,
        kind: BindKind,
        mode: BindMode,
        session: str,
        *,
        reason: str = "",
        status: int | None = None,
        bound_ms: int | None = None,
    ) -> None:
        self.add(
            bind_event(
                "gateway",
                gateway.id,
                kind,
                mode,
                self._clock.epoch_ms(),
                reason=reason,
                session=session,
                bridge=self._bridge(),
                address=f"{gateway.host}:{gateway.port}",
                status=status,
                bound_ms=bound_ms,
            )
        )


def _kind_of(ending: Ending) -> BindKind:
    if ending.bound_seconds is not None:
        return "unbound" if ending.reason in IN_ORDER else "lost"
    return "unreachable" if ending.refused is None else "refused"
