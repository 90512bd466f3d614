"""Peers that mean harm or know no better: the others do not notice, memory stays bounded, and the log says who."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.connection import Connection
from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    EnquireLink,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.status import Status
from tests.smpp_bridge.customers.world import QUICK, Raw, World, login, run, serving, submits, until

BIND = encode(BindTransceiver(sequence=1, system_id="demo", password="letmein"))
GARBAGE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def bystander(world: World) -> AsyncIterator[Raw]:
    """A customer who notices nothing: it is served before and after."""
    raw = await Raw.connected(world.port)
    assert (await raw.bind()).status == Status.OK
    yield raw
    raw.say(submits(1, first=77))
    answer = await raw.next()
    while isinstance(answer, EnquireLink):
        answer = await raw.next()
    assert answer == SubmitSmResp(sequence=77, message_id="msg_77")


def connection_of(world: World, number: int) -> Connection:
    """Of the bind of that number."""
    wanted = world.application.bound[number]
    return next(each for each in world.server.shared.connections if each.customer is wanted)


def told(caplog: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [vars(record) for record in caplog.records if record.message == message]


def test_who_connects_and_says_nothing_is_shown_out(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving() as world, bystander(world):
            silent = await Raw.connected(world.port)
            await until(lambda: world.door.connections == 2)
            world.turn(11.0)
            assert await silent.hung_up()
            await until(lambda: world.door.connections == 1)

    run(main())
    assert told(caplog, "does not bind")[0]["address"] == "127.0.0.1"


def test_a_bind_at_an_octet_a_second_is_not_waited_for() -> None:
    async def main() -> None:
        async with serving() as world, bystander(world):
            slow = await Raw.connected(world.port)
            for number in range(12):
                slow.say(BIND[number : number + 1])
                await asyncio.sleep(0.002)
                world.turn(1.0)
            assert await slow.hung_up()

    run(main())


def test_a_bound_customer_that_says_an_octet_a_second_is_no_sign_of_life() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, enquire_link_seconds=5.0, response_seconds=5.0)) as world:
            slow = await Raw.connected(world.port)
            await slow.bind()
            submit = encode(SubmitSm(sequence=2, short_message=b"x" * 50))
            for number in range(13):
                slow.say(submit[number : number + 1])
                await asyncio.sleep(0.002)
                world.turn(1.0)
                if number == 6:
                    assert isinstance(await slow.next(), EnquireLink)
            assert await slow.hung_up()

    run(main())


@pytest.mark.parametrize("bound", [True, False])
@pytest.mark.parametrize("octets", [b"\xff\xff\xff\xff" * 4, b"\0\0\0\0", GARBAGE, b"\0\1\x11\x71" + b"\0" * 12])
def test_a_length_that_cannot_be_ends_the_connection_at_once(
    octets: bytes, bound: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving() as world, bystander(world):
            raw = await Raw.connected(world.port)
            if bound:
                await raw.bind()
            raw.say(octets)
            assert await raw.next() == GenericNack(status=Status.INVALID_COMMAND_LENGTH)
            assert await raw.hung_up()
            await until(lambda: world.door.connections == 1)

    caplog.set_level(logging.INFO)
    run(main())
    ends = told(caplog, "customer's session ended")
    if bound:
        assert any("command_length" in str(end["reason"]) for end in ends)


def test_who_keeps_on_talking_nonsense_is_banned_for_a_while_and_others_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, ban_failures=3, ban_seconds=60.0)) as world, bystander(world):
            for _ in range(3):
                raw = await Raw.connected(world.port)
                raw.say(GARBAGE)
                assert await raw.hung_up()
            banned = await Raw.connected(world.port)
            assert await banned.next() is None
            assert world.server.state()["banned"] == 1
            assert world.counts.turned == {"banned": 1}
            world.turn(61.0)
            again = await Raw.connected(world.port)
            assert isinstance(await again.bind(), BindTransceiverResp)

    run(main())
    assert told(caplog, "banned")[0]["address"] == "127.0.0.1"


def test_a_flood_of_wrong_passwords_is_banned_and_its_passwords_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, ban_failures=5)) as world, bystander(world):
            for number in range(5):
                raw = await Raw.connected(world.port)
                answer = await raw.bind(password=f"guess{number}")
                assert answer.status == Status.INVALID_PASSWORD
                assert await raw.hung_up()
            right = await Raw.connected(world.port)
            right.say(BIND)
            assert await right.next() is None
            assert world.counts.binds == {Status.OK: 1, Status.INVALID_PASSWORD: 5}

    caplog.set_level(logging.DEBUG)
    run(main())
    (refused,) = told(caplog, "bind refused")  # the first; the others are counted
    assert (refused["address"], refused["system_id"]) == ("127.0.0.1", "demo")
    everything = " ".join(str(vars(record)) for record in caplog.records)
    assert "guess" not in everything
    assert "letmein" not in everything


def test_each_wrong_password_is_answered_later_than_the_one_before() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, refusal_seconds=0.05)) as world:
            loop = asyncio.get_running_loop()
            waits = []
            for _ in range(3):
                raw = await Raw.connected(world.port)
                started = loop.time()
                await raw.bind(password="guess")
                waits.append(loop.time() - started)
            assert waits[0] >= 0.05
            assert waits[1] >= 0.1
            assert waits[2] >= 0.2

    run(main())


def test_connections_are_limited_by_address_by_those_not_bound_and_in_all(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        terms = replace(QUICK, max_connections=8, max_per_address=6, max_unbound_per_address=3)
        async with serving(login(max_sessions=9), terms=terms) as world:
            idle = [await Raw.connected(world.port) for _ in range(3)]
            await until(lambda: world.door.connections == 3)
            one_more = await Raw.connected(world.port)
            assert await one_more.next() is None
            for raw in idle:
                assert (await raw.bind()).status == Status.OK
            more = [await Raw.connected(world.port) for _ in range(3)]
            for raw in more:
                assert (await raw.bind()).status == Status.OK
            assert await (await Raw.connected(world.port)).next() is None
            assert world.counts.turned == {
                "too many connections from there that are not bound": 1,
                "too many connections from there": 1,
            }
            for raw in (*idle, *more):
                raw.close()
            await until(lambda: world.door.connections == 0)
            assert world.door.enter("192.0.2.1", 0.0) is None

    run(main())
    assert told(caplog, "connection refused")[0]["address"] == "127.0.0.1"


def test_hundreds_of_connections_at_once_cost_the_bound_customer_nothing() -> None:
    async def main() -> None:
        async with serving() as world, bystander(world):
            crowd = await asyncio.gather(*(Raw.connected(world.port) for _ in range(300)))
            await until(lambda: sum(world.counts.turned.values()) >= 280)
            assert world.door.connections <= 21
            for raw in crowd:
                raw.close()
            await until(lambda: world.door.connections == 1)

    run(main())


def test_who_does_not_bind_but_asks_is_shown_out_after_a_few_times() -> None:
    async def main() -> None:
        async with serving() as world, bystander(world):
            raw = await Raw.connected(world.port)
            raw.say(submits(50))
            answers = []
            while (answer := await raw.next()) is not None:
                answers.append(answer.status)
            assert answers == [Status.INVALID_BIND_STATUS] * len(answers)
            assert 3 <= len(answers) <= 50
            assert world.application.requests == []

    run(main())


def test_a_bound_customer_may_err_a_hundred_times_without_a_good_request_between() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            await raw.bind()
            unknown = b"\0\0\0\x10\0\0\0\x99\0\0\0\0\0\0\0\5"
            raw.say(unknown * 99, submits(1), unknown * 99, submits(1, first=3))
            for _ in range(200):
                assert await raw.next() is not None
            raw.say(unknown * 100)
            assert await raw.hung_up()

    run(main())


def test_a_customer_that_never_reads_is_dropped_and_keeps_little_memory_and_nobody_waiting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        terms = replace(QUICK, enquire_link_seconds=0.0)
        async with serving(terms=terms) as world, bystander(world):
            raw = await Raw.connected(world.port, limit=1024)
            await raw.bind()
            raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
            connection = connection_of(world, 1)
            world.application.answer = lambda pdu: Answer(
                fields={"message_id": f"msg_{pdu.sequence}", "tlvs": ((0x1400, b"x" * 30_000),) * (pdu.sequence != 77)}
            )
            raw.say(submits(2_000, first=100))
            await until(lambda: not connection.line.writable)
            await asyncio.sleep(0.05)
            taken = len(world.application.requests)
            await asyncio.sleep(0.05)
            assert len(world.application.requests) == taken < 2_000  # not read any further
            assert connection.line.waiting_octets < 500_000  # the window's answers, and the limit
            world.turn(20.0)
            assert world.counts.stalled == 0
            world.turn(20.0)
            await until(lambda: world.application.gone)
            assert world.counts.stalled == 1
            raw.writer.transport.abort()

    run(main())
    assert told(caplog, "does not read")[0]["system_id"] == "demo"


def test_who_does_not_even_take_the_last_words_is_hung_up_on() -> None:
    async def main() -> None:
        async with serving(login(window=1_000)) as world:
            raw = await Raw.connected(world.port, limit=1024)
            await raw.bind()
            connection = next(iter(world.server.shared.connections))
            raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
            connection.line.write(b"\0" * 8_000_000)
            connection.leave("for the test")
            connection.line.close()
            await asyncio.sleep(0.01)
            assert world.door.connections == 1
            world.turn(6.0)
            await until(lambda: world.door.connections == 0)
            raw.writer.transport.abort()

    run(main())


def test_one_connection_whose_tick_fails_is_its_own_trouble(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving() as world, bystander(world) as raw:
            other = await Raw.connected(world.port)
            await other.bind()
            broken = connection_of(world, 1)
            broken.tick = None  # type: ignore[method-assign,assignment]
            world.turn(1.0)
            assert await other.hung_up()
            raw.say(QuerySm(sequence=3, message_id="1"))
            world.application.answer = lambda pdu: Answer(Status.QUERY_FAILED)
            assert await raw.next() == QuerySmResp(sequence=3, status=Status.QUERY_FAILED)
            world.application.answer = lambda pdu: Answer(fields={"message_id": f"msg_{pdu.sequence}"})

    run(main())
    assert told(caplog, "a connection's tick failed")
