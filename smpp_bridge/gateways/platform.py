"""What a worker needs of the platform behind it: queues, claims, the message log. AWS in `aws`, memory in tests."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, Protocol

from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.gateway_beat import GatewayBeat
from chalicelib.domain.rules import Rules
from chalicelib.domain.waiting_order import Fate, WaitingOrder
from chalicelib.store.job_controls import Control
from chalicelib.store.made_queues import GATEWAY_VISIBILITY_SECONDS
from chalicelib.store.queues import Record
from chalicelib.wire import DispatchBundle, Outcome
from smpp_bridge.gateways.leases import LeaseStore

VISIBILITY_SECONDS: Final = GATEWAY_VISIBILITY_SECONDS  # of a record in a bridge's hands; extended while it is held


class Holder(Enum):
    """Who has the claim of a dispatch, once it has been asked for."""

    NOW_OURS = "now ours"  # nobody had it: go on and submit
    CANCELED = "canceled"
    EARLIER = "earlier"  # a bridge that is gone, or this one in a time before: some of it may have been submitted
    AT_WORK = "at work"  # a bridge that is there; or what came of it the log may not know yet


class Platform(Protocol):
    """What bridges share, `leases` among it.

    Every call may raise what its implementation raises when the other side is not well; callers try again.
    """

    @property
    def leases(self) -> LeaseStore:
        """Who holds which session slot."""
        ...

    async def rules(self) -> Rules:
        """The snapshot in force."""
        ...

    async def password_of(self, gateway: str) -> str:
        """The gateway's bind password."""
        ...

    async def receive(self, queue: str, most: int) -> list[Record]:
        """Up to `most` (1 to 10) records, hidden from others for VISIBILITY_SECONDS; waits a few seconds for one."""
        ...

    async def hide(self, queue: str, handles: Sequence[str], seconds: int) -> None:
        """Hide records for `seconds` from now; 0 gives them back."""
        ...

    async def delete(self, handles: list[tuple[str, str]]) -> None:
        """The records (queue, handle) are through."""
        ...

    async def send_outcomes(self, outcomes: list[Outcome]) -> None:
        """All of them are durable when this returns."""
        ...

    async def send_dispatches(self, dispatches: list[tuple[str, DispatchBundle]]) -> None:
        """All of them (queue, bundle) are durable when this returns."""
        ...

    async def send_later(self, dispatches: list[tuple[str, DispatchBundle]], seconds: int) -> None:
        """The same, to be received after so many seconds at the earliest."""
        ...

    async def job_controls(self, since_ms: int) -> list[Control]:
        """What was told of jobs from then on, in order."""
        ...

    async def waiting_orders(self) -> list[WaitingOrder]:
        """Those that are open, for what waits at gateways."""
        ...

    async def count_ordered(self, order: str, messages: int, at_ms: int) -> None:
        """So many more messages were done with by that order."""
        ...

    async def tell_beats(self, beats: Sequence[GatewayBeat]) -> None:
        """How this bridge's share of gateways fares."""
        ...

    async def tell_binds(self, events: Sequence[BindEvent]) -> None:
        """What became of sessions, for the bind log."""
        ...

    async def claim(self, dispatch_id: str, by: str, at_ms: int) -> Holder | Fate:
        """Ask for the right to submit the slice of that name, as the bridge `by`; or in the name of its fate.

        Asking again changes nothing. A fate that somebody else has claimed it for is to be seen to by whoever asks.
        """
        ...

    async def canceled(self, account: str, message_ids: Sequence[str]) -> set[str]:
        """Those of the messages that are canceled though they share their claim with others, read consistently."""
        ...

    async def facts_of(self, account: str, message_id: str) -> list[AnyFact]:
        """The message's facts, read consistently."""
        ...
