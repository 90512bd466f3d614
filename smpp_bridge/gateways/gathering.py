"""The ways to AWS that all gateways of a bridge share: what they send is gathered, so that a request carries much."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from chalicelib.wire import Outcome
from smpp_bridge.gateways.gatherer import Gatherer
from smpp_bridge.gateways.job_controls import PAUSED_SECONDS
from smpp_bridge.gateways.judge import AddressedBundle
from smpp_bridge.gateways.platform import Platform

OUTCOME_LINGER_SECONDS: Final = 0.005  # a receipt's answer waits for it
OUTCOMES_A_SEND: Final = 1_000  # one SendMessageBatch of ten bundles, some 40 KB each
DELETE_LINGER_SECONDS: Final = 0.05  # nobody waits for a delete; ten fit a request


class OutcomeTimes(msgspec.Struct, frozen=True):
    """Who hears how long a send of outcomes took, in seconds."""

    submits: Callable[[float], None]
    receipts: Callable[[float], None]

    @classmethod
    def silent(cls) -> "OutcomeTimes":
        """Nobody."""
        return cls(lambda _: None, lambda _: None)


class Gathering(msgspec.Struct, frozen=True):
    """What all workers share: their ways to AWS. Submits' outcomes are insisted on, receipts' are not."""

    outcomes: Gatherer[Outcome]
    receipts: Gatherer[Outcome]
    dispatches: Gatherer[AddressedBundle]
    later: Gatherer[AddressedBundle]  # of paused jobs, to come again after a while
    deletes: Gatherer[tuple[str, str]]

    async def drained(self) -> None:
        """All is durable: dispatches and outcomes first, since the deletes follow from them."""
        await asyncio.gather(self.dispatches.drained(), self.later.drained(), self.receipts.drained())
        await self.outcomes.drained()
        await self.deletes.drained()


def gathering_to(
    platform: Platform, times: OutcomeTimes, *, linger_seconds: float = OUTCOME_LINGER_SECONDS
) -> Gathering:
    """The ways to AWS that all workers of a process share. `linger_seconds`: how long outcomes wait for others."""
    return Gathering(
        outcomes=Gatherer(
            platform.send_outcomes,
            most=OUTCOMES_A_SEND,
            linger_seconds=linger_seconds,
            insist=True,
            observe_seconds=times.submits,
        ),
        receipts=Gatherer(
            platform.send_outcomes,
            most=OUTCOMES_A_SEND,
            linger_seconds=linger_seconds,
            insist=False,
            observe_seconds=times.receipts,
        ),
        dispatches=Gatherer(platform.send_dispatches, most=100, linger_seconds=OUTCOME_LINGER_SECONDS, insist=True),
        later=Gatherer(
            lambda bundles: platform.send_later(bundles, PAUSED_SECONDS),
            most=100,
            linger_seconds=OUTCOME_LINGER_SECONDS,
            insist=True,
        ),
        deletes=Gatherer(platform.delete, most=100, linger_seconds=DELETE_LINGER_SECONDS, insist=False),
    )
