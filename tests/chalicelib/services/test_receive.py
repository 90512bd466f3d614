"""What people wrote is joined in any order, told once to its owner, heeded and answered once."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import inbound as domain
from chalicelib.domain.account import Account
from chalicelib.domain.content import Segment
from chalicelib.domain.inbound import JOIN_SECONDS, UNASSIGNED, Inbound, InboundNumber, Keyword, number_id
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Target
from chalicelib.services import answer as answering
from chalicelib.services import receive as service
from chalicelib.services.settle import settle
from chalicelib.store import accounts, cached, inbound, inbound_parts, made_queues, numbers, opt_outs, queues, rules
from chalicelib.wire import AcceptedBundle, EsmeBundle, InboundBundle, InboundDue, InboundOutcome, OutcomeBundle
from tests.chalicelib.services import world
from tests.chalicelib.services.test_deliver_webhooks import messages_of
from tests.chalicelib.services.webhook_world import Hooks, hooks, pump
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS

OTHER = "acc_other"
PERSON = "+34600000001"
OURS = "+34911234567"
CODE = "12345"
_numbers = itertools.count()


@pytest.fixture
def hooked(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    with hooks(monkeypatch) as made:
        gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
        route = Route(id="rte_1", targets=(Target(gateway=GATEWAY),), price_micros=1)
        plan = [NumberingPrefix(prefix="346", country="ES", operator="Movistar ES")]
        rules.publish([gateway], [route], plan, by="test", note="", now_ms=NOW_MS)
        yield made


def assign(number: str = OURS, **more: Any) -> None:
    given: dict[str, Any] = {"id": number_id(number, None), "number": number, "account": ACCOUNT, **more}
    assert numbers.rows.put(InboundNumber(**given))
    cached.forget_all()


def written(text: str = "hola", sender: str = PERSON, to: str = OURS, at_ms: int = NOW_MS) -> InboundOutcome:
    return InboundOutcome(
        id=domain.inbound_id(at_ms, next(_numbers)),
        at_ms=at_ms,
        gateway=GATEWAY,
        sender=sender,
        recipient=to,
        octets=text.encode("utf-16-be"),
        coding=0x08,
    )


def parts(text: str, total: int, odd: int = 1) -> list[InboundOutcome]:
    octets = text.encode("utf-16-be")
    size = -(-len(octets) // total) + odd
    return [
        msgspec.structs.replace(written(), octets=octets[number * size :][:size], segment=Segment(7, total, number + 1))
        for number in range(total)
    ]


def come(*outcomes: InboundOutcome | InboundDue, now_ms: int = NOW_MS) -> None:
    service.receive([InboundBundle(id="X", came=outcomes)], now_ms)


def kept(account: str = ACCOUNT) -> tuple[Inbound, ...]:
    return inbound.listing(account, NOW_MS - 1, NOW_MS + 86_400_000, limit=100).items


def sent() -> list[tuple[str, str, str]]:
    """Sender, recipient and text of each message that was accepted."""
    bundles = [bundle for bundle in world.waiting(queues.ACCEPTED) if isinstance(bundle, AcceptedBundle)]
    contents = [draft.content for bundle in bundles for draft in bundle.messages]
    return [(content.sender, content.to, content.text) for content in contents]


def due() -> list[InboundDue]:
    """Who waits for parts, each with its fifteen minutes."""
    found = []
    for message in messages_of(queues.INBOUND):
        assert round((message.delayed_until - message.sent_timestamp) / 1000) == JOIN_SECONDS
        bundle = wire.decode(message.body)
        assert isinstance(bundle, InboundBundle)
        found += [one for one in bundle.came if isinstance(one, InboundDue)]
    return found


def test_what_the_bridge_hands_over_is_handed_on_whole(hooked: Hooks) -> None:
    came = (written("one"), written("two"))
    settle([OutcomeBundle(id="X", outcomes=came)], NOW_MS)
    (bundle,) = world.waiting(queues.INBOUND)
    assert isinstance(bundle, InboundBundle)
    assert bundle.came == came


def test_a_message_to_an_accounts_number_is_kept_and_told(hooked: Hooks) -> None:
    assign()
    hooked.open()
    outcome = written("¿Abren hoy?")
    come(outcome)
    (message,) = kept()
    assert (message.id, message.sender, message.recipient) == (f"in_{outcome.id}", PERSON, OURS)
    assert (message.text, message.complete, message.number) == ("¿Abren hoy?", True, OURS[1:])
    pump()
    (came,) = hooked.echo.received()
    assert came["body"]["type"] == "message.received"
    assert came["body"]["data"]["text"] == "¿Abren hoy?"


def test_it_is_told_once_though_it_is_settled_twice(hooked: Hooks) -> None:
    assign(reply="Thank you.")
    hooked.open()
    outcome = written()
    for _ in range(3):
        come(outcome)
    assert len(kept()) == 1
    assert len(world.waiting(queues.WEBHOOKS)) == 1
    assert len(sent()) == 1


@pytest.mark.parametrize("step", ["tell_of_inbound", "answer"])
def test_a_process_that_died_in_between_leaves_nothing_undone(
    hooked: Hooks, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    assign(reply="Thank you.")
    hooked.open()
    outcome = written()

    def die(*_: Any) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as broken:
        broken.setattr(service, step, die)
        with pytest.raises(RuntimeError):
            come(outcome)
    come(outcome)
    assert {bundle.events[0].id for bundle in world.waiting(queues.WEBHOOKS)} == {  # type: ignore[union-attr]
        f"evt_in_{outcome.id}_received"
    }
    assert sent() == [(OURS, PERSON, "Thank you.")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_are_joined_in_any_order(hooked: Hooks, order: tuple[int, ...]) -> None:
    assign()
    text = "Primera, segunda y tercera 😀 parte"
    pieces = parts(text, 3)
    for number in order:
        come(pieces[number])
    (message,) = kept()
    assert (message.text, message.parts, message.complete) == (text, 3, True)
    assert message.id == f"in_{pieces[order[0]].id}"


def test_parts_that_come_twice_and_late_make_one_message_told_once(hooked: Hooks) -> None:
    assign()
    hooked.open()
    pieces = parts("una y dos", 2)
    come(pieces[1], pieces[1])
    come(pieces[0], pieces[1], now_ms=NOW_MS + 3_600_000)
    come(*pieces, now_ms=NOW_MS + 7_200_000)
    assert [message.text for message in kept()] == ["una y dos"]
    assert len(world.waiting(queues.WEBHOOKS)) == 1


def test_without_its_other_parts_a_message_is_told_as_it_is_and_again_when_they_come(hooked: Hooks) -> None:
    assign(reply="Thank you.")
    hooked.open()
    pieces = parts("una y dos", 2)
    come(pieces[0])
    assert kept() == ()
    (waiting,) = due()
    for _ in range(2):
        come(waiting, now_ms=NOW_MS + JOIN_SECONDS * 1000)
    (message,) = kept()
    assert (message.text, message.complete, message.received, message.parts) == ("una y", False, 1, 2)
    come(pieces[1], now_ms=NOW_MS + 2 * JOIN_SECONDS * 1000)
    come(waiting, now_ms=NOW_MS + 3 * JOIN_SECONDS * 1000)
    (whole,) = kept()
    assert (whole.id, whole.text, whole.complete) == (message.id, "una y dos", True)
    events = [bundle.events[0].id for bundle in world.waiting(queues.WEBHOOKS)]  # type: ignore[union-attr]
    assert sorted(events) == [f"evt_{message.id}_received", f"evt_{message.id}_received-1-of-2"]
    assert len(sent()) == 1


def test_a_reference_that_comes_again_begins_a_new_message(hooked: Hooks) -> None:
    assign()
    come(*parts("una y dos", 2))
    come(*parts("tres, cuatro", 2))
    assert sorted(message.text for message in kept()) == ["tres, cuatro", "una y dos"]


def test_a_reference_that_comes_again_tells_what_there_was_of_the_message_before(hooked: Hooks) -> None:
    assign()
    come(parts("una y dos", 2)[0])
    come(*parts("tres, cuatro", 2))
    assert sorted((message.text, message.complete) for message in kept()) == [("tres, cuatro", True), ("una y", False)]


def test_parts_of_another_sender_or_after_a_day_do_not_join(hooked: Hooks) -> None:
    assign()
    first, second = parts("una y dos", 2)
    come(first)
    come(msgspec.structs.replace(second, sender="+34600000002"))
    come(second, now_ms=NOW_MS + 1000 * inbound_parts.KEPT_SECONDS)
    assert all(not message.complete for message in kept())


def test_a_message_to_nobody_is_kept_for_the_administrator(hooked: Hooks) -> None:
    hooked.open()
    come(written(to=CODE))
    assert [message.recipient for message in kept(UNASSIGNED)] == [CODE]
    assert world.waiting(queues.WEBHOOKS) == []


def test_a_keyword_of_a_shared_number_decides_whose_it_is(hooked: Hooks) -> None:
    world.open_account(OTHER)
    assign(CODE, keywords=(Keyword(word="pizza", account=OTHER, reply="On its way."),))
    come(written("Pizza!", to=CODE), written("hello", to=CODE))
    assert [(message.text, message.keyword) for message in kept(OTHER)] == [("Pizza!", "pizza")]
    assert [(message.text, message.keyword) for message in kept()] == [("hello", None)]
    assert sent() == [(CODE, PERSON, "On its way.")]


def test_it_goes_to_the_smpp_login_of_the_number_too(hooked: Hooks) -> None:
    made_queues.create_esme_queue("demo")
    assign(login="demo")
    come(written())
    (record,) = queues.receive(queues.esme_queue("demo"), wait_seconds=0)
    bundle = wire.decode(record.body)
    assert isinstance(bundle, EsmeBundle)
    assert [(item.sender, item.recipient, item.text) for item in bundle.items] == [  # type: ignore[union-attr]
        (PERSON, OURS, "hola")
    ]


def test_stop_is_heeded_and_confirmed_in_place_of_the_automatic_answer(hooked: Hooks) -> None:
    assign(reply="Thank you.")
    outcome = written("STOP")
    for _ in range(2):
        come(outcome)
    held = opt_outs.get(ACCOUNT, PERSON)
    assert held is not None
    assert held.left
    ((_, to, text),) = sent()
    assert to == PERSON
    assert "no more messages" in text


def test_stop_to_a_shared_number_holds_for_all_who_share_it(hooked: Hooks) -> None:
    world.open_account(OTHER)
    keywords = (Keyword(word="a", account=ACCOUNT), Keyword(word="b", account=OTHER))
    assign(CODE, account=None, keywords=keywords)
    come(written("BAJA", to=CODE))
    for account in (ACCOUNT, OTHER):
        held = opt_outs.get(account, PERSON)
        assert held is not None
        assert held.left
    assert len(sent()) == 1


@pytest.mark.parametrize("sender", [OURS, CODE, "Movistar", "54321", ""])
def test_no_machine_is_answered(hooked: Hooks, sender: str) -> None:
    assign(reply="Thank you.")
    assign(CODE, reply="Thank you too.")
    come(written(sender=sender))
    assert sent() == []
    assert len(kept()) == 1


def test_two_machines_that_answer_each_other_slow_down(hooked: Hooks) -> None:
    assign(reply="Thank you.")
    minute = answering.PACE_MS
    for second in range(0, 300, 20):
        at_ms = NOW_MS - NOW_MS % minute + minute + second * 1000
        come(written("Thank you too.", at_ms=at_ms), now_ms=at_ms)
    assert len(kept()) == 15
    assert 2 <= len(sent()) <= 3


def test_an_answer_that_cannot_be_sent_stops_nothing(hooked: Hooks) -> None:
    assert accounts.create(Account(id="acc_poor", name="Poor", created_ms=NOW_MS))
    assign(account="acc_poor", reply="Thank you.")
    come(written())
    assert len(kept("acc_poor")) == 1
    assert sent() == []
