"""Who may send what in which session state: SMPP 3.4 section 2.3, table 2-1, as data."""

from enum import Enum
from typing import Final

from smpp_bridge.protocol.commands import CommandId


class Role(Enum):
    """The two ends of a session: the message centre, and the external entity that binds to it."""

    ESME = "esme"
    SMSC = "smsc"

    @property
    def peer(self) -> "Role":
        return Role.SMSC if self is Role.ESME else Role.ESME


class State(Enum):
    """Section 2.2; UNBOUND is between an answered unbind and the closing of the connection."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"


_OPEN = frozenset({State.OPEN})
_TX = frozenset({State.BOUND_TX, State.BOUND_TRX})
_RX = frozenset({State.BOUND_RX, State.BOUND_TRX})
BOUND_STATES: Final = _TX | _RX

_ESME = frozenset({Role.ESME})
_SMSC = frozenset({Role.SMSC})
_EITHER = _ESME | _SMSC

# command: (states in which it may be sent, roles that may send it)
OPERATIONS: Final[dict[CommandId, tuple[frozenset[State], frozenset[Role]]]] = {
    CommandId.BIND_TRANSMITTER: (_OPEN, _ESME),
    CommandId.BIND_TRANSMITTER_RESP: (_OPEN, _SMSC),
    CommandId.BIND_RECEIVER: (_OPEN, _ESME),
    CommandId.BIND_RECEIVER_RESP: (_OPEN, _SMSC),
    CommandId.BIND_TRANSCEIVER: (_OPEN, _ESME),
    CommandId.BIND_TRANSCEIVER_RESP: (_OPEN, _SMSC),
    CommandId.UNBIND: (BOUND_STATES, _EITHER),
    CommandId.UNBIND_RESP: (BOUND_STATES, _EITHER),
    CommandId.SUBMIT_SM: (_TX, _ESME),
    CommandId.SUBMIT_SM_RESP: (_TX, _SMSC),
    CommandId.SUBMIT_MULTI: (_TX, _ESME),
    CommandId.SUBMIT_MULTI_RESP: (_TX, _SMSC),
    CommandId.DATA_SM: (BOUND_STATES, _EITHER),
    CommandId.DATA_SM_RESP: (BOUND_STATES, _EITHER),
    CommandId.DELIVER_SM: (_RX, _SMSC),
    CommandId.DELIVER_SM_RESP: (_RX, _ESME),
    CommandId.QUERY_SM: (_TX, _ESME),
    CommandId.QUERY_SM_RESP: (_TX, _SMSC),
    CommandId.CANCEL_SM: (_TX, _ESME),
    CommandId.CANCEL_SM_RESP: (_TX, _SMSC),
    CommandId.REPLACE_SM: (_TX, _ESME),
    CommandId.REPLACE_SM_RESP: (_TX, _SMSC),
    CommandId.ENQUIRE_LINK: (BOUND_STATES, _EITHER),
    CommandId.ENQUIRE_LINK_RESP: (BOUND_STATES, _EITHER),
    CommandId.ALERT_NOTIFICATION: (_RX, _SMSC),
    # The table wants a bound session; but a bind that the peer cannot read is answered with it while still open.
    CommandId.GENERIC_NACK: (_OPEN | BOUND_STATES, _EITHER),
}

# What the owner of a session sends and waits for; the session sends and answers the rest itself.
APPLICATION_REQUESTS: Final = frozenset(
    int(command)
    for command in (
        CommandId.SUBMIT_SM,
        CommandId.SUBMIT_MULTI,
        CommandId.DELIVER_SM,
        CommandId.DATA_SM,
        CommandId.QUERY_SM,
        CommandId.CANCEL_SM,
        CommandId.REPLACE_SM,
    )
)

# What a bind makes of the session.
BOUND_BY: Final[dict[int, State]] = {
    CommandId.BIND_TRANSMITTER: State.BOUND_TX,
    CommandId.BIND_RECEIVER: State.BOUND_RX,
    CommandId.BIND_TRANSCEIVER: State.BOUND_TRX,
}


def permitted(role: Role, state: State) -> frozenset[int]:
    """The command_ids that `role` may send while the session is in `state`."""
    return _PERMITTED[role, state]


_PERMITTED: Final[dict[tuple[Role, State], frozenset[int]]] = {
    (role, state): frozenset(
        int(command) for command, (states, roles) in OPERATIONS.items() if state in states and role in roles
    )
    for role in Role
    for state in State
}
