"""The outbox behind a real server: what lies on the queue comes out of a socket, and what breaks off comes again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.protocol.events import Request
from smpp_bridge.protocol.pdu import BindReceiver, BindTransceiver, BindTransmitter, DeliverSm
from tests.bench.receipts_out import Telling
from tests.infra.local.esme import Esme
from tests.smpp_bridge.customers.outbox_world import LOGIN, MemoryMailbox, ids, receipt
from tests.smpp_bridge.customers.world import PASSWORD, QUICK, Memory, login, run, until, verify


@asynccontextmanager
async def telling(mailbox: MemoryMailbox, window: int = 2) -> AsyncIterator[tuple[int, Outbox]]:
    """The port of a server that tells what the mailbox has, and its outbox."""
    application = Telling(Outbox(mailbox))
    platform = Memory(login(LOGIN, max_sessions=5, window=window))
    server = CustomerServer(platform, application, terms=QUICK, bridge=lambda: "b", verify=verify)
    await server.start(port=0)
    try:
        yield server.listeners.port, application.outbox
    finally:
        await server.stop()


async def bound(port: int, kind: type[BindReceiver | BindTransceiver | BindTransmitter], **options: bool | int) -> Esme:
    return await Esme.bound(port, kind(system_id=LOGIN, password=PASSWORD, interface_version=0x34), **options)


def taken(esme: Esme) -> list[str]:
    requests = [event.pdu for event in esme.events if isinstance(event, Request)]
    return [pdu.receipted_message_id or "" for pdu in requests if isinstance(pdu, DeliverSm)]


def test_receipts_go_to_those_who_are_bound_to_receive_and_in_order() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox(poll_seconds=0.2)
        mailbox.put(*(receipt(number) for number in range(25)))
        async with telling(mailbox) as (port, _):
            transmitter = await bound(port, BindTransmitter)
            receiver = await bound(port, BindReceiver)
            await until(mailbox.is_empty)
            assert (taken(transmitter), taken(receiver)) == ([], ids(*range(25)))
            receiver.close()
            transmitter.close()

    run(scenario())


def test_what_a_broken_connection_leaves_unanswered_comes_over_the_next() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox(poll_seconds=0.2)
        mailbox.put(*(receipt(number) for number in range(5)))
        async with telling(mailbox) as (port, outbox):
            mute = await bound(port, BindReceiver, acknowledges=False)
            await until(lambda: len(taken(mute)) == 2)
            await asyncio.sleep(0.05)
            assert len(taken(mute)) == 2  # the window
            mute.close()
            await until(lambda: not list(outbox.feeds))
            assert mailbox.held() == 0
            again = await bound(port, BindTransceiver)
            await until(mailbox.is_empty)
            assert taken(again) == ids(*range(5))
            again.close()

    run(scenario())
