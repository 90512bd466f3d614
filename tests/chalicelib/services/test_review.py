"""Held messages: kept with their verdict, let go once, dropped once, or expired; money exact whatever comes twice."""

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Held
from chalicelib.domain.refusals import by_content
from chalicelib.domain.rules import Gateway, Route, SpamRule, Target
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import GRACE_MS, Care, care_of
from chalicelib.services import review
from chalicelib.services.cancel import cancel
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.route import route
from chalicelib.services.settle import settle
from chalicelib.settings import Settings
from chalicelib.store import accounts, held, ledger, queues, rules
from tests.chalicelib.services import world
from tests.chalicelib.services.test_audit import begun, to_the_end
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, PRICE_MICROS


@pytest.fixture(autouse=True)
def published(aws: Settings) -> None:
    world.open_account()
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    line = Route(id="rte", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS)
    hold = SpamRule(id="spm_1", kind="word", patterns=("hello",), action="hold")
    rules.publish([gateway], [line], [], by="t", note="", now_ms=NOW_MS, spam=[hold])


def pass_on(now_ms: int = NOW_MS, twice: bool = False) -> None:
    """Route and charge what waits."""
    accepted = [bundle for bundle in world.waiting(queues.ACCEPTED) if isinstance(bundle, wire.AcceptedBundle)]
    for _ in range(1 + twice):
        route(accepted, now_ms)
    billing = [bundle for bundle in world.waiting(queues.BILLING) if isinstance(bundle, wire.RoutedBundle)]
    for bundle in billing:
        charge([bundle], now_ms)


def send(*drafts: wire.Draft, twice: bool = False) -> str:
    """A bundle on its way; its id."""
    id_ = ids.bundle_of_single(drafts[0].id) if len(drafts) == 1 else ids.new_ulid(NOW_MS)
    queues.send(queues.ACCEPTED, wire.AcceptedBundle(id=id_, account=ACCOUNT, messages=drafts))
    pass_on(twice=twice)
    return id_


def dispatched() -> list[wire.DispatchBundle]:
    waiting = world.waiting(queues.gateway_queue(GATEWAY, "normal"))
    return [bundle for bundle in waiting if isinstance(bundle, wire.DispatchBundle)]


def settle_outcomes() -> None:
    settle([bundle for bundle in world.waiting(queues.OUTCOMES) if isinstance(bundle, wire.OutcomeBundle)], NOW_MS)


def test_a_held_message_waits_is_not_charged_and_is_told_in_its_timeline() -> None:
    one = world.draft()
    before = world.balance()
    send(one, twice=True)
    told = world.message(one.id)
    assert (told.status, told.final, told.held) == (Status.ACCEPTED, False, True)
    assert any(isinstance(fact, Held) for fact in world.facts(one.id))
    assert world.balance() == before
    assert dispatched() == []
    (kept,) = held.listing("waiting").items
    assert (kept.message, kept.account, kept.rule, kept.content) == (one.id, ACCOUNT, "spm_1", one.content)


def test_a_released_message_goes_on_under_its_id_charged_once_and_is_not_held_again() -> None:
    one = world.draft()
    before = world.balance()
    send(one)
    for _ in range(2):
        assert review.release(one.id, "KEY", NOW_MS).settled_by == "KEY"
        pass_on(twice=True)
    (told, *again) = dispatched()
    assert [message.id for message in told.messages] == [one.id]
    assert all(bundle.id == told.id for bundle in again)  # one name: a bridge claims it once
    assert told.id == ids.bundle_of_single(one.id)  # and cancel knows it
    assert world.status(one.id) is Status.QUEUED
    assert world.balance() == before - PRICE_MICROS == world.ledger_sum()
    assert held.get(one.id).state == "released"  # type: ignore[union-attr]


def test_of_a_bundle_only_what_is_held_waits_and_each_is_paid_for_by_itself() -> None:
    plain = world.draft()
    go = msgspec.structs.replace(plain, content=msgspec.structs.replace(plain.content, text="good morning"))
    stay, leave = world.draft(parts=2), world.draft()
    send(go, stay, leave)
    assert [world.status(one.id) for one in (go, stay, leave)] == [Status.QUEUED, Status.ACCEPTED, Status.ACCEPTED]
    assert world.ledger_sum() == 9 * PRICE_MICROS
    review.release(stay.id, "KEY", NOW_MS)
    review.drop(leave.id, "KEY", NOW_MS)
    pass_on()
    settle_outcomes()
    assert [world.status(one.id) for one in (go, stay, leave)] == [Status.QUEUED, Status.QUEUED, Status.REJECTED]
    assert world.balance() == world.ledger_sum() == 7 * PRICE_MICROS


def test_the_books_of_a_day_with_held_messages_are_clean() -> None:
    plain = world.draft()
    go = msgspec.structs.replace(plain, content=msgspec.structs.replace(plain.content, text="good morning"))
    stay, leave, alone, waits = (world.draft() for _ in range(4))
    send(go, stay, leave, waits)
    send(alone)
    for one in (stay, alone):
        review.release(one.id, "KEY", NOW_MS)
    review.drop(leave.id, "KEY", NOW_MS)
    pass_on(twice=True)
    settle_outcomes()
    audit = to_the_end(begun(NOW_MS + HOUR_MS), NOW_MS + HOUR_MS)
    assert audit.books.differences == []
    assert audit.books.open == {}
    assert (audit.books.messages, audit.books.charged_micros) == (5, 3 * PRICE_MICROS)


def test_a_dropped_message_ends_as_blocked_and_stays_so() -> None:
    one = world.draft()
    send(one)
    for _ in range(2):
        review.drop(one.id, "KEY", NOW_MS + 5)
        settle_outcomes()
    told = world.message(one.id)
    assert (told.status, told.error.code if told.error else "") == (Status.REJECTED, "content_blocked")
    with pytest.raises(Fault, match="dropped"):
        review.release(one.id, "KEY", NOW_MS)
    pass_on()
    assert dispatched() == []


def test_what_was_let_go_cannot_be_dropped() -> None:
    one = world.draft()
    send(one)
    review.release(one.id, "KEY", NOW_MS)
    with pytest.raises(Fault) as refused:
        review.drop(one.id, "KEY", NOW_MS)
    assert refused.value.code == "already_settled"


def test_a_charge_that_comes_again_late_puts_nothing_back_to_wait() -> None:
    one = world.draft()
    send(one)
    review.release(one.id, "KEY", NOW_MS)
    again = wire.Routed(draft=one, refusal=by_content("spm_1", hold=True))
    charge([wire.RoutedBundle(id=ids.bundle_of_single(one.id), account=ACCOUNT, messages=(again,))], NOW_MS)
    assert held.listing("waiting").items == ()


def test_rules_that_change_between_two_runs_of_a_bundle_change_nothing() -> None:
    """Held by the first run; to the second, which comes later, it looks fine. The ledger's first word stands."""
    one = world.draft()
    id_ = send(one)
    fine = wire.Routed(draft=one, decision=world.decision())
    charge([wire.RoutedBundle(id=id_, account=ACCOUNT, messages=(fine,))], NOW_MS)
    assert world.message(one.id).held
    assert dispatched() == []
    assert world.balance() == world.ledger_sum() == 10 * PRICE_MICROS


def test_a_released_message_that_the_credit_no_longer_covers_is_refused_unpaid() -> None:
    one = world.draft()
    send(one)
    ledger.grant(ACCOUNT, "back", -10 * PRICE_MICROS, who="t", why="t", now_ms=NOW_MS)
    review.release(one.id, "KEY", NOW_MS)
    pass_on()
    told = world.message(one.id)
    assert (told.status, told.error.code if told.error else "") == (Status.REJECTED, "no_credit")


def test_a_canceled_message_can_be_neither_let_go_nor_charged() -> None:
    one = world.draft()
    send(one)
    account = accounts.get(ACCOUNT)
    assert account is not None
    cancel(account, one.id, NOW_MS)
    with pytest.raises(Fault) as refused:
        review.release(one.id, "KEY", NOW_MS)
    assert refused.value.code == "already_final"


def test_what_nobody_looks_at_is_not_sent_again_and_ends_with_its_validity() -> None:
    one = world.draft()
    send(one)
    told = world.message(one.id)
    assert care_of(told, NOW_MS + HOUR_MS // 2) is None
    assert care_of(told, NOW_MS + HOUR_MS + GRACE_MS) is Care.END
    with pytest.raises(Fault, match="expired"):
        review.release(one.id, "KEY", NOW_MS + HOUR_MS)


def test_what_is_not_held_cannot_be_let_go() -> None:
    with pytest.raises(Fault) as refused:
        review.release(world.draft().id, "KEY", NOW_MS)
    assert refused.value.code == "not_found"
