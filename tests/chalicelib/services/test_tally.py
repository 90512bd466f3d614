"""A job's progress: each message counts once, however often and in whatever company its news come."""

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.job import Tally
from chalicelib.domain.refusals import by_content
from chalicelib.domain.status import Status
from chalicelib.services import control_job, feed_job
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import job_tallies
from tests.chalicelib.services import jobs_world, world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
RUN = ids.new_run_id(NOW_MS)
LATER_MS = NOW_MS + 10_000


def message(number: int) -> str:
    return ids.run_message_id(RUN, number)


def drafts(count: int, parts: int = 1) -> list[wire.Draft]:
    return [msgspec.structs.replace(world.draft(parts=parts), id=message(number)) for number in range(count)]


def bundle(*happened: wire.Outcome) -> wire.OutcomeBundle:
    return world.outcomes(*happened)


def tally() -> Tally:
    return job_tallies.of_runs([RUN])


def told(found: Tally) -> tuple[int, int, int, dict[Status, int]]:
    return found.charged, found.submitted, found.left, found.ends


def test_charged_submitted_and_ended_messages_are_counted_and_a_replay_changes_nothing() -> None:
    world.open_account()
    routed = world.routed(*drafts(3))
    happened = [
        bundle(world.submitted(message(0), "A0"), world.submitted(message(1), "A1")),
        bundle(world.receipt("A0"), world.ended(message(2), Status.REJECTED)),
    ]
    for _ in range(2):
        charge([routed], NOW_MS)
        settle(happened, LATER_MS)
    for one in reversed(happened):
        settle([one], LATER_MS)
    assert told(tally()) == (3, 2, 3, {Status.DELIVERED: 1, Status.REJECTED: 1})


def test_a_message_that_expired_and_was_delivered_after_all_counts_as_delivered_only() -> None:
    world.open_account()
    charge([world.routed(*drafts(2))], NOW_MS)
    settle([bundle(*(world.submitted(message(at), f"A{at}") for at in range(2)))], LATER_MS)
    settle([bundle(*(world.ended(message(at), Status.EXPIRED, refundable=False) for at in range(2)))], LATER_MS)
    settle([bundle(world.receipt("A0"))], LATER_MS)
    assert told(tally()) == (2, 2, 2, {Status.DELIVERED: 1, Status.EXPIRED: 1})
    settle([bundle(world.receipt("A0", status=Status.EXPIRED, after_ms=9000))], LATER_MS)  # too late to matter
    assert told(tally()) == (2, 2, 2, {Status.DELIVERED: 1, Status.EXPIRED: 1})


def test_a_receipt_that_comes_again_by_another_way_does_not_count_again() -> None:
    world.open_account()
    charge([world.routed(*drafts(2))], NOW_MS)
    settle([bundle(world.submitted(message(0), "A0"), world.submitted(message(1), "A1"))], LATER_MS)
    for _ in range(3):
        settle([bundle(world.receipt("A0"))], LATER_MS)
    assert told(tally()) == (2, 2, 2, {Status.DELIVERED: 1})


def test_the_end_of_several_parts_counts_once_whichever_bundles_are_settled_together() -> None:
    world.open_account()
    charge([world.routed(*drafts(1, parts=2))], NOW_MS)
    settle([bundle(*(world.submitted(message(0), f"A{part}", part, 2) for part in (1, 2)))], LATER_MS)
    first, second = bundle(world.receipt("A1")), bundle(world.receipt("A2"))
    for together in ([first, second], [first], [second, first], [second]):
        settle(together, LATER_MS)
        assert told(tally()) == (1, 1, 1, {Status.DELIVERED: 1})


def test_what_a_content_rule_holds_has_not_ended_and_counts_once_when_it_is_let_go() -> None:
    world.open_account()
    (draft,) = drafts(1)
    held = wire.Routed(draft=draft, refusal=by_content("spm_1", hold=True))
    charge([wire.RoutedBundle(id=ids.run_bundle_id(RUN, 0), account=ACCOUNT, messages=(held,))], NOW_MS)
    assert told(tally()) == (0, 0, 1, {})
    let_go = msgspec.structs.replace(world.routed(draft), id=ids.released_bundle(draft.id))
    charge([let_go], NOW_MS)
    settle([bundle(world.submitted(draft.id, "A0"), world.receipt("A0"))], LATER_MS)
    assert told(tally()) == (1, 1, 1, {Status.DELIVERED: 1})


def test_a_job_completes_when_its_last_message_has_ended_however_often_the_first_did() -> None:
    jobs_world.open_world()
    made = jobs_world.create(jobs_world.listed(3))
    jobs_world.carry_on(turns=1)
    jobs_world.charge_all()
    messages = [ids.run_message_id(made.job.runs[0], at) for at in range(3)]
    settle([bundle(*(world.submitted(one, f"A{at}") for at, one in enumerate(messages)))], LATER_MS)
    for _ in range(4):
        settle([bundle(world.receipt("A0"), world.receipt("A1"))], LATER_MS)
    feed_job.feed(ACCOUNT, made.job.id, 3, LATER_MS)
    assert jobs_world.row(made.job.id).job.status == "running"
    settle([bundle(world.receipt("A2"))], LATER_MS)
    feed_job.feed(ACCOUNT, made.job.id, 3, LATER_MS)
    assert jobs_world.row(made.job.id).job.status == "completed"


def test_the_runs_of_a_job_that_was_resumed_are_counted_together() -> None:
    jobs_world.open_world()
    made = jobs_world.create(jobs_world.listed(120))
    jobs_world.carry_on(turns=1)
    control_job.pause(ACCOUNT, made.job.id, NOW_MS)
    control_job.resume(ACCOUNT, made.job.id, NOW_MS)
    jobs_world.carry_on(turns=3)
    jobs_world.charge_all()
    assert jobs_world.tally(made.job.id).charged == 120
