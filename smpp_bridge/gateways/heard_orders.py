"""What is ordered for messages that wait at gateways, as this bridge has heard, and what it has done of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chalicelib.domain.waiting_order import Orders, WaitingOrder
from chalicelib.wire import Dispatch, DispatchBundle
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.platform import Platform

HEAR_SECONDS: Final = 1.0
# For so long an order has what it does not concern put behind the rest of a queue that is longer than fits here.
_LOOKED_FOR_MS: Final = 3_600_000

_log: Final = logging.getLogger(__name__)


class HeardOrders:
    """Empty until it has heard: all is submitted. Messages are moved to gateways that are `in_force` only."""

    def __init__(self, in_force: Callable[[str], bool] = lambda _: True) -> None:
        self._in_force = in_force
        self._orders = Orders()
        self._done: Counter[str] = Counter()  # messages by order, not yet told

    def hear(self, orders: Iterable[WaitingOrder]) -> bool:
        """Whether anything is different from before."""
        before, self._orders = self._orders, Orders(orders)
        return self._orders.all != before.all

    def for_messages(self, bundle: DispatchBundle, messages: Sequence[Dispatch]) -> WaitingOrder | None:
        """The order that they, of one slice of the bundle, are to be done with by."""
        if not self._orders.of(bundle.gateway):
            return None
        if any(each.done or each.in_doubt for each in messages):
            return None  # an SMSC has some of it, or may have
        contents = [each.content for each in messages]
        return self._orders.for_slice(bundle.gateway, bundle.account, contents, bundle.since_ms, self._in_force)

    def looked_for(self, gateway: str, now_ms: int) -> bool:
        """Whether what an order concerns may lie behind what it does not."""
        return any(now_ms - order.at_ms < _LOOKED_FOR_MS for order in self._orders.of(gateway))

    def count(self, order: WaitingOrder, messages: int) -> None:
        """So many were done with in its name."""
        self._done[order.id] += messages

    def take_counts(self) -> dict[str, int]:
        """What is to be told of, and is no longer."""
        done, self._done = self._done, Counter()
        return dict(done)


async def follow(
    orders: HeardOrders,
    platform: Platform,
    clock: Clock,
    on_change: Callable[[], None],
    seconds: float = HEAR_SECONDS,
) -> None:
    """Ask again and again until it is cancelled; `on_change` is called when there is something to do."""
    while True:
        await hear(orders, platform, on_change)
        await tell(orders, platform, clock)
        await asyncio.sleep(seconds)


async def hear(orders: HeardOrders, platform: Platform, on_change: Callable[[], None]) -> None:
    """Ask once. What AWS does not tell now, it tells a second later."""
    try:
        told = await platform.waiting_orders()
    except Exception as error:
        _log.error("cannot read orders", extra={"error": repr(error)})
        return
    if orders.hear(told):
        on_change()


async def tell(orders: HeardOrders, platform: Platform, clock: Clock) -> None:
    """Say what was done since the last time. A figure for people: where AWS does not take it, it is lost."""
    for order, messages in orders.take_counts().items():
        try:
            await platform.count_ordered(order, messages, clock.epoch_ms())
        except Exception as error:
            _log.error("cannot count what was ordered", extra={"order": order, "error": repr(error)})
