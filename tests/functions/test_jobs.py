"""The jobs' function, broken off or overtaken at every AWS call of a step: each recipient still gets one message."""

from typing import Final

import pytest

from chalicelib import wire
from chalicelib.domain.schedule import Timing
from chalicelib.services import feed_job, start_job
from chalicelib.services.tick import tick
from chalicelib.store import jobs, queues
from functions.jobs import job
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS, balance, ledger_sum, waiting
from tests.functions.lambda_runs import Function

pytestmark = pytest.mark.usefixtures("aws", "small_steps")
ROWS: Final = 30
CALLS: Final = 8  # of a step that feeds: row, account, tallies, recipients, rules, ⟨billing⟩, advance, ⟨jobs⟩
LATER_MS: Final = NOW_MS + 3 * 60_000


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (start_job, feed_job):
        monkeypatch.setattr(module, "LEAST_STEP", 10)
    monkeypatch.setattr(feed_job, "LEAST_AHEAD", 100)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Function:
    return Function(job, queues.JOBS, monkeypatch)


def fed_to_the_end(job_id: str) -> None:
    """Carry the job on, with the scheduler's help where its chain was broken."""
    for turn in range(20):
        now_ms = LATER_MS + turn * 200_000
        tick(now_ms)
        world.carry_on(now_ms, turns=3)
        step = world.row(job_id).step
        if step is not None and step.first == ROWS:
            return
    raise AssertionError("it was never fed")


def assert_each_got_one(job_id: str) -> None:
    world.charge_all()
    recipients = [
        dispatch.content.to
        for bundle in {one.id: one for one in waiting(f"gateway-{GATEWAY}-bulk")}.values()
        if isinstance(bundle, wire.DispatchBundle)
        for dispatch in bundle.messages
    ]
    assert sorted(recipients) == [world.number(at) for at in range(ROWS)]
    assert len(world.messages_of(job_id)) == ROWS
    assert balance() == ledger_sum() == world.ALL_CREDIT - ROWS * PRICE_MICROS
    assert world.tally(job_id).charged == ROWS


@pytest.mark.parametrize("at", range(1, CALLS + 8, 2))
def test_a_step_that_died_at_any_call_is_made_good(function: Function, at: int) -> None:
    world.open_world()
    made = world.create(world.listed(ROWS))
    event = function.event(*world.works(), poison=False)
    function.run_killed(event, NOW_MS, at)
    function.run(event, LATER_MS)
    fed_to_the_end(made.job.id)
    assert_each_got_one(made.job.id)


@pytest.mark.parametrize("at", range(1, CALLS + 8, 3))
def test_a_step_that_another_overtook_at_any_call_changes_nothing(function: Function, at: int) -> None:
    world.open_world()
    made = world.create(world.listed(ROWS))
    event = function.event(*world.works(), poison=False)
    function.run_overtaken(event, NOW_MS, at)
    fed_to_the_end(made.job.id)
    assert_each_got_one(made.job.id)


def test_a_start_that_many_records_ask_for_happens_once() -> None:
    world.open_world()
    start_ms = NOW_MS + 30_000
    timing = Timing(start_ms=start_ms)
    made = world.create(world.listed(ROWS), timing=timing, next_ms=start_ms)
    assert made.job.status == "scheduled"
    for now_ms in (NOW_MS, NOW_MS + 20_000):
        assert tick(now_ms) == 1
    starts = world.works(("start",))
    assert [work.at for work in starts] == [start_ms] * 3  # when it was surveyed, and two ticks
    world.go_on(starts[0], start_ms - 1_000)  # a clock that is ahead of SQS's
    assert world.row(made.job.id).job.status == "scheduled"
    for work in starts:
        world.go_on(work, start_ms + 500)
    row = world.row(made.job.id)
    assert (row.job.status, len(row.job.runs)) == ("running", 1)
    assert list(jobs.due(start_ms + 10**9)) == [(ACCOUNT, made.job.id)]
