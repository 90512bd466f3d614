"""Who may connect: limits by network and in all, and the bans."""

from collections import Counter
from enum import Enum

from smpp_bridge.customers.bans import Bans
from smpp_bridge.customers.terms import CustomerTerms


class Turned(Enum):
    """Why a connection is closed before a word is said."""

    BANNED = "banned"
    FULL = "too many connections"
    CROWD = "too many connections from there"
    UNBOUND = "too many connections from there that are not bound"


class Door:
    """Counts who is in. `network` is that of `origins.network_of`."""

    def __init__(self, terms: CustomerTerms, bans: Bans) -> None:
        self._terms = terms
        self._bans = bans
        self._inside: Counter[str] = Counter()
        self._unbound: Counter[str] = Counter()
        self.connections = 0

    def enter(self, network: str, now: float) -> Turned | None:
        """Let a connection in, not bound yet; or say why not, and count nothing."""
        if self._bans.is_banned(network, now):
            return Turned.BANNED
        if self.connections >= self._terms.max_connections:
            return Turned.FULL
        if self._inside[network] >= self._terms.max_per_address:
            return Turned.CROWD
        if self._unbound[network] >= self._terms.max_unbound_per_address:
            return Turned.UNBOUND
        self.connections += 1
        self._inside[network] += 1
        self._unbound[network] += 1
        return None

    def bound(self, network: str) -> None:
        """A connection that was let in is bound from now on."""
        _less(self._unbound, network)

    def leave(self, network: str, *, was_bound: bool) -> None:
        """A connection that was let in is gone."""
        self.connections -= 1
        _less(self._inside, network)
        if not was_bound:
            _less(self._unbound, network)


def _less(counter: Counter[str], network: str) -> None:
    counter[network] -= 1
    if counter[network] <= 0:
        del counter[network]
