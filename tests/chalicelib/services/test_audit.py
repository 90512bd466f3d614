"""The auditor: a day made through the services is clean, and each kind of thing that can go wrong is named."""

from collections.abc import Callable
from copy import copy
from datetime import date

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.audit import Check, Difference
from chalicelib.domain.charging import propose
from chalicelib.domain.facts import Final, Queued, Refunded, Submitted
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine
from chalicelib.services import audit as service
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import accounts, ledger, messages, queues
from chalicelib.store.ledger import LedgerTable
from chalicelib.store.messages import MessageTable, Noted
from chalicelib.store.usage import UsageTable
from chalicelib.store.wallets import WalletTable
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, HOUR_MS, NOW_MS, PRICE_MICROS
from tests.once import made_once

pytestmark = pytest.mark.usefixtures("aws")

DAY = service.days(date(2025, 10, 9), date(2025, 10, 9))  # of NOW_MS
NEXT_DAY_MS = NOW_MS + 24 * HOUR_MS


class Day:
    """A day's messages by how they fared, all of them made and charged by the services."""

    def __init__(self) -> None:
        world.open_account(credit_micros=100 * PRICE_MICROS, refund_policy="not_delivered")
        self.delivered, self.undelivered, self.canceled, self.rejected = (world.draft() for _ in range(4))
        self.long = world.draft(parts=3)
        self.several = [world.draft(parts=2, priority="bulk") for _ in range(3)]
        self.refused, self.late = world.draft(), world.draft(valid_until_ms=NOW_MS)
        alone = (self.delivered, self.undelivered, self.canceled, self.rejected, self.long, self.late)
        charge([world.routed(one) for one in alone], NOW_MS)
        charge([world.routed(self.refused, by="no_route")], NOW_MS)
        several = world.routed(*self.several)
        elsewhere = wire.Routed(draft=several.messages[0].draft, decision=world.decision(world.OTHER_GATEWAY, 70_000))
        charge([msgspec.structs.replace(several, messages=(elsewhere, *several.messages[1:]))], NOW_MS)
        taken = [self.delivered, self.undelivered, *self.several]
        settle_all(
            *(world.submitted(one.id, one.id) for one in taken),
            *(world.submitted(self.long.id, f"L{part}", part, 3) for part in (1, 2, 3)),
            *(world.receipt(one.id) for one in [self.delivered, *self.several]),
            *(world.receipt(f"L{part}", status=Status.EXPIRED) for part in (1, 2, 3)),
            world.receipt(self.undelivered.id, status=Status.UNDELIVERED),
            world.ended(self.canceled.id, Status.CANCELED),
            world.ended(self.rejected.id, Status.REJECTED),
        )


def mixed_day() -> Day:
    return copy(made_once("mixed day", Day))


def settle_all(*happened: wire.Outcome) -> None:
    settle([world.outcomes(*happened)], NOW_MS + 10_000)


def to_the_end(audit: wire.Audit, now_ms: int) -> wire.Audit:
    """As the queue carries it: each step's result is encoded, and done twice."""
    while audit.stage != "done":
        sent = wire.encode(audit)
        service.step(audit, now_ms)
        audit = service.step(audit, now_ms)
        assert wire.encode(wire.decode(sent)) == sent
        onward = wire.decode(wire.encode(audit))
        assert isinstance(onward, wire.Audit)
        audit = onward
    return audit


def begun(now_ms: int = NEXT_DAY_MS) -> wire.Audit:
    account = accounts.get(ACCOUNT)
    assert account is not None
    return service.begin(account, DAY, now_ms)


def found(now_ms: int = NEXT_DAY_MS) -> tuple[Difference, ...]:
    """What both looks find."""
    first = to_the_end(begun(now_ms), now_ms)
    return service.differences(to_the_end(service.again(first), now_ms))


def test_a_mixed_day_is_clean_and_its_sums_are_told() -> None:
    day = mixed_day()
    audit = to_the_end(begun(), NEXT_DAY_MS)
    assert audit.books.differences == []
    assert audit.books.messages == 5 + len(day.several) + 2
    charged = (4 + 3 + 2 * 2) * PRICE_MICROS + 2 * 70_000
    refunded = (1 + 1 + 1 + 3) * PRICE_MICROS  # undelivered, canceled, rejected, and the long one that expired
    assert (audit.books.charged_micros, audit.books.refunded_micros) == (charged, refunded)
    assert world.balance() == 100 * PRICE_MICROS - charged + refunded
    assert audit.books.open == {}


def test_an_audit_only_reads() -> None:
    mixed_day()
    calls = world.Calls("dynamodb")
    found()
    assert set(calls.made) == {"GetItem", "Query"}


def edit_wallet(balance_micros: int, available_micros: int) -> None:
    table = WalletTable
    moves = [table.balance_micros.add(balance_micros), table.available_micros.add(available_micros)]
    table(ACCOUNT).update(moves)  # type: ignore[arg-type]  # a list of one kind of action


def delete_fact(message_id: str, key: str) -> None:
    log = f"{ACCOUNT}#{ids.day_of(message_id)}#{ids.shard_of(message_id):02}"
    MessageTable(log, f"{message_id}#{key}").delete()


def edit_charge(draft: wire.Draft, amount_micros: int) -> None:
    LedgerTable(ACCOUNT, ids.bundle_of_single(draft.id)).update([LedgerTable.amount_micros.set(amount_micros)])


def charge_again(day: Day) -> None:
    """What must not happen: the message is charged a second time, under another name."""
    asked = [(day.delivered.content, world.decision())]
    ledger.charge([propose(ACCOUNT, ids.new_ulid(NOW_MS), asked, NOW_MS)])


def send_elsewhere(day: Day) -> None:
    """The queued fact names a gateway that the charge did not."""
    (queued,) = (fact for fact in world.facts(day.delivered.id) if isinstance(fact, Queued))
    changed = msgspec.structs.replace(queued, gateway=world.OTHER_GATEWAY)
    messages.put_facts([Noted(ACCOUNT, day.delivered.id, changed, 90)])


def refund_too_much(day: Day) -> None:
    """More than it cost, and all of the books know it."""
    line = UsageLine(
        slot="2025-10-09T08:45", country="ES", operator="Movistar", gateway=world.GATEWAY, refunded_micros=50_000
    )
    name = f"{ids.bundle_of_single(day.delivered.id)}/refund"
    ledger.refund(ACCOUNT, [ledger.Refund(name, line, "generous")], NOW_MS)
    messages.put_facts([Noted(ACCOUNT, day.delivered.id, Refunded(at_ms=NOW_MS, refund_micros=50_000), 90)])


def drift_usage(_day: Day) -> None:
    drift("parts", "09")


def drift_ends(_day: Day) -> None:
    drift("delivered", "ends#")


def drift(attribute: str, begins: str) -> None:
    lines = (item for item in UsageTable.query(f"{ACCOUNT}#2025-10", UsageTable.line.startswith(begins)))
    item = next(item for item in lines if attribute in item.attribute_values)
    item.update([getattr(UsageTable, attribute).add(1)])


def lose_refund(day: Day) -> None:
    """A cancellation whose refund never took place, in any of the books."""
    other = world.draft()
    charge([world.routed(other)], NOW_MS)
    final = Final(at_ms=NOW_MS, status=Status.CANCELED)
    messages.put_facts([Noted(ACCOUNT, other.id, final, 90)])
    day.delivered = other


def submit_unpaid(_day: Day) -> None:
    part = Submitted(at_ms=NOW_MS, part=1, parts=1, gateway="g", smsc_message_id="1", session="s")
    messages.put_facts([Noted(ACCOUNT, ids.new_message_id(NOW_MS), part, 90)])


def leave_waiting(_day: Day) -> None:
    charge([world.routed(world.draft())], NOW_MS)


Plant = Callable[[Day], object]
REFUND_OF: Callable[[wire.Draft], LedgerTable] = lambda draft: LedgerTable(  # noqa: E731 - a row's shorthand
    ACCOUNT, f"{ids.bundle_of_single(draft.id)}/refund"
)
PLANTED: dict[str, tuple[Plant, set[Check]]] = {
    "a wallet that was edited": (lambda day: edit_wallet(5, 5), {Check.WALLET}),
    "available below the balance": (lambda day: edit_wallet(0, -5), {Check.CREDIT_LIMIT}),
    "a ledger entry that is missing": (
        lambda day: LedgerTable(ACCOUNT, ids.bundle_of_single(day.delivered.id)).delete(),
        {Check.WALLET, Check.CHARGE},
    ),
    "a bundle's entry that is missing": (
        lambda day: LedgerTable(ACCOUNT, ids.bundle_of_single(day.several[0].id)).delete(),
        {Check.WALLET, Check.CHARGE},
    ),
    "an entry of twice the amount": (
        lambda day: edit_charge(day.delivered, -2 * PRICE_MICROS),
        {Check.WALLET, Check.CHARGE},
    ),
    "a message charged twice": (charge_again, {Check.CHARGE, Check.USAGE}),
    "a queued fact that is lost": (
        lambda day: delete_fact(day.several[1].id, "queued"),
        {Check.CHARGE, Check.UNPAID, Check.USAGE},
    ),
    "a message that went elsewhere": (send_elsewhere, {Check.VERDICTS, Check.USAGE}),
    "a refund's entry that is lost": (lambda day: REFUND_OF(day.rejected).delete(), {Check.WALLET, Check.REFUND}),
    "a refund's fact that is lost": (lambda day: delete_fact(day.rejected.id, "refunded"), {Check.REFUND, Check.USAGE}),
    "a refund that never was": (lose_refund, {Check.REFUND, Check.USAGE}),
    "a refund of more than the charge": (refund_too_much, {Check.REFUND}),
    "usage that drifted": (drift_usage, {Check.USAGE}),
    "ends that were counted twice": (drift_ends, {Check.USAGE}),
    "a submit that nobody paid for": (submit_unpaid, {Check.UNPAID}),
    "a message that waits past its validity": (leave_waiting, {Check.WAITING}),
}


@pytest.mark.parametrize(("plant", "checks"), PLANTED.values(), ids=PLANTED)
def test_what_differs_is_named(plant: Plant, checks: set[Check]) -> None:
    day = mixed_day()
    plant(day)
    told = found()
    assert {difference.check for difference in told} == checks
    assert all(difference.account == ACCOUNT and difference.expected != difference.found for difference in told)


def test_a_difference_says_what_was_expected_what_was_found_and_of_which_messages() -> None:
    day = mixed_day()
    LedgerTable(ACCOUNT, ids.bundle_of_single(day.several[0].id)).delete()
    (told,) = (difference for difference in found() if difference.check is Check.CHARGE)
    assert told.subject == ids.bundle_of_single(day.several[0].id)
    assert (told.expected, told.found) == ("no entry in the ledger", "3 message(s), 0.3, by the messages")
    assert set(told.messages) == {draft.id for draft in day.several}
    assert told.delta == 300_000


@pytest.mark.parametrize("plant", [lambda day: None, charge_again, leave_waiting], ids=["clean", "twice", "waiting"])
def test_an_audit_in_the_smallest_steps_finds_the_same(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(mixed_day())
    whole = found()
    monkeypatch.setattr(service, "STEP_ITEMS", 1)
    monkeypatch.setattr(service, "STEP_ENTRIES", 1)
    assert found() == whole


def test_what_was_under_way_at_the_first_look_is_not_told() -> None:
    mixed_day()
    edit_wallet(5, 5)
    first = to_the_end(begun(), NEXT_DAY_MS)
    assert first.books.differences
    edit_wallet(-5, -5)
    assert service.differences(to_the_end(service.again(first), NEXT_DAY_MS)) == ()


def test_a_message_that_was_charged_after_midnight_is_in_the_next_days_usage_only() -> None:
    world.open_account()
    late = world.draft(valid_until_ms=NEXT_DAY_MS)
    charge([world.routed(late)], NOW_MS + 20 * HOUR_MS)
    account = accounts.get(ACCOUNT)
    assert account is not None
    after = service.days(date(2025, 10, 10), date(2025, 10, 10))
    for span in (DAY, after):
        assert (
            to_the_end(service.begin(account, span, NOW_MS + 21 * HOUR_MS), NOW_MS + 21 * HOUR_MS).books.differences
            == []
        )


@pytest.mark.parametrize("step", [1, 3_000])
def test_what_was_scheduled_for_days_is_in_the_usage_of_the_day_of_its_charge(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its account lets messages be valid for two days; to be sent in ten they may be asked for all the same."""
    monkeypatch.setattr(service, "STEP_ENTRIES", step)
    world.open_account(refund_policy="not_delivered")
    for days in (20, 10, 2, 0):
        made_ms = NOW_MS - days * 24 * HOUR_MS
        scheduled = msgspec.structs.replace(world.draft(), id=ids.new_message_id(made_ms), at_ms=made_ms)
        charge([world.routed(scheduled)], NOW_MS)
        settle_all(world.submitted(scheduled.id, scheduled.id), world.receipt(scheduled.id))
    assert found() == ()
    drift("messages", "09")
    assert [difference.check for difference in found()] == [Check.USAGE]


def test_days_that_the_retention_has_deleted_are_left_out() -> None:
    day = mixed_day()
    delete_fact(day.delivered.id, "queued")
    much_later_ms = NOW_MS + 100 * 24 * HOUR_MS
    assert {difference.check for difference in found(much_later_ms)} == set()


def test_more_differences_than_can_be_told_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.domain.books.MAX_DIFFERENCES", 2)
    world.open_account()
    charge([world.routed(world.draft()) for _ in range(4)], NOW_MS)
    books = to_the_end(begun(), NEXT_DAY_MS).books
    assert (len(books.differences), books.untold) == (2, 2)


def test_every_account_is_audited_by_its_own_record_that_goes_on_until_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_AGAIN_SECONDS", 0)
    mixed_day()
    world.open_account("acc_two")
    edit_wallet(5, 5)
    assert service.start(NEXT_DAY_MS) == 2
    ended: list[wire.Audit] = []
    while waiting := [one for one in world.waiting(queues.AUDITS) if isinstance(one, wire.Audit)]:
        ended += service.carry_on(waiting, NEXT_DAY_MS)
    told = {audit.account: {one.check for one in service.differences(audit)} for audit in ended}
    assert told == {ACCOUNT: {Check.WALLET}, "acc_two": set()}
