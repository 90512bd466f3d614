"""An SMSC's session bounds what its peer may have under way, and answers it all before it lets the peer go."""

import pytest

from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.errors import SessionError
from smpp_bridge.protocol.events import Closed, NotPermitted, PeerUnbound, Request
from smpp_bridge.protocol.framing import MAX_BIND_OCTETS
from smpp_bridge.protocol.operations import Role
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status
from tests.smpp_bridge.protocol.sessions import bound_smsc, sent


def submits(*numbers: int) -> bytes:
    return b"".join(encode(SubmitSm(sequence=number)) for number in numbers)


def sequences(events: list[object]) -> list[int]:
    return [event.pdu.sequence for event in events if isinstance(event, Request)]


def test_no_more_requests_are_taken_than_may_wait_and_the_rest_comes_in_order_as_answers_go_out() -> None:
    smsc = bound_smsc()
    smsc.max_requests = 2
    first = smsc.receive(submits(1, 2, 3) + encode(EnquireLink(sequence=4)) + submits(5), 1.0)
    assert sequences([*first]) == [1, 2]
    assert smsc.has_arrivals
    assert sent(smsc) == []  # the enquiry waits for its turn
    one, two = (event.pdu for event in first if isinstance(event, Request))
    smsc.reply(two, message_id="b")
    assert sequences([*smsc.receive(b"", 1.0)]) == [3]
    smsc.reply(one, message_id="a")
    assert sequences([*smsc.receive(b"", 1.0)]) == [5]
    assert [type(pdu) for pdu in sent(smsc)] == [SubmitSmResp, SubmitSmResp, EnquireLinkResp]
    assert not smsc.has_arrivals


def test_a_length_that_cannot_be_ends_the_session_only_once_all_before_it_is_taken() -> None:
    smsc = bound_smsc()
    smsc.max_requests = 1
    (event,) = smsc.receive(submits(1, 2) + b"\xff\xff\xff\xff", 1.0)
    assert isinstance(event, Request)
    smsc.reply(event.pdu, message_id="a")
    events = smsc.receive(b"", 1.0)
    assert isinstance(events[0], Request)
    assert isinstance(events[-1], Closed)


def test_an_unbind_is_answered_behind_the_answers_to_all_that_was_asked_before() -> None:
    smsc = bound_smsc()
    first, second, unbound = smsc.receive(submits(1, 2) + encode(Unbind(sequence=3)), 1.0)
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert unbound == PeerUnbound()
    assert smsc.state.value == "bound_trx"
    assert smsc.free_window == 0
    with pytest.raises(SessionError):
        smsc.send(DeliverSm(), None, 1.0)
    (refused,) = smsc.receive(submits(4), 1.0)
    assert isinstance(refused, NotPermitted)
    smsc.take_output()
    smsc.reply(second.pdu, message_id="b")
    assert [pdu.sequence for pdu in sent(smsc)] == [2]
    smsc.reply(first.pdu, message_id="a")
    assert sent(smsc) == [SubmitSmResp(sequence=1, message_id="a"), UnbindResp(sequence=3)]
    assert smsc.state.value == "unbound"


def test_who_is_not_bound_is_not_listened_to_at_length() -> None:
    smsc = Session(Role.SMSC, 0.0)
    events = smsc.receive((MAX_BIND_OCTETS + 1).to_bytes(4), 0.0)
    assert isinstance(events[-1], Closed)
    assert sent(smsc) == [GenericNack(status=Status.INVALID_COMMAND_LENGTH)]


def test_once_bound_the_limit_is_the_one_that_was_set() -> None:
    smsc = Session(Role.SMSC, 0.0, max_pdu_octets=1_000)
    (event,) = smsc.receive(encode(BindTransceiver(sequence=1)), 0.0)
    assert isinstance(event, Request)
    smsc.reply(event.pdu)
    assert smsc.receive((1_000).to_bytes(4) + b"\0" * 20, 0.0) == []
    again = bound_smsc()
    assert again.receive((70_000).to_bytes(4) + b"\0" * 20, 0.0) == []
    assert isinstance(smsc.receive(b"\0" * 976 + (1_001).to_bytes(4), 0.0)[-1], Closed)
