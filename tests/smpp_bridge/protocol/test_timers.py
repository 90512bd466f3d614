"""The session's timers, with time as an argument."""

from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.events import Closed, Unanswered
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.operations import Role, State
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
)
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.timers import Timers

TIMERS = Timers(session_init_seconds=5, enquire_link_seconds=30, inactivity_seconds=None, response_seconds=10)


def sent(session: Session) -> list[Pdu]:
    return [decode(frame) for frame in Framer().feed(session.take_output())]


def bound(timers: Timers = TIMERS, window: int = 10) -> Session:
    session = Session(Role.ESME, 0.0, timers=timers, window=window)
    session.bind(BindTransceiver(), 0.0)
    session.receive(encode(BindTransceiverResp(sequence=sent(session)[0].sequence)), 0.0)
    assert session.state is State.BOUND_TRX
    return session


def test_a_peer_that_never_binds_is_left() -> None:
    smsc = Session(Role.SMSC, 100.0, timers=TIMERS)
    assert smsc.next_deadline == 105.0
    assert smsc.tick(104.9) == []
    (closed,) = smsc.tick(105.0)
    assert isinstance(closed, Closed)
    assert smsc.next_deadline is None


def test_a_bind_that_is_never_answered_ends_the_session() -> None:
    esme = Session(Role.ESME, 0.0, timers=TIMERS)
    esme.bind(BindTransceiver(), 4.0)
    assert esme.tick(13.9) == []
    (closed,) = esme.tick(14.0)
    assert closed == Closed("no bind_transceiver_resp in 10 s")


def test_a_silent_peer_is_asked_and_left_if_it_does_not_answer() -> None:
    esme = bound()
    assert esme.next_deadline == 30.0
    assert esme.tick(30.0) == []
    assert isinstance(sent(esme)[0], EnquireLink)
    assert esme.next_deadline == 40.0
    assert esme.tick(39.0) == []
    assert sent(esme) == []
    assert esme.tick(40.0) == [Closed("no enquire_link_resp in 10 s")]


def test_an_answered_enquiry_starts_the_silence_anew() -> None:
    esme = bound()
    esme.tick(30.0)
    (enquiry,) = sent(esme)
    assert esme.receive(encode(EnquireLinkResp(sequence=enquiry.sequence)), 31.0) == []
    assert esme.next_deadline == 61.0


def test_a_peer_that_talks_is_not_dead_even_if_it_ignores_the_enquiry() -> None:
    esme = bound()
    esme.tick(30.0)
    esme.take_output()
    esme.receive(encode(EnquireLink(sequence=5)), 35.0)
    assert esme.tick(40.0) == []
    assert esme.next_deadline == 65.0


def test_unanswered_requests_are_given_up_in_the_order_of_their_sending() -> None:
    esme = bound()
    for second, context in enumerate("abc"):
        esme.send(SubmitSm(), context, float(second))
    esme.receive(encode(SubmitSmResp(sequence=3, message_id="1")), 3.0)
    assert esme.next_deadline == 10.0
    assert esme.tick(10.0) == [Unanswered("a", "no answer in 10 s")]
    assert esme.free_window == 9
    assert esme.next_deadline == 12.0
    assert esme.tick(20.0) == [Unanswered("c", "no answer in 10 s")]
    assert esme.state is State.BOUND_TRX


def test_a_deadline_is_met_when_ticked_at_it_whatever_the_rounding() -> None:
    for start in (0.1, 1e9 / 7, 123456.789):
        esme = bound(Timers(enquire_link_seconds=None, response_seconds=0.3))
        esme.send(SubmitSm(), "a", start)
        deadline = esme.next_deadline
        assert deadline is not None
        assert len(esme.tick(deadline)) == 1


def test_an_inactive_session_unbinds_and_enquiries_are_no_activity() -> None:
    esme = bound(Timers(enquire_link_seconds=30, inactivity_seconds=40, response_seconds=10))
    esme.tick(30.0)
    (enquiry,) = sent(esme)
    esme.receive(encode(EnquireLinkResp(sequence=enquiry.sequence)), 30.0)
    esme.tick(40.0)
    assert isinstance(sent(esme)[0], Unbind)
    assert esme.tick(50.0) == [Closed("no unbind_resp in 10 s")]


def test_octets_that_are_no_whole_pdu_are_no_sign_of_life() -> None:
    smsc = Session(Role.SMSC, 0.0, timers=TIMERS)
    smsc.receive(b"\0\0\0", 4.0)
    assert smsc.next_deadline == 5.0
    esme = bound()
    esme.receive(b"\0\0\0\x20", 29.0)
    assert esme.next_deadline == 30.0
