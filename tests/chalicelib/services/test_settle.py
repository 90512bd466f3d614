"""Settling: whatever order the news comes in, and however often, the message ends the same and is paid back once."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chalicelib import wire
from chalicelib.domain.account import RefundPolicy
from chalicelib.domain.facts import Final, Receipt, Refunded
from chalicelib.domain.status import RANK, Status
from chalicelib.services.charge import charge
from chalicelib.services.settle import LOOKS_SECONDS, settle
from chalicelib.store import ledger, messages, queues, usage
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")


class Crash(Exception):
    """The process dies here."""


class Parking:
    """Stands in for ⟨outcomes⟩ and its dead-letter queue: what settle sends there, with its delay or reason."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, wire.Bundle, int, str | None]] = []

    def send(self, queue: str, bundle: wire.Bundle, *, delay_seconds: int = 0) -> None:
        self.sent.append((queue, bundle, delay_seconds, None))

    def bury(self, queue: str, body: str, reason: str, *, receives: int) -> None:
        assert (queue, receives) == (queues.OUTCOMES, len(LOOKS_SECONDS) + 1)
        self.sent.append((queues.DEAD, wire.decode(body), 0, reason))

    def come_back(self) -> list[wire.OutcomeBundle]:
        """What was parked, as SQS would bring it again."""
        taken, self.sent = self.sent, []
        return [bundle for _, bundle, _, _ in taken if isinstance(bundle, wire.OutcomeBundle)]


@pytest.fixture
def parking(monkeypatch: pytest.MonkeyPatch) -> Parking:
    made = Parking()
    monkeypatch.setattr(queues, "send", made.send)
    monkeypatch.setattr(queues, "bury", made.bury)
    return made


def charged(parts: int = 1, refund_policy: RefundPolicy = "rejected") -> str:
    """A message that was charged and dispatched."""
    world.open_account(refund_policy=refund_policy)
    draft = world.draft(parts=parts)
    charge([world.routed(draft)], NOW_MS)
    return draft.id


def settle_all(*happened: wire.Outcome) -> None:
    settle([world.outcomes(*happened)], NOW_MS + 10_000)


def refunds(message_id: str) -> list[int]:
    return [fact.refund_micros for fact in world.facts(message_id) if isinstance(fact, Refunded)]


def test_a_part_that_the_smsc_took_is_noted_and_its_receipt_ends_the_message() -> None:
    message = charged()
    settle_all(world.submitted(message, "A1"))
    assert world.status(message) is Status.SUBMITTED
    settle_all(world.receipt("A1"))
    found = world.message(message)
    assert (found.status, found.final, found.updated_ms) == (Status.DELIVERED, True, NOW_MS + 5000)
    assert world.balance() == 9 * PRICE_MICROS


def test_submit_and_receipt_in_one_bundle_need_no_lookup() -> None:
    message = charged()
    calls = world.Calls("dynamodb")
    settle_all(world.receipt("A1"), world.submitted(message, "A1"))
    assert world.status(message) is Status.DELIVERED
    assert calls.of("BatchGetItem") == 1  # how it was charged, which its end is counted by


def test_a_receipt_is_matched_by_any_form_of_its_id_the_raw_one_first() -> None:
    by_hex, by_raw = charged(), charged()
    settle_all(world.submitted(by_hex, "7B"), world.submitted(by_raw, "123"))
    settle_all(world.receipt("123", "7B"))
    assert (world.status(by_raw), world.status(by_hex)) == (Status.DELIVERED, Status.SUBMITTED)
    settle_all(world.receipt("0123", "7B"))
    assert world.status(by_hex) is Status.DELIVERED


def test_a_receipt_before_its_submit_is_parked_and_found_later(parking: Parking) -> None:
    message = charged()
    settle_all(world.receipt("A1"))
    assert [(queue, delay) for queue, _, delay, _ in parking.sent] == [(queues.OUTCOMES, 1)]
    assert world.status(message) is Status.QUEUED
    settle_all(world.submitted(message, "A1"))
    settle(parking.come_back(), NOW_MS)
    assert world.status(message) is Status.DELIVERED
    assert parking.sent == []


def test_a_receipt_of_nobody_is_looked_for_ever_more_rarely_then_shown_as_dead(
    parking: Parking, caplog: pytest.LogCaptureFixture
) -> None:
    settle_all(world.receipt("A1"))
    delays = []
    while parking.sent[0][0] == queues.OUTCOMES:
        delays.append(parking.sent[0][2])
        settle(parking.come_back(), NOW_MS)
    ((queue, _, _, reason),) = parking.sent
    assert (queue, reason) == ("dead", "unmatched receipt")
    assert tuple(delays) == LOOKS_SECONDS
    assert all(one <= other <= queues.MAX_DELAY_SECONDS for one, other in pairwise(delays))
    assert 3000 < sum(delays) < 4000
    assert "unmatched receipt" in caplog.text


def test_an_unmatched_receipt_does_not_hold_up_its_neighbours(parking: Parking) -> None:
    message = charged()
    settle_all(world.receipt("nobody's"), world.submitted(message, "A1"), world.receipt("A1"))
    assert world.status(message) is Status.DELIVERED
    assert len(parking.sent) == 1


def test_a_duplicate_receipt_changes_nothing_but_the_time_it_came() -> None:
    message = charged(refund_policy="not_delivered")
    settle_all(world.submitted(message, "A1"), world.receipt("A1", status=Status.UNDELIVERED))
    before = world.facts(message)
    settle_all(world.receipt("A1", status=Status.UNDELIVERED))
    settle_all(world.receipt("A1", status=Status.UNDELIVERED), world.receipt("A1", status=Status.UNDELIVERED))
    assert world.facts(message) == before
    assert refunds(message) == [PRICE_MICROS]
    assert world.balance() == world.ledger_sum() == 10 * PRICE_MICROS


@pytest.mark.parametrize("late_first", [False, True])
def test_a_delivery_wins_over_an_expiry_whichever_comes_first(late_first: bool) -> None:
    message = charged()
    news = [world.receipt("A1", status=Status.EXPIRED), world.receipt("A1", after_ms=90_000)]
    settle_all(world.submitted(message, "A1"))
    for receipt in reversed(news) if late_first else news:
        settle_all(receipt)
    found = world.message(message)
    assert (found.status, found.error) == (Status.DELIVERED, None)


def test_an_expiry_after_the_delivery_is_not_paid_back() -> None:
    message = charged(refund_policy="not_delivered")
    settle_all(world.submitted(message, "A1"), world.receipt("A1"))
    settle_all(world.receipt("A1", status=Status.EXPIRED))
    assert refunds(message) == []
    assert world.balance() == 9 * PRICE_MICROS


def test_a_receipt_that_is_not_final_is_noted_and_ends_nothing() -> None:
    message = charged()
    settle_all(world.submitted(message, "A1"), world.receipt("A1", status=Status.SUBMITTED))
    assert world.status(message) is Status.SUBMITTED
    assert [fact.state for fact in world.facts(message) if isinstance(fact, Receipt)] == ["SUBMITTED"]


def test_a_message_of_several_parts_ends_when_all_have_ended_as_its_worst_part() -> None:
    message = charged(parts=3)
    settle_all(*(world.submitted(message, f"A{part}", part, 3) for part in (1, 2, 3)))
    settle_all(world.receipt("A1"), world.receipt("A3"))
    assert world.status(message) is Status.SUBMITTED
    settle_all(world.receipt("A2", status=Status.UNDELIVERED))
    assert world.status(message) is Status.UNDELIVERED


FINAL_OF_A_PART = st.sampled_from([Status.DELIVERED, Status.EXPIRED, Status.UNDELIVERED, Status.UNKNOWN])


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_news_of_several_parts_may_come_in_any_order_and_twice(data: st.DataObject, parking: Parking) -> None:
    told = data.draw(st.lists(st.lists(FINAL_OF_A_PART, min_size=1, max_size=2), min_size=2, max_size=3), "by part")
    parts = len(told)
    message = world.draft(parts=parts).id
    news: list[wire.Outcome] = []
    for part, statuses in enumerate(told, start=1):
        news.append(world.submitted(message, f"{message}-{part}", part, parts))
        news += [world.receipt(f"{message}-{part}", status=status) for status in statuses]
    again = data.draw(st.lists(st.sampled_from(news), max_size=2), "twice")
    cuts = data.draw(st.lists(st.booleans(), min_size=len(news + again), max_size=len(news + again)), "bundles")
    bundle: list[wire.Outcome] = []
    for outcome, cut in zip(data.draw(st.permutations(news + again), "order"), cuts, strict=True):
        bundle.append(outcome)
        if cut:
            settle_all(*bundle)
            bundle = []
    settle_all(*bundle)
    settle(parking.come_back(), NOW_MS)

    assert parking.sent == []
    worst = min((max(statuses, key=RANK.__getitem__) for statuses in told), key=RANK.__getitem__)
    assert world.status(message) is worst


REFUND_ROWS = [
    ("never", "end", Status.REJECTED, False),
    ("never", "end", Status.CANCELED, True),
    ("rejected", "end", Status.REJECTED, True),
    ("rejected", "end", Status.FAILED, True),
    ("rejected", "end", Status.EXPIRED, True),
    ("rejected", "end", Status.UNKNOWN, False),
    ("rejected", "receipt", Status.REJECTED, True),
    ("rejected", "receipt", Status.UNDELIVERED, False),
    ("rejected", "receipt", Status.EXPIRED, False),
    ("not_delivered", "end", Status.FAILED, True),
    ("not_delivered", "receipt", Status.UNDELIVERED, True),
    ("not_delivered", "receipt", Status.EXPIRED, True),
    ("not_delivered", "receipt", Status.DELIVERED, False),
    ("not_delivered", "receipt", Status.UNKNOWN, False),
]


@pytest.mark.parametrize(("policy", "by", "status", "paid_back"), REFUND_ROWS)
def test_the_policy_says_which_ends_are_paid_back(
    policy: RefundPolicy, by: str, status: Status, paid_back: bool
) -> None:
    message = charged(parts=2, refund_policy=policy)
    if by == "end":
        settle_all(world.ended(message, status))
    else:
        settle_all(
            *(world.submitted(message, f"A{part}", part, 2) for part in (1, 2)),
            *(world.receipt(f"A{part}", status=status) for part in (1, 2)),
        )
    assert world.status(message) is status
    assert refunds(message) == ([2 * PRICE_MICROS] if paid_back else [])
    assert world.balance() == world.ledger_sum() == (10 if paid_back else 8) * PRICE_MICROS


def test_what_the_bridge_calls_not_refundable_is_not_paid_back() -> None:
    message = charged(refund_policy="not_delivered")
    settle_all(world.ended(message, Status.FAILED, refundable=False))
    assert refunds(message) == []


def test_a_refund_shows_in_the_usage_of_the_day_of_its_charge() -> None:
    message = charged()
    settle([world.outcomes(world.ended(message, Status.REJECTED))], NOW_MS + 40 * 86_400_000)
    (line,) = (line for line in usage.month(ACCOUNT, "2025-10") if line.messages)
    assert (line.credits_micros, line.refunded_micros, line.paid_back_micros) == (PRICE_MICROS, PRICE_MICROS, 0)
    (later,) = usage.month(ACCOUNT, "2025-11")
    assert (later.paid_back_micros, later.refunded_micros) == (PRICE_MICROS, 0)


def test_a_refund_is_made_once_though_the_process_dies_between_ledger_and_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    message = charged()
    real = messages.put_facts
    puts = 0

    def die_at_the_refund(noted: object) -> None:
        nonlocal puts
        puts += 1
        if puts == 3:  # happenings, ends, the refund
            raise Crash
        real(noted)  # type: ignore[arg-type]

    monkeypatch.setattr(messages, "put_facts", die_at_the_refund)
    with pytest.raises(Crash):
        settle_all(world.ended(message, Status.REJECTED))
    assert refunds(message) == []
    for _ in range(2):
        settle([world.outcomes(world.ended(message, Status.REJECTED))], NOW_MS + 99_000)

    assert world.balance() == world.ledger_sum() == 10 * PRICE_MICROS
    assert refunds(message) == [PRICE_MICROS]
    entry = ledger.entry(ACCOUNT, f"{message.removeprefix('msg_')}/refund")
    assert entry is not None
    assert (entry.kind, entry.amount_micros, entry.at_ms) == ("refund", PRICE_MICROS, NOW_MS + 10_000)


def test_an_end_that_comes_twice_is_one_fact() -> None:
    message = charged()
    settle_all(world.ended(message, Status.FAILED), world.ended(message, Status.FAILED))
    settle_all(world.ended(message, Status.FAILED))
    assert len([fact for fact in world.facts(message) if isinstance(fact, Final)]) == 1


def test_ends_of_an_account_that_is_gone_are_noted_and_not_paid_back() -> None:
    message = world.draft().id
    settle_all(world.ended(message, Status.REJECTED))
    assert world.status(message) is Status.REJECTED
    assert ledger.entries(ACCOUNT).items == ()
