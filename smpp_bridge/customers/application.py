"""The seam between the SMPP server for customers and what their requests mean: the server knows sessions, the
application knows messages."""

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, Pdu
from smpp_bridge.protocol.status import Status

if TYPE_CHECKING:
    from chalicelib.domain.smpp_login import SmppLogin

RECEIVING: Final = frozenset({State.BOUND_RX, State.BOUND_TRX})
TRANSMITTING: Final = frozenset({State.BOUND_TX, State.BOUND_TRX})


class Answer(msgspec.Struct, frozen=True):
    """What a request is answered with: the command_status, and the response's fields by name (`message_id`; also
    `tlvs`, which are left off toward a 3.3 session)."""

    status: int = Status.OK
    fields: Mapping[str, Any] = {}


class Undelivered(Exception):
    """What was to be delivered has no answer. Whether the customer has it, nobody knows: it must come again."""


class Unanswered(Undelivered):
    """The customer left it unanswered for the response timer; the session is still there."""


class SessionGone(Undelivered):
    """The session ended before the answer, or had ended before it was sent."""


class BoundSession(Protocol):
    """One session of a customer, from its bind until it is gone. Compared and hashed by identity."""

    @property
    def id(self) -> str:
        """The session's own id (a ULID), for the log."""
        ...

    @property
    def login(self) -> "SmppLogin":
        """The login as it was a few seconds ago at most: its window and rate may change while the session lasts."""
        ...

    @property
    def account(self) -> str:
        """The id of the login's account."""
        ...

    @property
    def peer(self) -> str:
        """The address that it comes from."""
        ...

    @property
    def state(self) -> State:
        """BOUND_TX, BOUND_RX or BOUND_TRX; UNBOUND or CLOSED once it is going or gone."""
        ...

    @property
    def can_receive(self) -> bool:
        """Whether `deliver` has a chance: bound as receiver or transceiver, and not leaving."""
        ...

    @property
    def takes_tlvs(self) -> bool:
        """False toward interface_version 3.3 and older: long content must go in several deliver_sm."""
        ...

    @property
    def free_window(self) -> int:
        """How many `deliver` would go out at once now; 0 while the customer does not read."""
        ...

    def deliver(self, pdu: DeliverSm | DataSm) -> Awaitable[int]:
        """Send it, and wait for the command_status that the customer answers with (0: it has it; generic_nack counts
        as ESME_RSYSERR where its status says nothing).

        Goes out in the order of calls: at once where the window has room, else as soon as it has. `pdu.sequence` is
        the session's to set, TLVs are left off toward 3.3. Call it from the event loop's thread; awaiting may be left
        for later, canceling what is not yet sent takes it back.

        Raises SessionGone or Unanswered (when awaited); ProtocolError at once where the PDU cannot be encoded.
        """
        ...


class Application(Protocol):
    """What the server tells. All is called on the event loop's thread and must not block it."""

    def on_bound(self, bound: BoundSession) -> None:
        """The session is bound, and its bind is answered."""
        ...

    def on_request(self, bound: BoundSession, request: Pdu) -> Awaitable[Answer]:
        """A SubmitSm, SubmitMulti, DataSm, QuerySm, CancelSm or ReplaceSm that the session's state allows.

        The answers may come in any order. No more than the login's window wait for one: then the server reads no
        further from that session. So it must be bounded in time. An exception is logged and answered ESME_RSYSERR.
        An `async def` serves; a future is cheaper than a coroutine, and is used as it is.
        """
        ...

    def on_gone(self, bound: BoundSession) -> None:
        """The session is over: what still waits for its answer there will not be heard, what `deliver` has under way
        raises SessionGone. Called once for each `on_bound`."""
        ...

    async def stop(self) -> None:
        """The server has no session any more: send what is gathered, stop what runs by itself."""
        ...
