"""What all connections of a server share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from chalicelib.domain.bind_event import BindEvent
from smpp_bridge.customers.application import Application
from smpp_bridge.customers.counts import CustomerCounts
from smpp_bridge.customers.door import Door
from smpp_bridge.customers.gate import Gate
from smpp_bridge.customers.line import SCRATCH_OCTETS
from smpp_bridge.customers.notices import Notices
from smpp_bridge.customers.places import Places
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock

TICK_SECONDS: Final = 0.5  # how fine timeouts are told

if TYPE_CHECKING:
    from smpp_bridge.customers.connection import Connection


@dataclass
class Shared:
    """`connections` are all that were let in, `places.held` those that are bound."""

    terms: CustomerTerms
    clock: Clock
    bridge: Callable[[], str]  # this process's name among the bridges, at present
    door: Door
    gate: Gate
    places: Places
    application: Application
    counts: CustomerCounts = field(default_factory=CustomerCounts)
    notices: Notices = field(default_factory=Notices)
    connections: set["Connection"] = field(default_factory=set)
    scratch: memoryview = field(default_factory=lambda: memoryview(bytearray(SCRATCH_OCTETS)))
    draining: bool = False
    note: Callable[[BindEvent], None] = lambda _: None  # for the bind log
