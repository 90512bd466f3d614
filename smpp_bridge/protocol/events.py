"""What a session tells its owner: one struct a kind of happening, in the order in which they happened."""

from typing import Any

from msgspec import Struct

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.operations import State


class Bound(Struct, frozen=True):
    """The SMSC accepted our bind; `pdu` is its response."""

    state: State
    pdu: Pdu


class BindRefused(Struct, frozen=True):
    """The SMSC refused our bind with `status`; the session is still open and may bind again."""

    status: int


class Request(Struct, frozen=True):
    """The peer wants this; answer it with `Session.reply` (alert_notification has no answer)."""

    pdu: Pdu


class Response(Struct, frozen=True):
    """The answer to what was sent with `context`: its own response or a generic_nack, `pdu.status` says how it went."""

    pdu: Pdu
    context: Any


class Unanswered(Struct, frozen=True):
    """What was sent with `context` has no answer: in time, or before the session ended. It may have been taken."""

    context: Any
    reason: str


class Stray(Struct, frozen=True):
    """A response to nothing that waits: late, doubled, of another command, or of a sequence never sent."""

    pdu: Pdu


class Malformed(Struct, frozen=True):
    """A PDU that could not be read. A request is answered already; with a response comes its request's `context`,
    if there is one: like `Unanswered`, except that the peer did take it if `status` is 0 (its id is lost)."""

    command_id: int
    status: int
    error: ProtocolError
    context: Any = None


class NotPermitted(Struct, frozen=True):
    """The peer sent a request that its state or role does not allow; it is answered already."""

    pdu: Pdu
    command_status: int


class PeerUnbound(Struct, frozen=True):
    """The peer unbound. It is answered, and the state UNBOUND, once all its requests are: write the output, close."""


class Unbound(Struct, frozen=True):
    """The peer answered our unbind; close."""


class Closed(Struct, frozen=True):
    """The session is over: write what output there is, then close the connection. Always the last event."""

    reason: str


Event = (
    Bound
    | BindRefused
    | Request
    | Response
    | Unanswered
    | Stray
    | Malformed
    | NotPermitted
    | PeerUnbound
    | Unbound
    | Closed
)
