"""Peers that answer wrongly, twice, or with garbage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.errors import SessionError
from smpp_bridge.protocol.events import (
    Closed,
    Event,
    Malformed,
    Request,
    Response,
    Stray,
    Unanswered,
)
from smpp_bridge.protocol.operations import Role, State
from smpp_bridge.protocol.pdu import (
    PDUS,
    DeliverSmResp,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status
from tests.smpp_bridge.protocol.sessions import bound_esme, bound_smsc, message, sent


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        ("never sent", SubmitSmResp(sequence=4711, message_id="1")),
        ("of another command", DeliverSmResp(sequence=2)),
        ("nack of sequence 0", GenericNack(status=Status.INVALID_COMMAND_LENGTH)),
    ],
)
def test_a_response_that_nobody_waits_for_is_stray_and_the_request_waits_on(case: str, answer: Pdu) -> None:
    esme = bound_esme()
    assert esme.send(message(), "a", 1.0) == 2
    assert esme.receive(encode(answer), 1.0) == [Stray(answer)]
    assert esme.free_window == 9
    assert esme.take_output() != b""


def test_the_second_of_two_responses_is_stray() -> None:
    esme = bound_esme()
    answer = SubmitSmResp(sequence=esme.send(message(), "a", 1.0), message_id="1")
    first, second = esme.receive(encode(answer) * 2, 1.0)
    assert isinstance(first, Response)
    assert second == Stray(answer)


def test_an_unreadable_response_gives_its_request_back() -> None:
    esme = bound_esme()
    number = esme.send(message(), "a", 1.0)
    esme.take_output()
    (event,) = esme.receive(b"\0\0\0\x11\x80\0\0\4\0\0\0\0" + number.to_bytes(4) + b"x", 1.0)
    assert isinstance(event, Malformed)
    assert (event.context, event.status) == ("a", 0)
    assert esme.free_window == 10
    assert esme.take_output() == b""  # a response is never answered


def test_an_unreadable_request_is_answered_by_its_response_with_the_status() -> None:
    smsc = bound_smsc()
    frame = encode(SubmitSm(sequence=7, short_message=b"hola"))
    cut = len(frame) - 1
    (event,) = smsc.receive(cut.to_bytes(4) + frame[4:-1], 1.0)
    assert isinstance(event, Malformed)
    assert sent(smsc) == [SubmitSmResp(sequence=7, status=Status.INVALID_MESSAGE_LENGTH)]
    assert smsc.state is State.BOUND_TRX


def test_an_unknown_command_gets_a_generic_nack() -> None:
    smsc = bound_smsc()
    (event,) = smsc.receive(b"\0\0\0\x10\0\0\0\x99\0\0\0\0\0\0\0\5", 1.0)
    assert isinstance(event, Malformed)
    assert sent(smsc) == [GenericNack(sequence=5, status=Status.INVALID_COMMAND_ID)]


def test_an_impossible_length_ends_the_session_after_what_came_before_it() -> None:
    smsc = bound_smsc()
    events = smsc.receive(encode(SubmitSm(sequence=7)) + b"\xff\xff\xff\xff", 1.0)
    assert isinstance(events[0], Request)
    assert isinstance(events[-1], Closed)
    assert sent(smsc) == [GenericNack(status=Status.INVALID_COMMAND_LENGTH)]
    assert smsc.receive(b"\0\0\0\x10", 1.0) == []


def test_a_lost_connection_gives_every_unanswered_request_back_in_order_and_closes_last() -> None:
    esme = bound_esme()
    for context in "abc":
        esme.send(message(), context, 1.0)
    events: list[Event] = esme.close("reset by peer")
    assert events == [*(Unanswered(c, "reset by peer") for c in "abc"), Closed("reset by peer")]
    assert esme.close("again") == []
    with pytest.raises(SessionError):
        esme.send(message(), "d", 2.0)


@given(st.lists(st.tuples(st.sampled_from([*PDUS, 0x99, 0x80000099]), st.binary(max_size=40)), max_size=10))
@settings(max_examples=200, deadline=None)
def test_no_garbage_makes_a_session_raise_or_lose_count(frames: list[tuple[int, bytes]]) -> None:
    stream = b"".join(
        (16 + len(body)).to_bytes(4) + command_id.to_bytes(4) + b"\0\0\0\0\0\0\0\2" + body
        for command_id, body in frames
    )
    for session in (bound_esme(), bound_smsc(), Session(Role.SMSC, 0.0), Session(Role.ESME, 0.0)):
        contexts = {"a"} if session.role is Role.ESME and session.state is State.BOUND_TRX else set()
        for context in contexts:
            session.send(message(), context, 0.0)
        events = [*session.receive(stream, 1.0), *session.tick(1e6), *session.close("end")]
        given_back = [e.context for e in events if isinstance(e, Response | Unanswered)]
        given_back += [e.context for e in events if isinstance(e, Malformed) and e.context is not None]
        assert given_back == list(contexts)
        assert sum(isinstance(e, Closed) for e in events) == 1
        assert session.state is State.CLOSED
