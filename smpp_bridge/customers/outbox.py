"""What customers are told over SMPP: a feed for each login that has a receiver or transceiver bound to this bridge."""

import asyncio
from collections.abc import Iterable
from typing import Final

from smpp_bridge.customers.application import BoundSession
from smpp_bridge.customers.feed import Feed
from smpp_bridge.customers.mailbox import Mailbox
from smpp_bridge.customers.told import Told
from smpp_bridge.gateways.clock import Clock


class Outbox:
    """Hears of sessions as the Application does. What nobody here takes stays on its queue, for another bridge or
    another day."""

    def __init__(self, mailbox: Mailbox, *, clock: Clock = Clock()) -> None:  # noqa: B008 -- frozen
        self.told: Final = Told()
        self._mailbox = mailbox
        self._clock = clock
        self._feeds: dict[str, Feed] = {}
        self._stopping = False

    @property
    def feeds(self) -> Iterable[Feed]:
        """Of the logins that have a receiver here."""
        return self._feeds.values()

    @property
    def waiting(self) -> int:
        """Items in hand here that are not acknowledged; what nobody has taken yet the queues tell."""
        return sum(feed.waiting for feed in self._feeds.values())

    @property
    def oldest_seconds(self) -> float:
        """For how long the oldest of them has waited, on its queue and here; 0 where nothing waits."""
        sent = [feed.oldest_ms for feed in self._feeds.values()]
        oldest = min((at_ms for at_ms in sent if at_ms is not None), default=None)
        return 0.0 if oldest is None else max(0.0, (self._clock.epoch_ms() - oldest) / 1000)

    def on_bound(self, bound: BoundSession) -> None:
        """A session is bound; those that cannot receive are let be."""
        if not bound.can_receive or self._stopping:
            return
        login = bound.login.system_id
        feed = self._feeds.get(login)
        if feed is None:
            feed = self._feeds[login] = Feed(login, self._mailbox, self.told, self._clock, self._over)
        feed.add(bound)

    def on_gone(self, bound: BoundSession) -> None:
        """A session is over."""
        feed = self._feeds.get(bound.login.system_id)
        if feed is not None:
            feed.remove(bound)

    async def stop(self) -> None:
        """Tell nothing more; what is under way is waited for, the rest given back."""
        self._stopping = True
        await asyncio.gather(*(feed.stop() for feed in list(self._feeds.values())))

    def _over(self, feed: Feed) -> None:
        if self._feeds.get(feed.login) is feed:
            del self._feeds[feed.login]
