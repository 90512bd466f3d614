"""What an administrator has ordered for messages that wait at a gateway: to go to another one, or to end, paid back.

An order is for what waited when it was given. Whoever comes by a slice that it concerns, a bridge or a sweep, claims
the slice in the order's name: that claim says for good what becomes of the slice, and that nobody has submitted any of
it, so that doing it again is the same as doing it once.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status

Deed = Literal["move", "purge"]
OrderState = Literal["open", "done", "withdrawn"]
_MOVE: Final = "move/"
MOVED: Final = ErrorInfo(code="moved", title="An administrator moved the message to another gateway.")


class WaitingOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`account` and `job` narrow it down. Test messages are moved to simulators only."""

    id: str
    gateway: str
    deed: Deed
    at_ms: int
    by: str
    to: str = ""  # where they are moved
    to_simulator: bool = False
    account: str | None = None
    job: str | None = None
    why: str = ""

    def concerns(self, account: str, content: Content, since_ms: int) -> bool:
        """Whether it is for a message of that account, which has waited at its gateway since then."""
        return (
            since_ms <= self.at_ms
            and self.account in (None, account)
            and self.job in (None, content.job)
            and (self.deed == "purge" or self.to_simulator or content.mode == "live")
        )

    @property
    def fate(self) -> "Fate":
        """What becomes of what it concerns."""
        return Fate(self.deed, self.to)


class Fate(msgspec.Struct, frozen=True):
    """What becomes of a slice that no bridge submits."""

    deed: Literal["move", "purge", "expire", "cancel"]
    to: str = ""

    @property
    def claimant(self) -> str:
        """In which name the slice is claimed."""
        return f"{_MOVE}{self.to}" if self.deed == "move" else self.deed


CANCEL: Final = Fate("cancel").claimant  # who claims a message for its customer, who has canceled it
EXPIRE: Final = Fate("expire")  # it waited for longer than it may
PURGE: Final = Fate("purge")
# Claimants of what is never submitted; a moved message may be, by another gateway.
NEVER_SENT: Final = frozenset({CANCEL, EXPIRE.claimant, PURGE.claimant})
ENDS: Final[dict[str, tuple[Status, str]]] = {  # deed → how the message ends, and the code of the reason
    "cancel": (Status.CANCELED, "canceled"),
    "purge": (Status.CANCELED, "purged"),
    "expire": (Status.EXPIRED, "waited_too_long"),
}


def fate_in(claimant: str) -> Fate | None:
    """What a claim in that name says; None where it is a bridge's."""
    if claimant.startswith(_MOVE):
        return Fate("move", claimant.removeprefix(_MOVE))
    return next((fate for fate in (Fate("cancel"), EXPIRE, PURGE) if fate.claimant == claimant), None)


class Orders:
    """Those that are open, by gateway. Of several that concern a message the oldest counts."""

    def __init__(self, orders: Iterable[WaitingOrder] = ()) -> None:
        self.all = tuple(sorted(orders, key=lambda order: order.id))
        self._of: dict[str, list[WaitingOrder]] = {}
        for order in self.all:
            self._of.setdefault(order.gateway, []).append(order)

    def of(self, gateway: str) -> tuple[WaitingOrder, ...]:
        """Those for what waits at the gateway."""
        return tuple(self._of.get(gateway, ()))

    def for_slice(
        self,
        gateway: str,
        account: str,
        contents: Iterable[Content],
        since_ms: int,
        in_force: Callable[[str], bool] = lambda _: True,
    ) -> WaitingOrder | None:
        """The order that the messages, of one slice, are done with by. One to a gateway that is not in force rests."""
        if gateway not in self._of:
            return None
        messages = tuple(contents)
        return next(
            (
                order
                for order in self._of[gateway]
                if all(order.concerns(account, content, since_ms) for content in messages)
                and (order.deed == "purge" or in_force(order.to))
            ),
            None,
        )
