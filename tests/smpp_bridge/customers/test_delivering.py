"""What is delivered to a customer's session: order, window, answers, and what becomes of it when there is none."""

import asyncio

import pytest
from msgspec.structs import replace

from smpp_bridge.customers.application import SessionGone, Unanswered
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    BindTransmitter,
    DeliverSm,
    DeliverSmResp,
    GenericNack,
    Unbind,
)
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag
from tests.smpp_bridge.customers.world import QUICK, Raw, World, login, run, serving, until


async def receiving(world: World, **fields: int) -> Raw:
    raw = await Raw.connected(world.port)
    assert (await raw.bind(BindTransceiver, **fields)).status == Status.OK
    return raw


async def next_delivery(raw: Raw) -> DeliverSm:
    pdu = await raw.next()
    assert isinstance(pdu, DeliverSm)
    return pdu


def delivery(number: int) -> DeliverSm:
    return DeliverSm(short_message=b"%d" % number)


def test_deliveries_go_out_in_the_order_of_calls_as_the_window_lets_them() -> None:
    async def main() -> None:
        async with serving(login(window=2)) as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            answers = [asyncio.ensure_future(session.deliver(delivery(number))) for number in range(5)]
            assert session.free_window == 0
            first, second = await next_delivery(raw), await next_delivery(raw)
            raw.say(DeliverSmResp(sequence=second.sequence))
            third = await next_delivery(raw)
            assert await answers[1] == Status.OK
            assert not answers[0].done()
            for pdu in (first, third):
                raw.say(DeliverSmResp(sequence=pdu.sequence))
            rest = [await next_delivery(raw), await next_delivery(raw)]
            texts = [pdu.short_message for pdu in (first, second, third, *rest)]
            assert texts == [b"0", b"1", b"2", b"3", b"4"]
            for pdu in rest:
                raw.say(DeliverSmResp(sequence=pdu.sequence))
            assert await asyncio.gather(*answers) == [Status.OK] * 5
            assert session.free_window == 2
            assert world.counts.delivers == {Status.OK: 5}

    run(main())


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (DeliverSmResp(status=Status.QUEUE_FULL), Status.QUEUE_FULL),
        (GenericNack(status=Status.INVALID_COMMAND_ID), Status.INVALID_COMMAND_ID),
        (GenericNack(status=Status.OK), Status.SYSTEM_ERROR),
        (b"\0\0\0\x12\x80\0\0\5\0\0\0\0\0\0\0\1xx", Status.OK),  # unreadable behind its header, which says yes
    ],
)
def test_a_delivery_ends_in_what_the_customer_answers(answer: DeliverSmResp | GenericNack | bytes, status: int) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            delivering = asyncio.ensure_future(session.deliver(delivery(1)))
            pdu = await next_delivery(raw)
            if not isinstance(answer, bytes):
                answer.sequence = pdu.sequence
            raw.say(answer)
            assert await delivering == status

    run(main())


def test_an_unanswered_delivery_is_told_so_and_the_session_stays() -> None:
    async def main() -> None:
        async with serving(terms=replace(QUICK, response_seconds=10.0)) as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            delivering = asyncio.ensure_future(session.deliver(delivery(1)))
            late = await next_delivery(raw)
            world.turn(11.0)
            with pytest.raises(Unanswered):
                await delivering
            raw.say(DeliverSmResp(sequence=late.sequence))  # too late: it comes again
            again = asyncio.ensure_future(session.deliver(delivery(1)))
            raw.say(DeliverSmResp(sequence=(await next_delivery(raw)).sequence))
            assert await again == Status.OK
            assert world.counts.undelivered == 1

    run(main())


@pytest.mark.parametrize("how", ["breaks", "unbinds"])
def test_when_a_session_ends_all_that_has_no_answer_is_told_so(how: str) -> None:
    async def main() -> None:
        async with serving(login(window=1)) as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            answers = [asyncio.ensure_future(session.deliver(delivery(number))) for number in range(2)]
            await next_delivery(raw)
            if how == "breaks":
                raw.writer.transport.abort()
            else:
                raw.say(Unbind(sequence=2))
                assert await raw.hung_up()
            for each in answers:
                with pytest.raises(SessionGone):
                    await each
            await until(lambda: world.application.gone)
            with pytest.raises(SessionGone):
                await session.deliver(delivery(3))
            assert (session.can_receive, session.free_window) == (False, 0)

    run(main())


def test_what_the_caller_takes_back_before_its_turn_is_not_sent() -> None:
    async def main() -> None:
        async with serving(login(window=1)) as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            first = asyncio.ensure_future(session.deliver(delivery(1)))
            second = asyncio.ensure_future(session.deliver(delivery(2)))
            third = asyncio.ensure_future(session.deliver(delivery(3)))
            pdu = await next_delivery(raw)
            second.cancel()
            raw.say(DeliverSmResp(sequence=pdu.sequence))
            pdu = await next_delivery(raw)
            assert pdu.short_message == b"3"
            raw.say(DeliverSmResp(sequence=pdu.sequence))
            assert [await first, await third] == [Status.OK, Status.OK]

    run(main())


def test_what_cannot_be_said_is_refused_at_once() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await receiving(world, interface_version=0x33)
            (session,) = world.application.bound
            with pytest.raises(ProtocolError):
                session.deliver(DeliverSm(destination_addr="5" * 21))
            with pytest.raises(ProtocolError):
                session.deliver(DeliverSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"long"),)))
            raw.close()

    run(main())


def test_a_transmitter_takes_none() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            await raw.bind(BindTransmitter)
            (session,) = world.application.bound
            assert (session.can_receive, session.free_window) == (False, 0)
            with pytest.raises(SessionGone):
                await session.deliver(delivery(1))
            raw.close()

    run(main())


def test_receipts_are_not_held_up_by_a_login_of_few_messages_a_second() -> None:
    async def main() -> None:
        async with serving(login(per_second=1.0, window=50)) as world:
            raw = await receiving(world)
            (session,) = world.application.bound
            answers = [asyncio.ensure_future(session.deliver(delivery(number))) for number in range(1_000)]
            for _ in answers:
                raw.say(DeliverSmResp(sequence=(await next_delivery(raw)).sequence))
            assert await asyncio.gather(*answers) == [Status.OK] * 1_000

    run(main())
