"""The outbox on AWS: from the login's queue to the customer, and by way of ⟨outcomes⟩ where it says no."""

import asyncio
from collections.abc import Callable

import pytest

from chalicelib.services.settle import settle
from chalicelib.services.tell_esme import send
from chalicelib.settings import settings
from chalicelib.store import aws as clients
from chalicelib.store import made_queues, queues
from chalicelib.wire import OutcomeBundle, decode
from smpp_bridge.customers import letters
from smpp_bridge.customers.mailbox import AwsMailbox
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.pdu import DeliverSm
from tests.smpp_bridge.customers.outbox_world import LOGIN, NOW_MS, Session, ids, receipt

QUEUE = queues.esme_queue(LOGIN)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("aws")
def test_what_is_refused_comes_again_by_way_of_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "AGAIN_SECONDS", (0,))
    made_queues.create_esme_queue(LOGIN)
    send(LOGIN, [receipt(number) for number in range(3)])
    refused = ["msg_1"]

    def answer(pdu: DeliverSm) -> int:
        if pdu.receipted_message_id in refused:
            refused.pop()
            return 0x65
        return 0

    async def scenario() -> None:
        mailbox = AwsMailbox(Clock(), receive_seconds=0)
        outbox, session = Outbox(mailbox), Session(answer)
        outbox.on_bound(session)
        await until(lambda: outbox.told.put_off == 1)
        await until(lambda: queues.depth(QUEUE) == 0)
        outcomes = [decode(record.body) for record in queues.receive(queues.OUTCOMES, wait_seconds=0)]
        settle([bundle for bundle in outcomes if isinstance(bundle, OutcomeBundle)], NOW_MS)
        await until(lambda: len(session.acknowledged) == 3)
        await until(lambda: queues.depth(QUEUE) == 0)
        assert session.ids() == ids(0, 2, 1)
        await outbox.stop()
        mailbox.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("aws")
def test_what_cannot_be_read_goes_with_the_dead_letters_and_what_is_not_told_back_on_the_queue() -> None:
    made_queues.create_esme_queue(LOGIN)
    queues.send_again(QUEUE, "{}")
    send(LOGIN, [receipt(1)])
    send(LOGIN, [receipt(2)])

    async def scenario() -> None:
        mailbox = AwsMailbox(Clock(), receive_seconds=0)
        outbox, session = Outbox(mailbox), Session(window=1, answer_seconds=0.3)
        outbox.on_bound(session)
        await until(lambda: len(session.sent) == 1)
        await outbox.stop()
        mailbox.close()
        assert session.ids() == ids(1)

    asyncio.run(scenario())
    (dead,) = queues.receive(queues.DEAD, wait_seconds=0)
    assert dead.body == "{}"
    (left,) = queues.receive(QUEUE, wait_seconds=0)
    assert "msg_2" in left.body


@pytest.mark.usefixtures("aws")
def test_what_a_customer_is_away_for_waits_for_the_days_of_the_setting_at_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def days_of(login: str) -> int:
        url = queues.url(queues.esme_queue(login))
        told = clients.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])
        return int(told["Attributes"]["MessageRetentionPeriod"]) // 86_400

    made_queues.create_esme_queue("early")
    monkeypatch.setenv("CHASQUI_ESME_RETENTION_DAYS", "3")
    settings.cache_clear()
    made_queues.create_esme_queue("early")
    made_queues.create_esme_queue("late")
    assert (days_of("early"), days_of("late")) == (14, 3)
