"""Looking after what waits: the lost is sent again and nothing is done twice; what outlived its validity expires."""

from collections.abc import Callable

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import RefundPolicy
from chalicelib.domain.facts import Accepted, ErrorInfo, Final, Refunded
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import GRACE_MS, MINUTE_MS
from chalicelib.services import look_after as service
from chalicelib.services.charge import charge
from chalicelib.services.look_after import look_after, start_round
from chalicelib.services.route import route
from chalicelib.services.settle import settle
from chalicelib.store import accounts, dispatches, messages, queues, rules
from chalicelib.store.messages import Noted
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")

LATE_MS = NOW_MS + 12 * MINUTE_MS  # old enough to be looked at
OVER_MS = NOW_MS + HOUR_MS + GRACE_MS + 5 * MINUTE_MS  # the validity of world's messages is over


def accepted() -> wire.Draft:
    """A message that was answered with an id, and whose bundle is lost."""
    world.open_account()
    draft = world.draft()
    messages.put_facts([Noted(ACCOUNT, draft.id, Accepted(at_ms=NOW_MS, content=draft.content), 90)])
    return draft


def charged(refund_policy: RefundPolicy = "rejected") -> wire.Draft:
    """A message that was charged and dispatched."""
    world.open_account(refund_policy=refund_policy)
    draft = world.draft()
    charge([world.routed(draft)], NOW_MS)
    return draft


def bundle_of(draft: wire.Draft) -> wire.AcceptedBundle:
    return wire.AcceptedBundle(id=ids.bundle_of_single(draft.id), account=ACCOUNT, messages=(draft,))


def make_round(now_ms: int) -> None:
    """A round with all of its visits, and the visits that those hand on."""
    start_round(now_ms)
    while visits := [one for one in world.waiting(queues.VISITS) if isinstance(one, wire.Visit)]:
        look_after(visits, now_ms)


def settle_what_waits(now_ms: int) -> list[wire.Outcome]:
    bundles = [one for one in world.waiting(queues.OUTCOMES) if isinstance(one, wire.OutcomeBundle)]
    settle(bundles, now_ms)
    return [outcome for bundle in bundles for outcome in bundle.outcomes]


def publish_rules() -> None:
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    way = Route(id="rte_1", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS)
    rules.publish([gateway], [way], [], by="test", note="", now_ms=NOW_MS)


def process(bundles: list[wire.AcceptedBundle], now_ms: int) -> None:
    """Route and charge, a bundle at a time."""
    for bundle in bundles:
        route([bundle], now_ms)
        charge([one for one in world.waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], now_ms)


def test_a_lost_bundle_is_sent_again_as_it_was_and_its_message_goes_its_way() -> None:
    publish_rules()
    draft = accepted()
    make_round(LATE_MS)
    (again,) = world.waiting(queues.ACCEPTED)
    assert again == bundle_of(draft)
    process([bundle_of(draft)], LATE_MS)
    assert world.status(draft.id) is Status.QUEUED


def test_a_late_original_and_its_recoveries_are_one_charge_and_one_dispatch_to_claim() -> None:
    publish_rules()
    draft = accepted()
    make_round(LATE_MS)
    make_round(LATE_MS + 5 * MINUTE_MS)  # its second look
    recovered = [one for one in world.waiting(queues.ACCEPTED) if isinstance(one, wire.AcceptedBundle)]
    assert len(recovered) == 2
    process([recovered[0], bundle_of(draft), recovered[1]], LATE_MS + HOUR_MS // 2)
    assert world.balance() == world.ledger_sum() == 9 * PRICE_MICROS
    dispatched = world.waiting(f"gateway-{GATEWAY}")
    assert len(dispatched) == 3
    assert len({one.id for one in dispatched if isinstance(one, wire.DispatchBundle)}) == 1
    assert [dispatches.claim(dispatched[0].id, bridge, LATE_MS).fresh for bridge in ("one", "two", "three")] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("after_minutes", [1, 9, 26])
def test_a_message_is_left_alone_between_the_ages_at_which_it_is_looked_at(after_minutes: int) -> None:
    accepted()
    make_round(NOW_MS + after_minutes * MINUTE_MS)
    assert world.waiting(queues.ACCEPTED) == []


def test_what_was_charged_or_has_ended_is_not_sent_again() -> None:
    draft, canceled = charged(), accepted()
    messages.put_facts([Noted(ACCOUNT, draft.id, Accepted(at_ms=NOW_MS, content=draft.content), 90)])
    messages.put_facts([Noted(ACCOUNT, canceled.id, Final(at_ms=NOW_MS, status=Status.CANCELED), 90)])
    make_round(LATE_MS)
    assert world.waiting(queues.ACCEPTED) == []


def test_nothing_is_sent_again_while_the_queues_are_full_but_at_a_later_look(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = accepted()
    monkeypatch.setattr(service, "MOST_WAITING", 2)
    for _ in range(3):
        queues.send(queues.BILLING, world.routed(world.draft()))
    make_round(LATE_MS)
    assert world.waiting(queues.ACCEPTED) == []
    world.waiting(queues.BILLING)
    make_round(NOW_MS + 38 * MINUTE_MS)
    assert world.waiting(queues.ACCEPTED) == [bundle_of(draft)]


def never_taken(_draft: wire.Draft) -> None:
    """Its dispatch is lost, or its gateway was never bound."""


def begun(draft: wire.Draft) -> None:
    """A bridge claimed it, and was not heard of again."""
    dispatches.claim(ids.bundle_of_single(draft.id), "a bridge", NOW_MS)


def taken(draft: wire.Draft) -> None:
    """The SMSC took it, and sent no receipt."""
    settle([world.outcomes(world.submitted(draft.id, "A1"))], NOW_MS)


@pytest.mark.parametrize(
    ("how", "policy", "code", "paid_back"),
    [
        (never_taken, "never", "expired", False),
        (never_taken, "rejected", "expired", True),
        (never_taken, "not_delivered", "expired", True),
        (begun, "never", "no_receipt", False),
        (begun, "rejected", "no_receipt", False),
        (begun, "not_delivered", "no_receipt", True),
        (taken, "never", "no_receipt", False),
        (taken, "rejected", "no_receipt", False),
        (taken, "not_delivered", "no_receipt", True),
    ],
)
def test_a_message_expires_wherever_it_waits_and_is_paid_back_by_the_policy(
    how: Callable[[wire.Draft], None], policy: RefundPolicy, code: str, paid_back: bool
) -> None:
    draft = charged(policy)
    how(draft)
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    ended = world.message(draft.id)
    assert (ended.status, ended.error and ended.error.code) == (Status.EXPIRED, code)
    assert world.balance() == (10 if paid_back else 9) * PRICE_MICROS == world.ledger_sum()


def test_a_message_that_was_never_charged_expires_unpaid_and_its_late_bundle_changes_nothing() -> None:
    publish_rules()
    draft = accepted()
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    assert world.status(draft.id) is Status.EXPIRED
    process([bundle_of(draft)], OVER_MS)
    assert world.status(draft.id) is Status.EXPIRED
    assert world.balance() == 10 * PRICE_MICROS
    assert world.waiting(f"gateway-{GATEWAY}") == []


def ends_after(bundle: wire.RoutedBundle) -> dict[str, tuple[str, bool]]:
    """How the rounds end each message of a charged bundle: the code, and whether it was paid back."""
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    found = {routed.draft.id: world.message(routed.draft.id) for routed in bundle.messages}
    return {id_: (told.error.code if told.error else "", told.refund_micros > 0) for id_, told in found.items()}


def test_of_a_bundle_only_the_slices_that_a_bridge_claimed_were_handed_over() -> None:
    world.open_account(credit_micros=25 * PRICE_MICROS)
    bundle = world.routed(*(world.draft() for _ in range(25)))
    charge([bundle], NOW_MS)
    (dispatched,) = world.waiting(f"gateway-{GATEWAY}")
    dispatches.claim(dispatched.id, "a bridge", NOW_MS)
    dispatches.claim(f"{dispatched.id}#20", "a bridge", NOW_MS)
    told = list(ends_after(bundle).values())
    assert set(told[:10] + told[20:]) == {("no_receipt", False)}
    assert set(told[10:20]) == {("expired", True)}


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        pytest.param(0, ("expired", True), id="no bridge has begun with it there"),
        pytest.param(1, ("no_receipt", False), id="one has, and was not heard of again"),
    ],
)
@pytest.mark.parametrize("size", [1, 2])
def test_a_message_that_went_on_to_another_gateway_is_judged_by_what_became_of_it_there(
    size: int, claims: int, told: tuple[str, bool]
) -> None:
    world.open_account()
    bundle = world.routed(*(world.draft() for _ in range(size)))
    charge([bundle], NOW_MS)
    (dispatched,) = world.waiting(f"gateway-{GATEWAY}")
    dispatches.claim(dispatched.id, "a bridge", NOW_MS)
    went = bundle.messages[0].draft.id
    left = wire.AttemptOutcome(
        account=ACCOUNT,
        message=went,
        at_ms=NOW_MS,
        attempt=1,
        part=1,
        gateway=GATEWAY,
        error=ErrorInfo(code="gateway_unbound", title="It has no session."),
        next="fail over to gtw_b",
    )
    settle([world.outcomes(left, msgspec.structs.replace(left, attempt=2))], NOW_MS)  # told twice, after a crash
    for number in range(claims):
        dispatches.claim(ids.hop_id(bundle.id, went, number + 1), "a bridge", NOW_MS)
    assert ends_after(bundle)[went] == told


def test_a_delivery_after_the_expiry_counts_and_what_was_paid_back_stays_paid_back() -> None:
    draft = charged("not_delivered")
    taken(draft)
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    settle([world.outcomes(world.receipt("A1"))], OVER_MS + HOUR_MS)
    found = world.message(draft.id)
    assert (found.status, found.refund_micros) == (Status.DELIVERED, PRICE_MICROS)
    assert world.balance() == 10 * PRICE_MICROS


def test_the_grace_lets_the_operators_own_receipt_come_first() -> None:
    draft = charged()
    taken(draft)
    make_round(NOW_MS + HOUR_MS + GRACE_MS - MINUTE_MS)
    assert world.waiting(queues.OUTCOMES) == []
    assert world.status(draft.id) is Status.SUBMITTED


def test_ending_a_message_twice_writes_the_same_facts_and_pays_back_once() -> None:
    draft = charged("not_delivered")
    make_round(OVER_MS)
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    before = world.facts(draft.id)
    make_round(OVER_MS)
    settle_what_waits(OVER_MS)
    assert world.facts(draft.id) == before
    assert len([fact for fact in before if isinstance(fact, Refunded)]) == 1
    ended = next(fact for fact in before if isinstance(fact, Final))
    assert ended.at_ms == NOW_MS + HOUR_MS + GRACE_MS


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_a_visit_with_too_many_messages_hands_on_what_is_left(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [accepted() for _ in range(5)]
    world.open_account("acc_two")
    monkeypatch.setattr(service, "MESSAGES_A_VISIT", at_once)
    make_round(LATE_MS)
    again = world.waiting(queues.ACCEPTED)
    assert sorted(bundle.id for bundle in again) == sorted(ids.bundle_of_single(draft.id) for draft in drafts)


def test_a_round_that_finds_nothing_writes_nothing_and_costs_a_query_a_window() -> None:
    world.open_account()
    calls = world.Calls("dynamodb")
    make_round(LATE_MS)
    assert calls.of("Query") == 14
    assert set(calls.made) == {"Query", "Scan", "GetItem"}


@pytest.mark.parametrize(
    ("whose", "claimed_by"), [("account", None), ("gateway", "bridge_1"), ("account", "move/gtw_b")]
)
def test_what_has_waited_for_longer_than_it_may_expires_unless_somebody_has_begun_with_it(
    whose: str, claimed_by: str | None
) -> None:
    world.open_account(credit_micros=20 * PRICE_MICROS)
    held = accounts.versioned(ACCOUNT)
    assert held is not None
    if whose == "account":
        accounts.change(ACCOUNT, 1, msgspec.structs.replace(held.value, max_wait_seconds=300))
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    waits = msgspec.structs.replace(gateway, max_wait_seconds=300 if whose == "gateway" else None)
    rules.publish([waits], [], [], by="test", note="", now_ms=NOW_MS)
    together = [world.draft() for _ in range(12)]
    charge([world.routed(*together)], NOW_MS)
    (record,) = world.waiting(f"gateway-{GATEWAY}")
    assert isinstance(record, wire.DispatchBundle)
    assert record.wait_until_ms == (NOW_MS + 300_000 if whose == "account" else 0)
    if claimed_by is not None:
        dispatches.claim(f"{record.id}#10", claimed_by, NOW_MS)  # the second of its slices
    make_round(LATE_MS)
    make_round(LATE_MS)  # late, and once more
    settle_what_waits(LATE_MS)
    ended = [one for one in together if world.status(one.id) is Status.EXPIRED]
    assert ended == (together if claimed_by is None else together[:10])
    assert world.balance() == (20 - 12 + len(ended)) * PRICE_MICROS
    assert {str(dispatches.claim(record.id, "bridge_2", LATE_MS).by)} == {"expire"}  # none will submit it now
