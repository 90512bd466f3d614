"""Counting ends: each message under one status, whoever learns of its ends, in whatever order, however often."""

import random
from collections.abc import Sequence
from itertools import permutations

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine, added_up
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import accounts, dynamo, ends, messages, usage
from chalicelib.store.usage import UsageTable
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")
SLOT = "2025-10-09T08:45"


class Crash(Exception):
    """The process dies here."""


def charged(count: int = 1, parts: int = 1) -> list[str]:
    world.open_account(credit_micros=300 * PRICE_MICROS, refund_policy="not_delivered")
    drafts = [world.draft(parts=parts) for _ in range(count)]
    for at in range(0, count, wire.MAX_BUNDLE_MESSAGES):
        charge([world.routed(*drafts[at : at + wire.MAX_BUNDLE_MESSAGES])], NOW_MS)
    return [draft.id for draft in drafts]


def settle_all(*happened: wire.Outcome) -> None:
    settle([world.outcomes(*happened)], NOW_MS + 10_000)


def counted() -> UsageLine:
    return added_up(usage.month(ACCOUNT, "2025-10"))


def test_an_end_is_counted_in_the_slot_of_its_charge_with_the_time_it_took() -> None:
    (message,) = charged()
    happened = (world.submitted(message, "A1"), world.receipt("A1", after_ms=5000))
    settle([world.outcomes(*happened)], NOW_MS + 86_400_000)
    (line,) = (line for line in usage.month(ACCOUNT, "2025-10") if line.messages)
    assert (line.slot, line.ends) == (SLOT, {Status.DELIVERED: 1})
    assert [place for place, count in enumerate(line.latencies) if count] == [6]  # up to five seconds


@pytest.mark.parametrize("order", permutations((Status.UNKNOWN, Status.EXPIRED, Status.DELIVERED)))
def test_of_several_ends_the_highest_is_counted_in_whatever_order_they_come_each_twice(order: Sequence[Status]) -> None:
    (message,) = charged()
    settle_all(world.submitted(message, "A1"))
    for status in order:
        settle_all(world.receipt("A1", status=status), world.receipt("A1", status=status))
        settle_all(world.receipt("A1", status=status))
    assert counted().ends == {Status.DELIVERED: 1}
    assert sum(counted().latencies) == 1


def test_two_who_learn_of_an_end_at_the_same_moment_count_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither sees the other's facts: the parts' receipts are there, and no end."""
    (message,) = charged(parts=2)
    settle_all(*(world.submitted(message, f"A{part}", part, 2) for part in (1, 2)))
    settle_all(world.receipt("A1"))
    begun: list[bool] = []
    put_facts = messages.put_facts

    def meanwhile(noted: object) -> None:
        put_facts(noted)  # type: ignore[arg-type]
        if not begun:  # the second part's receipt is noted, and the end not counted yet
            begun.append(True)
            settle_all(world.receipt("A1"))

    monkeypatch.setattr(messages, "put_facts", meanwhile)
    settle_all(world.receipt("A2"))
    assert counted().ends == {Status.DELIVERED: 1}


def test_a_delivery_that_is_learned_while_an_expiry_is_counted_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    (message,) = charged()
    settle_all(world.submitted(message, "A1"))
    begun: list[bool] = []
    transact = dynamo.transact

    def meanwhile(build: object) -> object:
        if not begun:
            begun.append(True)
            settle_all(world.receipt("A1"))
        return transact(build)  # type: ignore[arg-type]

    monkeypatch.setattr(dynamo, "transact", meanwhile)
    settle_all(world.receipt("A1", status=Status.EXPIRED))
    assert counted().ends == {Status.DELIVERED: 1}
    assert counted().refunded_micros == 0  # it is known to have fared better
    assert world.status(message) is Status.DELIVERED


def test_what_died_between_count_and_fact_is_counted_once_and_noted_and_paid_back_by_who_comes_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (message,) = charged()
    real = ends.count

    def die(account: str, some: Sequence[ends.End], now_ms: int, shards: int) -> dict[str, Status]:
        real(account, some, now_ms, shards)
        raise Crash

    monkeypatch.setattr(ends, "count", die)
    with pytest.raises(Crash):
        settle_all(world.ended(message, Status.REJECTED))
    assert world.status(message) is Status.QUEUED
    monkeypatch.setattr(ends, "count", real)
    for _ in range(2):
        settle_all(world.ended(message, Status.REJECTED))
    assert world.status(message) is Status.REJECTED
    assert counted().ends == {Status.REJECTED: 1}
    assert counted().refunded_micros == counted().paid_back_micros == PRICE_MICROS


def test_more_than_a_transaction_holds_some_of_them_known_are_counted_to_the_last() -> None:
    some = charged(110)
    settle_all(*(world.ended(message, Status.UNKNOWN) for message in some[::3]))
    calls = world.Calls("dynamodb")
    settle_all(*(world.ended(message, Status.FAILED) for message in some))
    assert counted().ends == {Status.FAILED: 110}
    # Two groups, each again without, and with those that were known over their earlier ends; then the refunds.
    assert calls.of("TransactWriteItems") <= 5 + 4
    assert calls.of("BatchGetItem") == 2


def test_what_was_never_charged_is_not_counted() -> None:
    world.open_account()
    settle_all(world.ended(ids.new_message_id(NOW_MS), Status.CANCELED))
    assert counted().ends == {}


def test_a_busy_accounts_ends_are_spread_over_items_and_read_as_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_account()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, shards=3))
    shares = iter((2, 0, 1))
    monkeypatch.setattr(random, "randrange", lambda _shards: next(shares))
    for message in charged(3):
        settle_all(world.ended(message, Status.FAILED))
    (line,) = (line for line in usage.month(ACCOUNT, "2025-10") if line.messages)
    assert line.ends == {Status.FAILED: 3}
    assert len(list(UsageTable.query(f"{ACCOUNT}#2025-10", UsageTable.line.startswith("ends#")))) == 3
