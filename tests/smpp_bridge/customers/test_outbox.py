"""The outbox: what customers are told comes in order, is acknowledged once, and is never lost on the way."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from chalicelib import wire
from chalicelib.domain.esme import EsmeInbound
from chalicelib.domain.text import Encoding
from smpp_bridge.customers import letters
from smpp_bridge.customers.feed import LINGER_SECONDS
from smpp_bridge.customers.letters import AGAIN_SECONDS
from smpp_bridge.customers.mailbox import VISIBILITY_SECONDS
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.pdu import DeliverSm
from smpp_bridge.protocol.status import Status
from tests.smpp_bridge.customers.outbox_world import LOGIN, MemoryMailbox, Session, bind, clock, ids, lose, receipt, run


def outbox(mailbox: MemoryMailbox) -> Outbox:
    return Outbox(mailbox, clock=clock())


def refusing(status: int, *numbers: int, times: int = 10**6) -> Callable[[DeliverSm], int]:
    """Says `status` to receipts of those messages, that often."""
    left = dict.fromkeys(ids(*numbers), times)

    def answer(pdu: DeliverSm) -> int:
        id_ = pdu.receipted_message_id or ""
        if left.get(id_, 0):
            left[id_] -= 1
            return status
        return 0

    return answer


async def until(condition: Callable[[], bool], seconds: float = 86_400) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not condition():
        passed = loop.time() - started
        assert passed < seconds
        await asyncio.sleep(0.05 + passed / 100)


def test_receipts_come_in_their_order_and_leave_the_queue_once_acknowledged() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session()
        for first in range(0, 60, 5):
            mailbox.put(*(receipt(number) for number in range(first, first + 5)))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        assert session.ids() == ids(*range(60))
        assert session.most_in_flight == 10
        assert box.told.receipts == 60
        assert mailbox.deletes == [10, 2]  # one call each receive
        await box.stop()

    run(scenario())


def test_with_a_window_of_one_each_waits_for_the_one_before() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=1)
        mailbox.put(*(receipt(number) for number in range(20)))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        assert session.ids() == ids(*range(20))
        assert session.most_in_flight == 1
        await box.stop()

    run(scenario())


def test_two_sessions_share_the_work_and_each_is_told_once() -> None:
    async def scenario() -> None:
        mailbox, one, other = MemoryMailbox(), Session(window=2), Session(window=2, state=State.BOUND_TRX)
        mailbox.put(*(receipt(number) for number in range(40)))
        box = outbox(mailbox)
        bind(box, one, other)
        await until(mailbox.is_empty)
        assert len(one.ids()) == len(other.ids()) == 20
        assert sorted(one.ids() + other.ids()) == sorted(ids(*range(40)))
        await box.stop()

    run(scenario())


def test_nobody_is_told_over_a_transmitter() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(state=State.BOUND_TX)
        mailbox.put(receipt(1))
        box = outbox(mailbox)
        bind(box, session)
        await asyncio.sleep(60)
        assert mailbox.receives == 0
        box.on_gone(session)
        await box.stop()

    run(scenario())


def test_what_waits_while_the_customer_is_away_comes_on_the_next_bind() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox()
        mailbox.put(receipt(1), receipt(2))
        box = outbox(mailbox)
        await asyncio.sleep(13 * 86_400)
        session = Session()
        bind(box, session)
        await until(mailbox.is_empty, 10)
        assert session.ids() == ids(1, 2)
        await box.stop()

    run(scenario())


def test_a_session_lost_in_the_middle_gives_the_rest_back_at_once_and_the_next_goes_on_where_it_was() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=1, answer_seconds=1)
        mailbox.put(*(receipt(number) for number in range(6)))
        mailbox.put(receipt(6))
        box = outbox(mailbox)
        bind(box, session)
        await until(lambda: len(session.acknowledged) == 3)
        assert mailbox.held() == 2
        lose(box, session)
        await asyncio.sleep(0.1)
        assert mailbox.held() == 0
        assert list(box.feeds) == []
        again = Session()
        bind(box, again)
        await until(mailbox.is_empty)
        assert again.ids() == ids(3, 4, 5, 6)
        assert box.told.repeats == 3
        await box.stop()

    run(scenario())


def test_what_was_under_way_on_a_lost_session_goes_over_another_before_what_came_later() -> None:
    async def scenario() -> None:
        mailbox, silent, other = MemoryMailbox(), Session(lambda _: None, window=3), Session(window=1, answer_seconds=5)
        mailbox.put(*(receipt(number) for number in range(8)))
        box = outbox(mailbox)
        bind(box, silent, other)
        await until(lambda: len(silent.sent) == 3)
        lose(box, silent)
        await until(mailbox.is_empty)
        assert sorted(other.ids()) == ids(*range(8))
        assert other.ids()[1:] == sorted(other.ids()[1:])
        await box.stop()

    run(scenario())


def test_a_refused_receipt_comes_again_ever_later_and_stops_nobody() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox()
        session = Session(refusing(Status.REJECTED_BY_APP, 1, times=7))
        mailbox.put(receipt(0), receipt(1), receipt(2))
        box = outbox(mailbox)
        bind(box, session)
        await until(lambda: len(session.acknowledged) == 2, 1)
        await until(lambda: len(session.acknowledged) == 3)
        await until(mailbox.is_empty)
        assert session.ids() == ids(0, 2, 1)
        assert [delay for _, _, delay in mailbox.put_offs] == [5, 30, 120, 600, 900, 900, 900]
        assert [attempt for _, attempt, _ in mailbox.put_offs] == [1, 2, 3, 4, 5, 6, 7]
        assert (box.told.refused[Status.REJECTED_BY_APP], box.told.put_off) == (7, 7)
        await box.stop()

    run(scenario())


def test_what_is_refused_for_a_day_is_a_dead_letter_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 86_000 < sum(AGAIN_SECONDS) + (letters.MAX_ATTEMPTS - len(AGAIN_SECONDS)) * AGAIN_SECONDS[-1] < 90_000
    monkeypatch.setattr(letters, "MAX_ATTEMPTS", 6)  # the same in a quarter of an hour

    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(refusing(Status.PERMANENT_APP_ERROR, 1))
        mailbox.put(receipt(1), receipt(2))
        box = outbox(mailbox)
        bind(box, session)
        await until(lambda: bool(mailbox.buried), 3 * 86_400)
        ((body, reason),) = mailbox.buried
        bundle = wire.decode(body)
        assert isinstance(bundle, wire.EsmeBundle)
        assert [item.id for item in bundle.items] == ids(1)
        assert reason == "refused by the customer with 0x65"
        assert len(mailbox.put_offs) == 5
        await until(mailbox.is_empty)
        await box.stop()

    run(scenario())


def test_a_customer_that_says_not_now_is_given_ever_more_time_and_keeps_the_order() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(refusing(Status.THROTTLED, 3, times=2), window=1)
        mailbox.put(*(receipt(number) for number in range(6)))
        box = outbox(mailbox)
        bind(box, session)
        started = asyncio.get_running_loop().time()
        await until(mailbox.is_empty)
        assert session.ids() == ids(*range(6))
        assert mailbox.put_offs == []
        assert 0.75 <= asyncio.get_running_loop().time() - started < 3
        await box.stop()

    run(scenario())


def test_an_item_that_alone_meets_not_now_makes_way_after_a_few_times() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(refusing(Status.SYSTEM_ERROR, 0, times=3), window=1)
        mailbox.put(receipt(0), receipt(1))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        await until(lambda: len(session.acknowledged) == 2)
        assert session.ids() == ids(1, 0)
        await box.stop()

    run(scenario())


def test_what_is_left_unanswered_comes_again_later() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox()
        silent = {"msg_1"}

        def answer(pdu: DeliverSm) -> int | None:
            id_ = pdu.receipted_message_id or ""
            if id_ in silent:
                silent.remove(id_)
                return None
            return 0

        session = Session(answer)
        mailbox.put(receipt(0), receipt(1), receipt(2))
        box = outbox(mailbox)
        bind(box, session)
        await until(lambda: len(session.acknowledged) == 3)
        assert session.ids() == ids(0, 2, 1)
        assert mailbox.put_offs == [(("msg_1#delivered",), 1, AGAIN_SECONDS[0])]
        assert box.told.unanswered == 1
        await box.stop()

    run(scenario())


def test_what_is_acknowledged_is_not_sent_again_though_it_comes_again() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session()
        mailbox.put(receipt(1), receipt(1))  # settled twice
        mailbox.put(receipt(1))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        mailbox.put(receipt(1))
        await until(mailbox.is_empty)
        assert session.ids() == ids(1)
        assert box.told.repeats == 3
        await box.stop()

    run(scenario())


def test_a_bridge_that_dies_leaves_its_records_to_the_next_one_after_a_while() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=1, answer_seconds=1)
        mailbox.put(*(receipt(number) for number in range(4)))
        before = asyncio.all_tasks()
        bind(outbox(mailbox), session)
        await until(lambda: len(session.acknowledged) == 2)
        session.state = State.CLOSED
        for task in asyncio.all_tasks() - before:
            task.cancel()
        started = asyncio.get_running_loop().time()
        again = Session()
        box = outbox(mailbox)
        bind(box, again)
        await until(mailbox.is_empty)
        assert again.ids() == ids(0, 1, 2, 3)  # what it knew died with it
        assert asyncio.get_running_loop().time() - started < VISIBILITY_SECONDS + 10
        await box.stop()

    run(scenario())


def test_of_two_bridges_whichever_has_a_receiver_tells() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox()
        one, other = outbox(mailbox), outbox(mailbox)
        here, there = Session(), Session()
        bind(one, here)
        mailbox.put(receipt(1))
        await until(mailbox.is_empty)
        lose(one, here)
        bind(other, there)
        mailbox.put(receipt(2))
        await until(mailbox.is_empty)
        assert (here.ids(), there.ids()) == (ids(1), ids(2))
        await one.stop()
        await other.stop()

    run(scenario())


def test_of_two_bridges_with_receivers_each_record_is_in_one_pair_of_hands() -> None:
    async def scenario() -> None:
        mailbox = MemoryMailbox()
        boxes = outbox(mailbox), outbox(mailbox)
        sessions = Session(), Session()
        for box, session in zip(boxes, sessions, strict=True):
            bind(box, session)
        for number in range(100):
            mailbox.put(receipt(number))
        await until(mailbox.is_empty)
        taken = [id_ for session in sessions for id_ in session.ids()]
        assert sorted(taken) == sorted(ids(*range(100)))
        for box in boxes:
            await box.stop()

    run(scenario())


def test_a_slow_customer_keeps_its_records_for_as_long_as_it_takes() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=1, answer_seconds=20)
        mailbox.put(*(receipt(number) for number in range(15)))
        box, rival = outbox(mailbox), outbox(mailbox)
        bind(box, session)
        await until(lambda: bool(session.sent))
        other = Session()
        bind(rival, other)
        await until(mailbox.is_empty)
        assert session.ids() == ids(*range(15))
        assert other.ids() == []
        await box.stop()
        await rival.stop()

    run(scenario())


def test_what_waits_here_and_for_how_long_can_be_seen() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=1, answer_seconds=2)
        mailbox.put(*(receipt(number) for number in range(5)))
        box = outbox(mailbox)
        assert (box.waiting, box.oldest_seconds) == (0, 0.0)
        await asyncio.sleep(100)
        bind(box, session)
        await until(lambda: len(session.acknowledged) == 2)
        assert box.waiting == 3
        assert 104 <= box.oldest_seconds < 105
        await until(mailbox.is_empty)
        assert (box.waiting, box.oldest_seconds) == (0, 0.0)
        await box.stop()

    run(scenario())


def test_records_are_deleted_as_they_are_through_though_others_take_long() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(lambda pdu: None if pdu.receipted_message_id == "msg_2" else 0)
        for number in range(3):
            mailbox.put(receipt(number))
        box = outbox(mailbox)
        bind(box, session)
        await asyncio.sleep(1 + LINGER_SECONDS)
        assert mailbox.deletes == [2]
        await until(mailbox.is_empty)
        await box.stop()

    run(scenario())


def test_stopping_waits_for_the_answers_under_way_and_gives_back_the_rest() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(window=2, answer_seconds=3)
        mailbox.put(receipt(0))
        mailbox.put(receipt(1))
        mailbox.put(receipt(2))
        box = outbox(mailbox)
        bind(box, session)
        await until(lambda: len(session.sent) == 2)
        await box.stop()
        assert session.ids() == ids(0, 1)
        assert mailbox.held() == 0
        assert [record.body for record, _ in mailbox.records[LOGIN]] == [
            wire.encode(wire.EsmeBundle(id="bundle-4", login=LOGIN, items=(receipt(2),)))
        ]

    run(scenario())


@pytest.mark.parametrize("call", ["receive", "delete", "put_off", "hide"])
def test_an_aws_that_is_unwell_for_a_while_costs_nothing_but_time(call: str) -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session(refusing(Status.REJECTED_BY_APP, 1, times=1), answer_seconds=25)
        mailbox.unwell.add(call)
        mailbox.put(receipt(0), receipt(1))
        box = outbox(mailbox)
        bind(box, session)
        await asyncio.sleep(120)
        mailbox.unwell.clear()
        await until(lambda: len(session.acknowledged) == 2)
        await until(mailbox.is_empty)
        assert session.ids() == ids(0, 1)
        await box.stop()

    run(scenario())


def test_a_record_that_cannot_be_read_is_buried_and_stops_nobody() -> None:
    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Session()
        mailbox.put_body("{}")
        mailbox.put_body(wire.encode(wire.EsmeBundle(id="b", login="another", items=(receipt(7),))))
        mailbox.put(receipt(1))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        assert session.ids() == ids(1)
        (first, _), (_, reason) = mailbox.buried
        assert (first, reason) == ("{}", "a bundle of another queue: EsmeBundle")
        await box.stop()

    run(scenario())


def test_an_item_that_cannot_be_sent_is_buried_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Particular(Session):
        def deliver(self, pdu: object) -> object:  # type: ignore[override]
            assert isinstance(pdu, DeliverSm)
            if pdu.receipted_message_id == "msg_1":
                raise ValueError("cannot be encoded")
            return super().deliver(pdu)

    async def scenario() -> None:
        mailbox, session = MemoryMailbox(), Particular()
        mailbox.put(receipt(1), receipt(2))
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        assert session.ids() == ids(2)
        assert "cannot be encoded" in mailbox.buried[0][1]
        await box.stop()

    with caplog.at_level(logging.CRITICAL):
        run(scenario())


def test_a_long_message_goes_in_parts_to_who_takes_no_tlvs_and_only_what_is_missing_goes_again() -> None:
    async def scenario() -> None:
        text = "0123456789" * 40
        refused = [True]

        def answer(pdu: DeliverSm) -> int:
            if pdu.short_message[6] == 2 and refused:
                refused.pop()
                return Status.QUEUE_FULL
            return 0

        mailbox, session = MemoryMailbox(), Session(answer, takes_tlvs=False, window=2)
        mailbox.put(
            EsmeInbound(id="in1", sender="+34600111222", recipient="1234", encoding=Encoding.GSM7, at_ms=1, text=text)
        )
        box = outbox(mailbox)
        bind(box, session)
        await until(mailbox.is_empty)
        assert [pdu.short_message[6] for pdu in session.sent] == [1, 2, 3, 2]
        assert {pdu.esm_class for pdu in session.sent} == {0x40}
        parts = sorted((pdu.short_message for pdu in session.acknowledged), key=lambda octets: octets[6])
        assert b"".join(part[7:] for part in parts).decode() == text
        assert box.told.inbound == 1
        await box.stop()

    run(scenario())
