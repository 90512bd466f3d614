"""Telling SMPP customers: what they asked for lies on their login's queue, in order, and the same told twice is one."""

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.esme import EsmeInbound, EsmeReceipt
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.services.tell_esme import MAX_ITEMS, send
from chalicelib.settings import Settings
from chalicelib.store import accounts, made_queues, queues
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

LOGIN = "acme-1"
QUEUE = queues.esme_queue(LOGIN)


@pytest.fixture(autouse=True)
def _listening(aws: Settings) -> None:
    world.open_account()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    assert accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, listens=True))
    made_queues.create_esme_queue(LOGIN)


def draft(registered: int = 1, login: str = LOGIN, **content: object) -> wire.Draft:
    made = world.draft()
    given = msgspec.structs.replace(made.content, login=login, registered=registered, source="smpp", **content)
    return msgspec.structs.replace(made, content=given)


def charged(**content: object) -> str:
    made = draft(**content)  # type: ignore[arg-type]
    charge([world.routed(made)], NOW_MS)
    return made.id


def settle_all(*happened: wire.Outcome) -> None:
    settle([world.outcomes(*happened)], NOW_MS + 10_000)


def told(queue: str = QUEUE) -> list[wire.EsmeItem]:
    """What is on the queue; it is taken off."""
    bundles = [bundle for bundle in world.waiting(queue) if isinstance(bundle, wire.EsmeBundle)]
    return [item for bundle in bundles for item in bundle.items]


def summary(items: list[wire.EsmeItem]) -> list[tuple[str, str]]:
    return [(item.id, item.status) for item in items if isinstance(item, EsmeReceipt)]


def test_a_delivered_message_is_told_once_with_what_it_was() -> None:
    message = charged()
    settle_all(world.submitted(message, "A1"), world.receipt("A1"))
    (receipt,) = told()
    assert isinstance(receipt, EsmeReceipt)
    assert (receipt.id, receipt.status, receipt.sender, receipt.to) == (message, "delivered", "ACME", "+34600111222")
    assert (receipt.submitted_ms, receipt.done_ms) == (NOW_MS, NOW_MS + 5000)


def test_a_refusal_is_told_like_any_other_end() -> None:
    made = draft()
    charge([world.routed(made, by="no_route")], NOW_MS)
    (receipt,) = told()
    assert isinstance(receipt, EsmeReceipt)
    assert (receipt.id, receipt.status, receipt.err) == (made.id, Status.REJECTED, "901")


def test_what_was_not_asked_for_is_not_told() -> None:
    silent, failures = charged(registered=0), charged(registered=2)
    settle_all(*(world.submitted(one, one) for one in (silent, failures)))
    settle_all(world.receipt(silent, status=Status.UNDELIVERED), world.receipt(failures))
    assert told() == []


def test_a_better_end_is_told_after_the_worse() -> None:
    message = charged()
    settle_all(world.submitted(message, "A1"), world.receipt("A1", status=Status.UNKNOWN))
    settle_all(world.receipt("A1"))
    settle_all(world.receipt("A1", status=Status.UNKNOWN))
    assert summary(told()) == [(message, "unknown"), (message, "delivered")]


def test_a_replay_tells_the_same_once() -> None:
    message = charged()
    settle_all(world.submitted(message, "A1"))
    for _ in range(3):
        settle_all(world.receipt("A1"))
    assert summary(told()) == [(message, "delivered")]


def test_a_joined_messages_parts_are_told_each() -> None:
    message = charged(segment_ids=("msg_a", "msg_b"))
    settle_all(world.submitted(message, "A1"), world.receipt("A1"))
    assert summary(told()) == [("msg_a", "delivered"), ("msg_b", "delivered")]


def test_logins_are_told_apart_and_one_that_is_gone_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    made_queues.create_esme_queue("acme-2")
    messages = {login: charged(login=login) for login in (LOGIN, "gone", "acme-2")}
    settle_all(*(world.submitted(message, login) for login, message in messages.items()))
    settle_all(*(world.receipt(login) for login in messages))
    assert summary(told()) == [(messages[LOGIN], "delivered")]
    assert summary(told(queues.esme_queue("acme-2"))) == [(messages["acme-2"], "delivered")]
    assert "no such login" in caplog.text


def test_many_are_told_in_few_bundles_and_in_their_order() -> None:
    send(LOGIN, [inbound(f"{number:03}") for number in range(MAX_ITEMS + 1)])
    bundles = world.waiting(QUEUE)
    assert [len(bundle.items) for bundle in bundles if isinstance(bundle, wire.EsmeBundle)] == [MAX_ITEMS, 1]
    items = [item.id for bundle in bundles if isinstance(bundle, wire.EsmeBundle) for item in bundle.items]
    assert items == sorted(items)


def test_long_messages_share_no_bundle_that_sqs_would_refuse() -> None:
    send(LOGIN, [inbound(str(number), text="Ж" * 17_000) for number in range(8)])
    bodies = [wire.encode(bundle) for bundle in world.waiting(QUEUE)]
    assert len(bodies) > 2
    assert max(len(body.encode()) for body in bodies) < 256 * 1024


def inbound(id_: str, text: str = "hi") -> EsmeInbound:
    return EsmeInbound(id=id_, sender="+1", recipient="2", encoding=Encoding.GSM7, at_ms=1, text=text)


def test_what_a_client_did_not_take_is_told_again_by_the_number_of_its_attempt() -> None:
    item = inbound("one")
    send(LOGIN, [item])
    settle_all(wire.ToldInVain(login=LOGIN, items=(item,), attempt=1))
    settle_all(wire.ToldInVain(login=LOGIN, items=(item,), attempt=2))
    attempts = [bundle.attempt for bundle in world.waiting(QUEUE) if isinstance(bundle, wire.EsmeBundle)]
    assert attempts == [0, 1, 2]


def test_a_logins_queue_gives_its_records_in_order_to_one_receiver_at_a_time() -> None:
    for number in range(12):
        send(LOGIN, [inbound(f"{number:02}")])
    first = queues.receive(QUEUE, wait_seconds=0)
    assert len(first) == 10
    assert queues.receive(QUEUE, wait_seconds=0) == []
    queues.delete_many(QUEUE, [record.handle for record in first[:4]])
    queues.hide(QUEUE, [record.handle for record in first[4:]], 0)
    bundles = [wire.decode(record.body) for record in queues.receive(QUEUE, wait_seconds=0)]
    ids = [item.id for bundle in bundles if isinstance(bundle, wire.EsmeBundle) for item in bundle.items]
    assert ids == [f"{number:02}" for number in range(4, 12)]


def test_making_a_logins_queue_again_is_fine_and_a_dead_letter_can_go_back_on_it() -> None:
    made_queues.create_esme_queue(LOGIN)
    body = wire.encode(wire.EsmeBundle(id="b", login=LOGIN, items=(inbound("one"),)))
    for _ in range(2):
        queues.send_again(QUEUE, body)
    assert len(world.waiting(QUEUE)) == 2
