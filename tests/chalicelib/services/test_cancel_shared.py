"""Canceling one message of a bundle: it is marked, and the bridge that has the claim of its slice looks for marks."""

import pytest

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import Queued
from chalicelib.domain.status import Status
from chalicelib.services.accept import Acceptance
from chalicelib.services.accept_many import accept_many
from chalicelib.services.cancel import cancel, cancel_accepted
from chalicelib.services.charge import charge
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.find_submitted import find_submitted, find_waiting
from chalicelib.services.route import route
from chalicelib.services.settle import settle
from chalicelib.settings import Settings
from chalicelib.store import dispatches
from chalicelib.wire import AcceptedBundle, DispatchBundle, OutcomeBundle, RoutedBundle
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.slices import Slice, slices_of
from tests.chalicelib.services import world
from tests.chalicelib.services.test_accept_many import bundles, opened, submission
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS

COUNT = 12  # two slices


def carried(account: Account, count: int = COUNT, source: str = "smpp") -> tuple[list[str], DispatchBundle]:
    """Messages of one bundle, routed and charged; their ids, and what the bridge gets."""
    asked = [
        Submission(to="+34600111222", sender="ACME", text=f"{number}", source=source, login="acme")  # type: ignore[arg-type]
        for number in range(count)
    ]
    made = accept_many(account, asked, NOW_MS)
    (bundle,) = bundles()
    route_and_charge(bundle)
    (dispatch,) = world.waiting(f"gateway-{GATEWAY}")
    assert isinstance(dispatch, DispatchBundle)
    return [one.draft.id for one in made if isinstance(one, Acceptance)], dispatch


def route_and_charge(bundle: AcceptedBundle) -> None:
    route([bundle], NOW_MS)
    charge([routed for routed in world.waiting("billing") if isinstance(routed, RoutedBundle)], NOW_MS)


def slice_with(dispatch: DispatchBundle, message_id: str) -> Slice:
    held = Held(dispatch, "", bulk=False, visible_until=0.0, through=lambda _: None)
    return next(one for one in slices_of(held) if message_id in {each.id for each in one.messages})


def settle_all() -> None:
    for outcomes in world.waiting("outcomes"):
        assert isinstance(outcomes, OutcomeBundle)
        settle([outcomes], NOW_MS)


@pytest.mark.parametrize("place", [0, COUNT - 1])
def test_one_message_of_a_bundle_is_canceled_and_paid_back_alone(aws: Settings, place: int) -> None:
    account = opened()
    names, dispatch = carried(account)
    before = world.balance()
    assert cancel(account, names[place], NOW_MS).status is Status.CANCELED
    settle_all()
    assert world.balance() == before + PRICE_MICROS
    assert {world.status(name) for name in names if name != names[place]} == {Status.QUEUED}
    one = slice_with(dispatch, names[place])
    assert dispatches.claim(one.name, "bridge", NOW_MS).fresh  # the slice is still the bridge's
    assert dispatches.marked(ACCOUNT, names) == {names[place]}
    assert dispatches.marked("acc_other", names) == set()


def test_the_slices_name_is_what_the_queued_fact_says(aws: Settings) -> None:
    names, dispatch = carried(opened())
    for name in names:
        queued = world.message(name).queued
        assert isinstance(queued, Queued)
        assert queued.dispatch == slice_with(dispatch, name).name


@pytest.mark.parametrize("place", [0, COUNT - 1])
def test_what_a_bridge_has_begun_with_is_not_canceled(aws: Settings, place: int) -> None:
    account = opened()
    names, dispatch = carried(account)
    dispatches.claim(slice_with(dispatch, names[place]).name, "bridge", NOW_MS)
    with pytest.raises(Fault, match="handed to its gateway"):
        cancel(account, names[place], NOW_MS)
    assert world.status(names[place]) is Status.QUEUED
    other = names[COUNT - 1 - place]
    assert cancel(account, other, NOW_MS).status is Status.CANCELED


def test_canceling_again_answers_the_same_though_a_bridge_has_the_slice_by_now(aws: Settings) -> None:
    account = opened()
    names, dispatch = carried(account)
    cancel(account, names[0], NOW_MS)
    dispatches.claim(slice_with(dispatch, names[0]).name, "bridge", NOW_MS)
    assert cancel(account, names[0], NOW_MS).status is Status.CANCELED


def test_one_of_a_jobs_messages_is_not_canceled_alone(aws: Settings) -> None:
    account = opened()
    names, _ = carried(account, source="job")
    with pytest.raises(Fault, match="job"):
        cancel(account, names[0], NOW_MS)


@pytest.mark.parametrize("count", [1, COUNT])
def test_what_is_not_charged_yet_is_canceled_by_who_knows_that_it_was_accepted(aws: Settings, count: int) -> None:
    account = opened()
    made = accept_many(account, [submission() for _ in range(count)], NOW_MS)
    name = made[-1].draft.id if isinstance(made[-1], Acceptance) else ""
    with pytest.raises(Fault, match="no such message"):
        cancel(account, name, NOW_MS)
    cancel_accepted(account, name, NOW_MS)
    (bundle,) = bundles()
    route_and_charge(bundle)
    claim = dispatches.claim(ids.bundle_of_single(name), "bridge", NOW_MS)
    assert (claim.by == dispatches.CANCEL) or name in dispatches.marked(ACCOUNT, [name])
    if count == 1:
        assert claim.by == dispatches.CANCEL


def test_a_message_is_found_by_the_id_of_any_of_its_parts(aws: Settings) -> None:
    account = opened()
    names, _ = carried(account, count=1)
    assert find_submitted(account, ids.part_id(names[0], 3)) is None
    first = ids.part_id(names[0], 1)
    made = accept_many(account, [submission()], NOW_MS, ids=[first])
    assert isinstance(made[0], Acceptance)
    (bundle,) = bundles()
    route_and_charge(bundle)
    for number in (1, 2, 3, 200):
        found = find_submitted(account, ids.part_id(first, number))
        assert found is not None
        assert found.id == first
    assert find_submitted(account, "nonsense") is None


def test_messages_that_wait_are_found_by_sender_and_recipient_newest_first(aws: Settings) -> None:
    account = opened()
    names, _ = carried(account, count=3)
    cancel(account, names[1], NOW_MS)
    found = [message.id for message in find_waiting(account, "acme", "ACME", "+34600111222")]
    assert found == sorted({names[0], names[2]}, reverse=True)
    for other in (("acme", "OTHER", "+34600111222"), ("else", "ACME", "+34600111222"), ("acme", "ACME", "nobody")):
        assert not list(find_waiting(account, *other))
