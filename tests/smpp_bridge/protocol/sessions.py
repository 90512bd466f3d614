"""Sessions for the tests, bound already."""

from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.events import (
    Bound,
    Request,
    Stray,
)
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.operations import Role, State
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    Pdu,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.session import Session


def sent(session: Session) -> list[Pdu]:
    return [decode(frame) for frame in Framer().feed(session.take_output())]


def bound_esme(*, window: int = 10, first_sequence: int = 1) -> Session:
    session = Session(Role.ESME, 0.0, window=window, first_sequence=first_sequence)
    session.bind(BindTransceiver(system_id="demo", password="demo"), 0.0)
    (request,) = sent(session)
    events = session.receive(encode(SubmitSmResp(sequence=999)), 0.0)
    assert isinstance(events[0], Stray)
    answer = BindTransceiverResp(sequence=request.sequence, system_id="smsc")
    assert session.receive(encode(answer), 0.0) == [Bound(State.BOUND_TRX, answer)]
    return session


def bound_smsc() -> Session:
    session = Session(Role.SMSC, 0.0)
    (event,) = session.receive(encode(BindTransceiver(sequence=1, system_id="demo")), 0.0)
    assert isinstance(event, Request)
    assert session.reply(event.pdu, system_id="smsc")
    session.take_output()
    return session


def message(text: bytes = b"hola") -> SubmitSm:
    return SubmitSm(destination_addr="5215512345678", short_message=text)
