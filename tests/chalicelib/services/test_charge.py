"""Charging: whole or nothing, once, by the first decision, and never one bundle at another's cost."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chalicelib import wire
from chalicelib.domain.facts import Accepted, Queued
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine
from chalicelib.services.charge import charge
from chalicelib.store import dispatches, ledger, messages, queues, usage, wallets
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, OTHER_GATEWAY, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")


class Crash(Exception):
    """The process dies here."""


CrashOnce = Callable[[object, str], None]


@pytest.fixture
def crash_once(monkeypatch: pytest.MonkeyPatch) -> CrashOnce:
    """Have a function of a module die at its next call, before it does anything."""

    def arm(module: object, name: str) -> None:
        real = getattr(module, name)

        def die(*args: object, **kwargs: object) -> None:
            monkeypatch.setattr(module, name, real)
            raise Crash

        monkeypatch.setattr(module, name, die)

    return arm


def queued(message_id: str) -> Queued:
    found = [fact for fact in world.facts(message_id) if isinstance(fact, Queued)]
    assert len(found) == 1
    return found[0]


def sent() -> list[UsageLine]:
    """The account's usage without the grant that it was opened with."""
    return [line for line in usage.month(ACCOUNT, "2025-10") if line.messages]


def test_a_charge_moves_wallet_ledger_and_usage_and_dispatches_the_message() -> None:
    world.open_account()
    draft = world.draft(parts=2)
    charge([world.routed(draft)], NOW_MS)

    assert world.balance() == world.ledger_sum() == 8 * PRICE_MICROS
    fact = queued(draft.id)
    assert (fact.charge_micros, fact.price_micros, fact.at_ms) == (2 * PRICE_MICROS, PRICE_MICROS, NOW_MS)
    (line,) = sent()
    assert (line.messages, line.parts, line.credits_micros, line.operator) == (1, 2, 2 * PRICE_MICROS, "Movistar")
    (dispatch,) = world.waiting(f"gateway-{GATEWAY}")
    assert isinstance(dispatch, wire.DispatchBundle)
    assert [one.id for one in dispatch.messages] == [draft.id]
    assert dispatch.id == fact.bundle  # what cancel claims, which knows only the message's id


@pytest.mark.parametrize(("cost_micros", "told"), [(15_000, (30_000, 1)), (0, (0, 1)), (None, (0, 0))])
def test_what_a_message_costs_us_is_noted_and_counted_beside_what_it_is_sold_for(
    cost_micros: int | None, told: tuple[int, int]
) -> None:
    world.open_account()
    draft = world.draft(parts=2)
    charge([world.routed(draft, by=msgspec.structs.replace(world.decision(), cost_micros=cost_micros))], NOW_MS)
    assert queued(draft.id).cost_micros == cost_micros
    assert [(line.cost_micros, line.costed) for line in sent()] == [told]


def test_the_same_record_twice_is_charged_once_and_written_alike() -> None:
    world.open_account()
    draft = world.draft()
    charge([world.routed(draft)], NOW_MS)
    first = world.facts(draft.id)
    charge([world.routed(draft)], NOW_MS + 60_000)

    assert world.balance() == world.ledger_sum() == 9 * PRICE_MICROS
    assert world.facts(draft.id) == first
    one, other = world.waiting(f"gateway-{GATEWAY}")
    assert one == other  # so that the claim of its id lets one through
    assert dispatches.claim(one.id, "bridge-1", NOW_MS).fresh
    assert not dispatches.claim(other.id, "bridge-2", NOW_MS).fresh


def test_the_same_bundle_twice_in_one_batch_is_charged_once() -> None:
    world.open_account()
    draft = world.draft()
    charge([world.routed(draft), world.routed(draft)], NOW_MS)
    assert world.balance() == 9 * PRICE_MICROS
    assert len(world.waiting(f"gateway-{GATEWAY}")) == 1


@pytest.mark.parametrize(("module", "name"), [(messages, "put_facts"), (queues, "send_many")])
def test_after_a_crash_the_first_decision_stands_though_the_rules_changed(
    crash_once: CrashOnce, module: object, name: str
) -> None:
    world.open_account()
    draft = world.draft()
    crash_once(module, name)
    with pytest.raises(Crash):
        charge([world.routed(draft)], NOW_MS)
    dearer = world.decision(OTHER_GATEWAY, price_micros=7 * PRICE_MICROS, rules=2)
    charge([world.routed(draft, by=dearer)], NOW_MS + 60_000)

    assert world.balance() == world.ledger_sum() == 9 * PRICE_MICROS
    fact = queued(draft.id)
    assert (fact.gateway, fact.charge_micros, fact.rules, fact.at_ms) == (GATEWAY, PRICE_MICROS, 1, NOW_MS)
    assert len(world.waiting(f"gateway-{GATEWAY}")) == 1
    assert world.waiting(f"gateway-{OTHER_GATEWAY}") == []


@pytest.mark.parametrize("later", ["no_route", "expired"])
def test_after_a_crash_a_charged_message_goes_out_though_it_would_be_refused_now(
    crash_once: CrashOnce, later: str
) -> None:
    world.open_account()
    draft = world.draft(valid_until_ms=NOW_MS + 1000)
    crash_once(messages, "put_facts")
    with pytest.raises(Crash):
        charge([world.routed(draft)], NOW_MS)
    replayed = world.routed(draft) if later == "expired" else world.routed(draft, by="no_route")
    charge([replayed], NOW_MS + 2000)

    assert world.status(draft.id) is Status.QUEUED
    assert world.balance() == 9 * PRICE_MICROS
    assert len(world.waiting(f"gateway-{GATEWAY}")) == 1


def test_what_was_refused_stays_refused_though_the_rules_changed() -> None:
    world.open_account()
    draft = world.draft()
    charge([world.routed(draft, by="no_route")], NOW_MS)
    charge([world.routed(draft)], NOW_MS + 1000)

    assert world.message(draft.id).status is Status.REJECTED
    assert world.balance() == 10 * PRICE_MICROS
    assert world.waiting(f"gateway-{GATEWAY}") == []


def test_what_lacked_credit_stays_rejected_though_credit_came_before_the_replay() -> None:
    world.open_account(credit_micros=0)
    draft = world.draft()
    charge([world.routed(draft)], NOW_MS)
    ledger.grant(ACCOUNT, "late", PRICE_MICROS, who="test", why="late", now_ms=NOW_MS)
    charge([world.routed(draft)], NOW_MS + 1000)

    found = world.message(draft.id)
    assert found.status is Status.REJECTED
    assert found.error is not None
    assert found.error.code == "no_credit"
    assert world.balance() == world.ledger_sum() == PRICE_MICROS


def test_a_bundle_is_charged_whole_or_not_at_all() -> None:
    world.open_account(credit_micros=2 * PRICE_MICROS)
    drafts = [world.draft() for _ in range(3)]
    charge([world.routed(*drafts)], NOW_MS)

    assert {world.status(draft.id) for draft in drafts} == {Status.REJECTED}
    assert world.balance() == 2 * PRICE_MICROS
    (line,) = (line for line in usage.month(ACCOUNT, "2025-10") if not line.granted_micros)
    assert (line.messages, line.credits_micros, line.refused) == (0, 0, 3)
    assert world.waiting(f"gateway-{GATEWAY}") == []


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), min_size=1, max_size=4),
    st.integers(0, 20),
    st.integers(0, 6),
)
def test_of_a_bundle_all_are_paid_or_none_however_many_are_charged_together(
    bundles: list[list[int]], credit: int, below_zero: int
) -> None:
    """Bundles of several messages, of some parts each, in one batch, against credit for some of them."""
    account = world.draft().id  # a new one for each example
    world.open_account(account, credit_micros=credit * PRICE_MICROS)
    wallets.set_credit_limit(account, below_zero * PRICE_MICROS)
    drafts = [[world.draft(parts=parts) for parts in bundle] for bundle in bundles]
    charge([world.routed(*ones, account=account) for ones in drafts], NOW_MS)

    left = credit + below_zero
    for ones, bundle in zip(drafts, bundles, strict=True):
        told = [world.message(one.id, account) for one in ones]
        if {message.status for message in told} == {Status.QUEUED}:
            paid = [message.queued.charge_micros for message in told if message.queued]
            assert paid == [parts * PRICE_MICROS for parts in bundle]
            left -= sum(bundle)
        else:
            assert [message.error.code for message in told if message.error] == ["no_credit"] * len(bundle)
            assert {message.status for message in told} == {Status.REJECTED}
            assert sum(bundle) > left  # what could be paid at its turn was
    assert world.balance(account) == world.ledger_sum(account) == (left - below_zero) * PRICE_MICROS
    assert left >= 0


def test_what_accept_saw_covered_and_is_not_any_more_is_refused_by_charge_to_the_last_message() -> None:
    """Two bundles, each of which the balance covered when it was accepted."""
    world.open_account(credit_micros=3 * PRICE_MICROS)
    first, second = [world.draft(), world.draft()], [world.draft(), world.draft()]
    charge([world.routed(*first)], NOW_MS)
    charge([world.routed(*second)], NOW_MS)
    assert [world.status(draft.id) for draft in (*first, *second)] == [Status.QUEUED] * 2 + [Status.REJECTED] * 2
    assert world.balance() == PRICE_MICROS


def test_bundles_of_one_account_are_charged_in_one_transaction() -> None:
    world.open_account()
    drafts = [world.draft() for _ in range(5)]
    calls = world.Calls("dynamodb")
    charge([world.routed(draft) for draft in drafts], NOW_MS)

    assert calls.of("TransactWriteItems") == 1
    assert calls.of("BatchWriteItem") == 1
    assert world.balance() == world.ledger_sum() == 5 * PRICE_MICROS
    assert {queued(draft.id).charge_micros for draft in drafts} == {PRICE_MICROS}


def test_a_bundle_without_credit_stops_neither_its_neighbours_nor_other_accounts() -> None:
    world.open_account(credit_micros=2 * PRICE_MICROS)
    world.open_account("acc_two", credit_micros=PRICE_MICROS)
    cheap, dear, last, other = world.draft(), world.draft(parts=3), world.draft(), world.draft()
    bundles = [world.routed(cheap), world.routed(dear), world.routed(last), world.routed(other, account="acc_two")]
    charge(bundles, NOW_MS)

    told = [world.status(draft.id) for draft in (cheap, dear, last)]
    assert told == [Status.QUEUED, Status.REJECTED, Status.QUEUED]
    assert world.message(other.id, "acc_two").status is Status.QUEUED
    assert (world.balance(), world.balance("acc_two")) == (0, 0)


def test_a_known_bundle_does_not_stop_a_new_one_beside_it() -> None:
    world.open_account()
    known, new = world.draft(), world.draft()
    charge([world.routed(known)], NOW_MS)
    charge([world.routed(known), world.routed(new)], NOW_MS + 1000)
    assert world.balance() == world.ledger_sum() == 8 * PRICE_MICROS
    assert (queued(known.id).at_ms, queued(new.id).at_ms) == (NOW_MS, NOW_MS + 1000)


def test_what_expired_is_refused_unpaid_beside_what_did_not() -> None:
    world.open_account()
    late, early = world.draft(valid_until_ms=NOW_MS), world.draft(valid_until_ms=NOW_MS + HOUR_MS)
    charge([world.routed(late, early)], NOW_MS)
    assert (world.status(late.id), world.status(early.id)) == (Status.EXPIRED, Status.QUEUED)
    assert world.balance() == 9 * PRICE_MICROS


def test_a_bundle_is_dispatched_by_gateway_and_by_urgency_under_names_of_their_own() -> None:
    world.open_account()
    urgent, bulk, elsewhere = world.draft(priority="high"), world.draft(priority="bulk"), world.draft()
    bundle = world.routed(urgent, bulk, elsewhere)
    told = (*bundle.messages[:2], wire.Routed(draft=elsewhere, decision=world.decision(OTHER_GATEWAY)))
    charge([wire.RoutedBundle(id=bundle.id, account=ACCOUNT, messages=told)], NOW_MS)

    sent = {queue: world.waiting(queue) for queue in (f"gateway-{GATEWAY}", f"gateway-{GATEWAY}-bulk", "gateway-gtw_b")}
    assert {queue: [one.id for one in bundles] for queue, bundles in sent.items()} == {
        queue: [f"{bundle.id}/{queue}"] for queue in sent
    }


def test_a_bundle_of_as_many_operators_as_messages_fits_a_transaction() -> None:
    world.open_account(credit_micros=100 * PRICE_MICROS)
    routed = tuple(
        wire.Routed(draft=world.draft(), decision=msgspec.structs.replace(world.decision(), operator=f"op{number}"))
        for number in range(wire.MAX_BUNDLE_MESSAGES)
    )
    charge([wire.RoutedBundle(id="B", account=ACCOUNT, messages=routed)], NOW_MS)
    assert len(sent()) == wire.MAX_BUNDLE_MESSAGES
    assert world.balance() == (100 - wire.MAX_BUNDLE_MESSAGES) * PRICE_MICROS


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=6))
def test_wallet_is_always_the_sum_of_the_ledger_and_of_the_messages(batches: list[list[int]]) -> None:
    """Batches of bundles out of six, in any order and repetition, against credit for some of them."""
    account = world.draft().id  # a new one for each example
    world.open_account(account, credit_micros=7 * PRICE_MICROS)
    bundles = [world.routed(world.draft(parts=1 + n), account=account) for n in range(6)]
    for batch in batches:
        charge([bundles[n] for n in batch], NOW_MS)

    told = [world.facts(bundles[n].messages[0].draft.id, account) for n in {n for batch in batches for n in batch}]
    paid = sum(fact.charge_micros for facts in told for fact in facts if isinstance(fact, Queued))
    assert all(len([fact for fact in facts if not isinstance(fact, Accepted)]) == 1 for facts in told)
    assert world.balance(account) == world.ledger_sum(account) == 7 * PRICE_MICROS - paid >= 0
