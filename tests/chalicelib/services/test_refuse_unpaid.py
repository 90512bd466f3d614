"""What ends before it is charged is refused once, in every book; what is charged first stays charged."""

from typing import Final

import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Accepted, Held, Scheduled
from chalicelib.domain.refusals import by_content
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine, added_up
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import ledger, messages, queues, usage
from chalicelib.store.messages import Noted
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
LATER_MS: Final = NOW_MS + 60_000


def counted() -> UsageLine:
    return added_up(usage.month(ACCOUNT, "2025-10"))


def scheduled() -> wire.Draft:
    world.open_account()
    draft = world.draft()
    fact = Scheduled(at_ms=NOW_MS, content=draft.content, due_ms=LATER_MS)
    messages.put_facts([Noted(ACCOUNT, draft.id, fact, 90)])
    return draft


def end(message: str, status: Status = Status.CANCELED) -> None:
    settle([world.outcomes(world.ended(message, status))], LATER_MS)


def test_what_is_canceled_while_it_is_scheduled_is_refused_once_and_not_charged_by_who_comes_later() -> None:
    draft = scheduled()
    before = world.balance()
    for _ in range(2):
        end(draft.id)
    assert (counted().refused, counted().messages) == (1, 0)
    charge([world.routed(draft)], LATER_MS)  # it was on its way
    end(draft.id)
    assert (counted().refused, counted().messages, dict(counted().ends)) == (1, 0, {})
    assert (world.status(draft.id), world.balance()) == (Status.CANCELED, before)
    assert world.waiting(queues.gateway_queue(world.GATEWAY, "normal")) == []
    (line,) = (line for line in usage.month(ACCOUNT, "2025-10") if line.refused)
    assert line.country == "ES"


def test_what_is_charged_while_it_is_being_canceled_ends_as_charged_and_is_paid_back() -> None:
    draft = scheduled()
    before = world.balance()
    charge([world.routed(draft)], LATER_MS)
    end(draft.id)
    assert (counted().refused, counted().messages, dict(counted().ends)) == (0, 1, {Status.CANCELED: 1})
    assert world.balance() == before


def test_what_was_charged_and_is_not_noted_yet_is_left_to_the_charge() -> None:
    draft = scheduled()
    charge([world.routed(draft)], LATER_MS)
    world_log = messages.log_of(ACCOUNT, ids.day_of(draft.id), 0)
    messages.MessageTable(world_log, f"{draft.id}#queued").delete()
    end(draft.id)
    assert (counted().refused, counted().messages) == (0, 1)


def test_what_is_held_and_dropped_is_refused_under_the_name_that_its_release_would_have() -> None:
    world.open_account()
    draft = world.draft()
    held = wire.Routed(draft=draft, refusal=by_content("spm_1", hold=True))
    bundle = wire.RoutedBundle(id=ids.bundle_of_single(draft.id), account=ACCOUNT, messages=(held,))
    charge([bundle], NOW_MS)
    assert any(isinstance(fact, Held) for fact in world.facts(draft.id))
    assert counted().refused == 0
    end(draft.id, Status.REJECTED)
    released = ids.released_bundle(draft.id)
    charge([wire.RoutedBundle(id=released, account=ACCOUNT, messages=world.routed(draft).messages)], LATER_MS)
    assert (counted().refused, counted().messages) == (1, 0)
    assert ledger.entry(ACCOUNT, released) is not None


def test_what_the_ledger_refused_with_others_is_not_refused_again() -> None:
    world.open_account()
    drafts = [world.draft() for _ in range(2)]
    charge([world.routed(*drafts, by="no_route")], NOW_MS)
    for draft in drafts:
        end(draft.id)
    assert counted().refused == 2


def test_what_expired_on_its_way_to_its_charge_is_counted_once_when_that_comes_after_all() -> None:
    world.open_account()
    draft = world.draft(valid_until_ms=NOW_MS + 1)
    messages.put_facts([Noted(ACCOUNT, draft.id, Accepted(at_ms=NOW_MS, content=draft.content), 90)])
    end(draft.id, Status.EXPIRED)
    charge([world.routed(draft)], LATER_MS)
    assert counted().refused == 1
    assert world.status(draft.id) is Status.EXPIRED
