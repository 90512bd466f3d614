"""Each command in each state, from either side, held against SMPP 3.4 section 2.3."""

import pytest

from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.errors import SessionError
from smpp_bridge.protocol.events import NotPermitted, PeerUnbound, Request, Stray
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.multi import Destination
from smpp_bridge.protocol.operations import APPLICATION_REQUESTS, Role, State, permitted
from smpp_bridge.protocol.pdu import (
    PDUS,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Pdu,
    SubmitMulti,
    Unbind,
)
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

C = CommandId
# Table 2-1 as its rows stand, written again: O open, T, R and X bound as transmitter, receiver, transceiver.
TABLE = {
    C.BIND_TRANSMITTER: ("O", "esme"),
    C.BIND_TRANSMITTER_RESP: ("O", "smsc"),
    C.BIND_RECEIVER: ("O", "esme"),
    C.BIND_RECEIVER_RESP: ("O", "smsc"),
    C.BIND_TRANSCEIVER: ("O", "esme"),
    C.BIND_TRANSCEIVER_RESP: ("O", "smsc"),
    C.UNBIND: ("TRX", "esme smsc"),
    C.UNBIND_RESP: ("TRX", "esme smsc"),
    C.SUBMIT_SM: ("TX", "esme"),
    C.SUBMIT_SM_RESP: ("TX", "smsc"),
    C.SUBMIT_MULTI: ("TX", "esme"),
    C.SUBMIT_MULTI_RESP: ("TX", "smsc"),
    C.DATA_SM: ("TRX", "esme smsc"),
    C.DATA_SM_RESP: ("TRX", "esme smsc"),
    C.DELIVER_SM: ("RX", "smsc"),
    C.DELIVER_SM_RESP: ("RX", "esme"),
    C.QUERY_SM: ("TX", "esme"),
    C.QUERY_SM_RESP: ("TX", "smsc"),
    C.CANCEL_SM: ("TX", "esme"),
    C.CANCEL_SM_RESP: ("TX", "smsc"),
    C.REPLACE_SM: ("TX", "esme"),
    C.REPLACE_SM_RESP: ("TX", "smsc"),
    C.ENQUIRE_LINK: ("TRX", "esme smsc"),
    C.ENQUIRE_LINK_RESP: ("TRX", "esme smsc"),
    C.ALERT_NOTIFICATION: ("RX", "smsc"),
    C.GENERIC_NACK: ("OTRX", "esme smsc"),
}
LETTERS = {State.OPEN: "O", State.BOUND_TX: "T", State.BOUND_RX: "R", State.BOUND_TRX: "X"}
BINDS: dict[State, type[Bind]] = {
    State.BOUND_TX: BindTransmitter,
    State.BOUND_RX: BindReceiver,
    State.BOUND_TRX: BindTransceiver,
}
EACH = [(role, state, command) for role in Role for state in State for command in C]


def pdu_of(command: CommandId) -> Pdu:
    if command is C.SUBMIT_MULTI:
        return SubmitMulti(destinations=(Destination("34600000001"),))
    return PDUS[command]()


def session_in(role: Role, state: State) -> Session:
    esme, smsc = Session(Role.ESME, 0.0), Session(Role.SMSC, 0.0)
    session = esme if role is Role.ESME else smsc
    if state is State.CLOSED:
        session.close("for the test")
        return session
    if state is not State.OPEN:
        esme.bind(BINDS.get(state, BindTransceiver)(), 0.0)
        (event,) = smsc.receive(esme.take_output(), 0.0)
        assert isinstance(event, Request)
        smsc.reply(event.pdu)
        esme.receive(smsc.take_output(), 0.0)
    if state is State.UNBOUND:
        session.receive(encode(Unbind(sequence=9)), 0.0)
    session.take_output()
    assert session.state is state
    return session


def allowed(role: Role, state: State, command: CommandId) -> bool:
    states, roles = TABLE[command]
    return LETTERS.get(state, "-") in states and role.value in roles


@pytest.mark.parametrize(("role", "state", "command"), EACH)
def test_the_matrix_is_that_of_the_specification(role: Role, state: State, command: CommandId) -> None:
    assert (command in permitted(role, state)) is allowed(role, state, command)


@pytest.mark.parametrize(("role", "state", "command"), EACH)
def test_a_session_takes_what_the_peer_may_send_and_refuses_all_else(
    role: Role, state: State, command: CommandId
) -> None:
    session = session_in(role, state)
    pdu = pdu_of(command)
    pdu.sequence = 77
    events = session.receive(encode(pdu), 0.0)
    answers = [decode(frame) for frame in Framer().feed(session.take_output())]
    if state is State.CLOSED:
        assert (events, answers) == ([], [])
    elif command & RESPONSE_BIT:
        assert (events, answers) == ([Stray(pdu)], [])
    elif not allowed(role.peer, state, command):
        (event,) = events
        assert isinstance(event, NotPermitted)
        (answer,) = answers
        already = issubclass(PDUS[command], Bind) and state in BINDS
        assert answer.status == (Status.ALREADY_BOUND if already else Status.INVALID_BIND_STATUS)
        assert answer.sequence == 77
    elif command == C.ENQUIRE_LINK:
        assert (events, [a.command_id for a in answers]) == ([], [C.ENQUIRE_LINK_RESP])
    elif command == C.UNBIND:
        assert (events, [a.command_id for a in answers]) == ([PeerUnbound()], [C.UNBIND_RESP])
    else:
        assert (events, answers) == ([Request(pdu)], [])


@pytest.mark.parametrize(("role", "state", "command"), EACH)
def test_a_session_sends_only_what_its_role_and_state_allow(role: Role, state: State, command: CommandId) -> None:
    session = session_in(role, state)
    if command in APPLICATION_REQUESTS and allowed(role, state, command):
        session.send(pdu_of(command), None, 0.0)
        assert session.take_output()
    else:
        with pytest.raises(SessionError):
            session.send(pdu_of(command), None, 0.0)
        assert session.take_output() == b""
