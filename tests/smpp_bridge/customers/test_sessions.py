"""A bound session's life: requests and their answers, timers both ways, unbinds both ways."""

import asyncio
import logging
from typing import Any

import pytest
from msgspec.structs import replace

from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.commands import CommandId
from smpp_bridge.protocol.pdu import (
    PDUS,
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from smpp_bridge.protocol.status import Status
from tests.smpp_bridge.customers.world import QUICK, Application, Memory, Raw, login, run, serving, submits, until
from tests.smpp_bridge.protocol.test_operations import pdu_of


async def bound(world: Any, kind: type[Bind] = BindTransceiver, **fields: Any) -> Raw:
    raw = await Raw.connected(world.port)
    answer = await raw.bind(kind, **fields)
    assert answer.status == Status.OK
    return raw


def test_submits_are_answered_in_whatever_order_the_application_answers() -> None:
    async def main() -> None:
        async with serving() as world:
            first = asyncio.Event()

            class Slow(Application):
                async def _answer(self, request: Pdu) -> Answer:
                    if request.sequence == 2:
                        await first.wait()
                    return self.answer(request)

            world.server.shared.application = Slow()
            raw = await bound(world)
            raw.say(submits(2))
            assert await raw.next() == SubmitSmResp(sequence=3, message_id="msg_3")
            first.set()
            assert await raw.next() == SubmitSmResp(sequence=2, message_id="msg_2")

    run(main())


def test_no_more_than_the_window_is_with_the_application_and_all_is_answered_in_the_end() -> None:
    async def main() -> None:
        async with serving(login(window=3)) as world:
            world.application.held = asyncio.Event()
            raw = await bound(world)
            raw.say(submits(50), EnquireLink(sequence=90))
            await until(lambda: len(world.application.requests) == 3)
            await asyncio.sleep(0.02)
            assert len(world.application.requests) == 3
            world.application.held.set()
            answers = [await raw.next() for _ in range(51)]
            assert sorted(pdu.sequence for pdu in answers if isinstance(pdu, SubmitSmResp)) == list(range(2, 52))
            assert EnquireLinkResp(sequence=90) in answers[-3:]  # in its turn

    run(main())


def test_a_client_that_asks_faster_than_some_times_its_rate_is_read_at_that_pace() -> None:
    async def main() -> None:
        async with serving(login(per_second=1.0, window=1_000)) as world:
            raw = await bound(world)
            raw.say(submits(1_000))  # one read takes 16 KiB of it, a little over 200
            await until(lambda: len(world.application.requests) >= 100)
            await asyncio.sleep(0.05)
            taken = len(world.application.requests)
            assert taken < 400
            assert world.counts.pauses > 0
            for _ in range(20):
                world.turn(0.5)
                await asyncio.sleep(0.001)
            await until(lambda: len(world.application.requests) == 1_000)
            answers = [await raw.next() for _ in range(1_000)]
            assert None not in answers

    run(main())


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        ("raises", None),
        ("cannot be encoded", Answer(fields={"message_id": "x" * 65})),
        ("names no field", Answer(fields={"nonsense": 1})),
    ],
)
def test_a_request_that_the_application_fails_at_is_answered_with_a_system_error(
    case: str, answer: Answer | None, caplog: pytest.LogCaptureFixture
) -> None:
    def answers(pdu: Pdu) -> Answer:
        if answer is None:
            raise RuntimeError("a mistake of ours")
        return answer

    async def main() -> None:
        async with serving() as world:
            world.application.answer = answers
            raw = await bound(world)
            raw.say(submits(1))
            assert await raw.next() == SubmitSmResp(sequence=2, status=Status.SYSTEM_ERROR)
            world.application.answer = lambda pdu: Answer(Status.THROTTLED)
            raw.say(submits(1, first=3))
            assert await raw.next() == SubmitSmResp(sequence=3, status=Status.THROTTLED)

    run(main())
    assert caplog.records


# What an ESME may ask in which state, by the letters of SMPP 3.4's table 2-1; the rest is refused.
MATRIX = {
    CommandId.SUBMIT_SM: "TX",
    CommandId.SUBMIT_MULTI: "TX",
    CommandId.DATA_SM: "TRX",
    CommandId.QUERY_SM: "TX",
    CommandId.CANCEL_SM: "TX",
    CommandId.REPLACE_SM: "TX",
    CommandId.ENQUIRE_LINK: "TRX",
    CommandId.DELIVER_SM: "",
    CommandId.ALERT_NOTIFICATION: "",
    CommandId.BIND_TRANSMITTER: "",
    CommandId.BIND_RECEIVER: "",
    CommandId.BIND_TRANSCEIVER: "",
}


@pytest.mark.parametrize(("letter", "kind"), [("T", BindTransmitter), ("R", BindReceiver), ("X", BindTransceiver)])
def test_each_command_in_each_bound_state_reaches_the_application_or_is_refused(letter: str, kind: type[Bind]) -> None:
    async def main() -> None:
        async with serving() as world:
            world.application.answer = lambda pdu: Answer(Status.QUEUE_FULL)
            raw = await bound(world, kind)
            for number, (command, letters) in enumerate(MATRIX.items(), 100):
                request = pdu_of(command)
                request.sequence = number
                raw.say(request)
                answer = await raw.next()
                assert answer is not None
                assert answer.sequence == number
                if command == CommandId.ENQUIRE_LINK:
                    assert answer == EnquireLinkResp(sequence=number)
                elif letter in letters:
                    assert (answer.status, type(answer)) == (Status.QUEUE_FULL, PDUS[command | 0x80000000])
                    assert world.application.requests[-1] == decode(encode(request))
                else:
                    again = issubclass(PDUS[command], Bind)
                    assert answer.status == (Status.ALREADY_BOUND if again else Status.INVALID_BIND_STATUS)
            served = sum(letter in letters for letters in MATRIX.values()) - 1
            assert len(world.application.requests) == served

    run(main())


@pytest.mark.parametrize("command", [command for command in MATRIX if "BIND" not in command.name])
def test_who_is_not_bound_is_refused_everything_but_a_bind(command: CommandId) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            request = pdu_of(command)
            request.sequence = 7
            raw.say(request)
            answer = await raw.next()
            assert answer is not None
            assert (answer.status, answer.sequence) == (Status.INVALID_BIND_STATUS, 7)
            assert (await raw.bind()).status == Status.OK

    run(main())


def test_what_cannot_be_read_is_answered_and_the_session_goes_on() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await bound(world)
            raw.say(b"\0\0\0\x10\0\0\0\x99\0\0\0\0\0\0\0\5")
            assert await raw.next() == GenericNack(sequence=5, status=Status.INVALID_COMMAND_ID)
            raw.say(b"\0\0\0\x12\0\0\0\4\0\0\0\0\0\0\0\6xx")
            answer = await raw.next()
            assert isinstance(answer, SubmitSmResp)
            assert answer.status == Status.INVALID_COMMAND_LENGTH
            raw.say(submits(1, first=7))
            assert await raw.next() == SubmitSmResp(sequence=7, message_id="msg_7")

    run(main())


# --- the end


def test_a_customer_that_unbinds_gets_the_answers_it_is_owed_first_and_frees_its_place() -> None:
    async def main() -> None:
        async with serving() as world:
            world.application.held = asyncio.Event()
            raw = await bound(world)
            raw.say(submits(2), Unbind(sequence=9))
            await until(lambda: len(world.application.requests) == 2)
            world.application.held.set()
            answers = [await raw.next() for _ in range(3)]
            assert [type(pdu) for pdu in answers] == [SubmitSmResp, SubmitSmResp, UnbindResp]
            assert await raw.hung_up()
            await until(lambda: world.door.connections == 0 and not world.platform.places["demo"])
            assert world.application.gone == world.application.bound
            assert not world.application.gone[0].can_receive

    run(main())


def test_what_is_under_way_when_a_connection_breaks_is_let_finish_and_told_once_as_gone() -> None:
    async def main() -> None:
        async with serving() as world:
            world.application.held = asyncio.Event()
            raw = await bound(world)
            raw.say(submits(2))
            await until(lambda: len(world.application.requests) == 2)
            raw.writer.transport.abort()
            await until(lambda: world.application.gone)
            world.application.held.set()
            await asyncio.sleep(0.02)
            assert len(world.application.gone) == 1

    run(main())


def test_a_session_that_an_administrator_wants_gone_is_unbound_at_its_next_beat() -> None:
    async def main() -> None:
        async with serving() as world:
            raw, other = await bound(world), await bound(world)
            world.platform.asked.add(world.application.bound[0].id)
            await world.server.shared.places.beat()
            unbind = await raw.next()
            assert isinstance(unbind, Unbind)
            raw.say(UnbindResp(sequence=unbind.sequence))
            assert await raw.hung_up()
            await until(lambda: len(world.platform.places["demo"]) == 1)
            other.say(submits(1))
            assert isinstance(await other.next(), SubmitSmResp)

    run(main())


@pytest.mark.parametrize("change", ["suspended", "closed", "account closed"])
def test_sessions_of_a_login_that_no_longer_stands_are_unbound_within_a_few_beats(change: str) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await bound(world)
            if change == "account closed":
                world.platform.accounts["acc_1"] = replace(world.platform.accounts["acc_1"], state="closed")
            else:
                world.platform.change(state=change)
            for _ in range(3):
                await world.server.shared.places.beat()
            assert isinstance(await raw.next(), Unbind)

    run(main())


def test_a_changed_login_counts_for_sessions_that_are_bound_already() -> None:
    async def main() -> None:
        async with serving(login(window=1)) as world:
            raw = await bound(world)
            (session,) = world.application.bound
            assert session.free_window == 1
            world.platform.change(window=7, per_second=9.0)
            for _ in range(3):
                await world.server.shared.places.beat()
            assert (session.free_window, session.login.per_second) == (7, 9.0)
            raw.close()

    run(main())


def test_beats_tell_what_a_session_has_carried_and_trouble_with_them_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await bound(world)
            world.application.answer = lambda pdu: Answer(Status.THROTTLED if pdu.sequence == 4 else Status.OK)
            raw.say(submits(3))
            for _ in range(3):
                await raw.next()
            world.turn(2.0)
            await world.server.shared.places.beat()
            _, traffic = world.platform.beats[-1]
            assert (traffic.submits, traffic.throttled, traffic.submits_per_second) == (2, 1, 1.0)
            world.platform.unwell = True
            await world.server.shared.places.beat()
            assert world.counts.failed_beats == 1
            world.platform.unwell = False
            raw.say(submits(1, first=9))
            assert isinstance(await raw.next(), SubmitSmResp)

    run(main())
    assert "cannot keep a session's place" in caplog.messages


def test_a_stop_answers_what_is_under_way_puts_off_what_comes_and_unbinds_everybody() -> None:
    async def main() -> None:
        async with serving() as world:
            world.application.held = asyncio.Event()
            raw, idle = await bound(world), await bound(world)
            raw.say(submits(1))
            await until(lambda: len(world.application.requests) == 1)
            stopping = asyncio.create_task(world.server.stop())
            assert isinstance(await idle.next(), Unbind)
            raw.say(submits(1, first=3))
            assert await raw.next() == SubmitSmResp(sequence=3, status=Status.THROTTLED)
            with pytest.raises(ConnectionRefusedError):
                await Raw.connected(world.port)
            world.application.held.set()
            assert await raw.next() == SubmitSmResp(sequence=2, message_id="msg_2")
            unbind = await raw.next()
            assert isinstance(unbind, Unbind)
            for each, number in ((raw, unbind.sequence), (idle, 1)):
                each.say(UnbindResp(sequence=number))
                assert await each.hung_up()
            await stopping
            assert world.application.stopped
            assert not world.platform.places["demo"]

    run(main())


# --- timers, by a clock that is turned by hand


def test_a_silent_customer_is_asked_whether_it_is_there_and_stays_if_it_answers() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, enquire_link_seconds=30.0, response_seconds=10.0)) as world:
            raw = await bound(world)
            world.turn(29.0)
            world.turn(2.0)
            enquiry = await raw.next()
            assert isinstance(enquiry, EnquireLink)
            raw.say(EnquireLinkResp(sequence=enquiry.sequence))
            await asyncio.sleep(0.02)
            world.turn(11.0)
            raw.say(submits(1))
            assert isinstance(await raw.next(), SubmitSmResp)
            world.turn(40.0)
            assert isinstance(await raw.next(), EnquireLink)
            world.turn(11.0)
            assert await raw.hung_up()
            await until(lambda: world.application.gone)

    run(main())


def test_an_idle_session_is_unbound_where_the_terms_say_so() -> None:
    async def main() -> None:
        terms = replace(QUICK, enquire_link_seconds=0.0, inactivity_seconds=60.0)
        async with serving(terms=terms) as world:
            raw = await bound(world)
            world.turn(59.0)
            raw.say(EnquireLink(sequence=5))  # no message: it does not count
            assert isinstance(await raw.next(), EnquireLinkResp)
            world.turn(2.0)
            assert isinstance(await raw.next(), Unbind)

    run(main())


def test_idle_sessions_stay_for_ever_where_the_terms_say_nothing() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, enquire_link_seconds=0.0)) as world:
            raw = await bound(world)
            world.turn(1e6)
            raw.say(submits(1))
            assert isinstance(await raw.next(), SubmitSmResp)

    run(main())


def test_a_window_that_the_application_never_answers_ends_the_session_in_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with serving(login(window=1)) as world:
            world.application.held = asyncio.Event()
            raw = await bound(world)
            raw.say(submits(1))
            await until(lambda: world.application.requests)
            world.turn(100.0)  # its silence is ours: it is not asked, and not blamed
            assert world.door.connections == 1
            world.turn(30.0)
            assert await raw.hung_up()
            world.application.held.set()

    run(main())
    assert "a full window is not answered" in caplog.messages


def test_ends_are_logged_with_who_it_was_and_why(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await bound(world)
            raw.say(Unbind(sequence=2))
            assert await raw.hung_up()
            await until(lambda: world.application.gone)

    caplog.set_level(logging.INFO)
    run(main())
    (record,) = [each for each in caplog.records if each.message == "customer's session ended"]
    told = vars(record)
    assert (told["system_id"], told["account"], told["address"]) == ("demo", "acc_1", "127.0.0.1")
    assert told["reason"] == "unbound by the customer"


def test_a_server_needs_no_login_to_start_and_stop() -> None:
    async def main() -> None:
        server = CustomerServer(Memory(), Application(), terms=QUICK)
        await server.start(port=0)
        await server.stop()
        assert server.state()["connections"] == 0
        assert not server.sessions

    run(main())


def test_a_window_that_is_always_full_and_always_answered_is_a_busy_customer_not_a_broken_one() -> None:
    async def main() -> None:
        async with serving(login(window=1)) as world:
            raw = await bound(world)
            raw.say(submits(400))
            for number in range(400):
                assert await raw.next() == SubmitSmResp(sequence=number + 2, message_id=f"msg_{number + 2}")
                world.turn(0.5)
            assert world.application.gone == []

    run(main())


def test_who_is_refused_and_goes_on_talking_is_not_blamed_for_it_again() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, ban_failures=2)) as world:
            raw = await Raw.connected(world.port)
            raw.say(BindTransceiver(sequence=1, system_id="demo", password="wrong"), submits(50))
            assert (await raw.next() or GenericNack()).status == Status.INVALID_PASSWORD
            assert await raw.hung_up()
            assert world.server.state()["banned"] == 0
            assert (await (await Raw.connected(world.port)).bind()).status == Status.OK

    run(main())
