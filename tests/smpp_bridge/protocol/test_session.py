"""The session's conversation: window, sequence numbers, correlation, hostile peers."""

import pytest

from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.errors import ProtocolError, SessionError
from smpp_bridge.protocol.events import (
    BindRefused,
    Bound,
    NotPermitted,
    PeerUnbound,
    Request,
    Response,
    Unbound,
)
from smpp_bridge.protocol.operations import Role, State
from smpp_bridge.protocol.pdu import (
    AlertNotification,
    BindTransceiver,
    BindTransmitter,
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
from tests.smpp_bridge.protocol.sessions import bound_esme, bound_smsc, message, sent


def test_two_sessions_bind_submit_and_deliver_a_receipt_to_each_other() -> None:
    esme, smsc = Session(Role.ESME, 0.0), Session(Role.SMSC, 0.0)
    esme.bind(BindTransceiver(system_id="demo", password="secret"), 0.0)
    (bind,) = smsc.receive(esme.take_output(), 0.0)
    assert isinstance(bind, Request)
    assert isinstance(bind.pdu, BindTransceiver)
    assert (bind.pdu.system_id, bind.pdu.password) == ("demo", "secret")
    smsc.reply(bind.pdu, system_id="smsc")
    (bound,) = esme.receive(smsc.take_output(), 0.0)
    assert isinstance(bound, Bound)
    assert esme.state is smsc.state is State.BOUND_TRX

    esme.send(message(), "context", 1.0)
    (submit,) = smsc.receive(esme.take_output(), 1.0)
    assert isinstance(submit, Request)
    assert smsc.requests_waiting == 1
    smsc.reply(submit.pdu, message_id="a1")
    assert smsc.requests_waiting == 0
    smsc.send(DeliverSm(short_message=b"id:a1"), "receipt", 1.0)
    response, receipt = esme.receive(smsc.take_output(), 1.0)
    assert isinstance(response, Response)
    assert isinstance(response.pdu, SubmitSmResp)
    assert (response.pdu.message_id, response.context) == ("a1", "context")
    assert isinstance(receipt, Request)
    esme.reply(receipt.pdu)
    (acknowledged,) = smsc.receive(esme.take_output(), 1.0)
    assert isinstance(acknowledged, Response)
    assert acknowledged.context == "receipt"

    esme.unbind(2.0)
    assert smsc.receive(esme.take_output(), 2.0) == [PeerUnbound()]
    assert esme.receive(smsc.take_output(), 2.0) == [Unbound()]
    assert [esme.state, smsc.state] == [State.UNBOUND, State.UNBOUND]


def test_a_refused_bind_leaves_the_session_open_to_try_again() -> None:
    esme, smsc = Session(Role.ESME, 0.0), Session(Role.SMSC, 0.0)
    for _ in range(2):
        esme.bind(BindTransmitter(system_id="demo"), 0.0)
        (bind,) = smsc.receive(esme.take_output(), 0.0)
        assert isinstance(bind, Request)
        smsc.reply(bind.pdu, Status.INVALID_PASSWORD)
        assert esme.receive(smsc.take_output(), 0.0) == [BindRefused(Status.INVALID_PASSWORD)]
        assert esme.state is smsc.state is State.OPEN


def test_a_bind_that_the_smsc_cannot_read_is_refused_by_its_generic_nack() -> None:
    esme = Session(Role.ESME, 0.0)
    esme.bind(BindTransceiver(), 0.0)
    (bind,) = sent(esme)
    nack = GenericNack(sequence=bind.sequence, status=Status.INVALID_COMMAND_ID)
    assert esme.receive(encode(nack), 0.0) == [BindRefused(Status.INVALID_COMMAND_ID)]


def test_the_window_holds_as_many_unanswered_requests_as_it_says() -> None:
    esme = bound_esme(window=2)
    first = esme.send(message(), "a", 1.0)
    esme.send(message(), "b", 1.0)
    assert esme.free_window == 0
    with pytest.raises(SessionError):
        esme.send(message(), "c", 1.0)
    assert len(sent(esme)) == 2
    esme.receive(encode(SubmitSmResp(sequence=first, message_id="1")), 1.0)
    assert esme.free_window == 1


def test_enquiries_do_not_take_room_in_the_window() -> None:
    esme = bound_esme(window=1)
    esme.tick(30.0)
    assert isinstance(sent(esme)[0], EnquireLink)
    assert esme.free_window == 1


def test_sequence_numbers_wrap_to_one_and_leave_out_those_still_waiting() -> None:
    esme = bound_esme(first_sequence=0x7FFFFFFE)
    assert [esme.send(message(), n, 1.0) for n in range(3)] == [0x7FFFFFFF, 1, 2]
    again = bound_esme(first_sequence=1)
    again._window._last_sequence = 0x7FFFFFFF
    assert again.send(message(), "a", 1.0) == 1
    again._window._last_sequence = 0x7FFFFFFF
    assert again.send(message(), "b", 1.0) == 2


def test_responses_find_their_requests_in_any_order() -> None:
    esme = bound_esme()
    numbers = [esme.send(message(), context, 1.0) for context in "abc"]
    answers = b"".join(encode(SubmitSmResp(sequence=n, message_id=str(n))) for n in reversed(numbers))
    events = esme.receive(answers, 1.0)
    assert [event.context for event in events if isinstance(event, Response)] == ["c", "b", "a"]


def test_a_generic_nack_answers_the_request_that_it_names() -> None:
    esme = bound_esme()
    number = esme.send(message(), "a", 1.0)
    nack = GenericNack(sequence=number, status=Status.SYSTEM_ERROR)
    assert esme.receive(encode(nack), 1.0) == [Response(nack, "a")]


def test_an_answer_after_the_end_goes_nowhere() -> None:
    smsc = bound_smsc()
    (submit,) = smsc.receive(encode(SubmitSm(sequence=7)), 1.0)
    assert isinstance(submit, Request)
    smsc.close("reset by peer")
    assert smsc.reply(submit.pdu, message_id="1") is False
    assert smsc.take_output() == b""


def test_an_alert_notification_is_told_and_never_answered() -> None:
    esme = bound_esme()
    alert = AlertNotification(sequence=9, source_addr="525512345678")
    assert esme.receive(encode(alert), 1.0) == [Request(alert)]
    assert esme.requests_waiting == 0
    assert esme.take_output() == b""


def test_a_second_bind_is_refused_both_while_the_first_waits_and_after_it() -> None:
    smsc = Session(Role.SMSC, 0.0)
    (first,) = smsc.receive(encode(BindTransceiver(sequence=1)), 0.0)
    assert isinstance(first, Request)
    for sequence in (2, 3):
        (event,) = smsc.receive(encode(BindTransmitter(sequence=sequence)), 0.0)
        assert isinstance(event, NotPermitted)
        assert event.command_status == Status.ALREADY_BOUND
        if sequence == 2:
            smsc.reply(first.pdu, system_id="smsc")


def test_nothing_is_sent_after_our_unbind_but_answers_still_come_in() -> None:
    esme = bound_esme()
    number = esme.send(message(), "a", 1.0)
    esme.unbind(1.0)
    unbind = sent(esme)[-1]
    assert isinstance(unbind, Unbind)
    assert esme.free_window == 0
    with pytest.raises(SessionError):
        esme.send(message(), "b", 1.0)
    answers = encode(SubmitSmResp(sequence=number, message_id="1")) + encode(UnbindResp(sequence=unbind.sequence))
    response, unbound = esme.receive(answers, 1.0)
    assert isinstance(response, Response)
    assert unbound == Unbound()


def test_what_cannot_be_encoded_is_not_sent_and_takes_no_room() -> None:
    esme = bound_esme(window=1)
    with pytest.raises(ProtocolError):
        esme.send(SubmitSm(destination_addr="5" * 21), "a", 1.0)
    assert esme.free_window == 1
    assert esme.take_output() == b""


def test_an_enquiry_is_answered_with_its_own_number() -> None:
    smsc = bound_smsc()
    assert smsc.receive(encode(EnquireLink(sequence=77)), 1.0) == []
    assert sent(smsc) == [EnquireLinkResp(sequence=77)]
