"""Jobs to groups of contacts, as the groups are when the job's time comes; and what a job's messages are taken for."""

import msgspec
import pytest

from chalicelib.domain.account import Traffic
from chalicelib.domain.job import Source
from chalicelib.domain.schedule import Timing
from chalicelib.services import keep_contacts, keep_groups
from chalicelib.services.faults import Fault
from chalicelib.store import accounts
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
DAY_MS = 86_400_000
FIRST_MS = NOW_MS + 3_600_000


def test_a_repeated_job_passes_over_a_time_at_which_its_groups_are_empty_and_goes_on_with_the_next() -> None:
    account = world.open_world()
    group = keep_groups.create(ACCOUNT, "customers", NOW_MS)
    timing = Timing(start_ms=FIRST_MS, repeat="daily")
    made = world.create(source=Source(kind="groups", groups=(group.id,)), timing=timing, next_ms=FIRST_MS)
    world.carry_on(stages=("prepare",))
    assert (world.row(made.job.id).job.status, world.row(made.job.id).job.next_ms) == ("scheduled", FIRST_MS)

    for _ in range(2):  # the record of the first time comes twice
        world.go_on(world.work_of_start(made.job.id, FIRST_MS), FIRST_MS)
        world.carry_on(FIRST_MS)
    passed = world.row(made.job.id).job
    assert (passed.status, passed.next_ms, passed.runs) == ("scheduled", FIRST_MS + DAY_MS, ())

    keep_contacts.create(account, "+34600000001", "Ana", {}, group_ids=[group.id], now_ms=FIRST_MS)
    world.go_on(world.work_of_start(made.job.id, FIRST_MS + DAY_MS), FIRST_MS + DAY_MS)
    world.carry_on(FIRST_MS + DAY_MS, charged=True, turns=3)
    sent = world.row(made.job.id).job
    assert (sent.survey and sent.survey.valid, len(sent.runs)) == (1, 1)


def test_a_job_to_an_empty_group_that_does_not_repeat_fails_when_its_time_comes() -> None:
    world.open_world()
    group = keep_groups.create(ACCOUNT, "customers", NOW_MS)
    made = world.create(
        source=Source(kind="groups", groups=(group.id,)), timing=Timing(start_ms=FIRST_MS), next_ms=FIRST_MS
    )
    world.carry_on(stages=("prepare",))
    world.go_on(world.work_of_start(made.job.id, FIRST_MS), FIRST_MS)
    world.carry_on(FIRST_MS)
    ended = world.row(made.job.id).job
    assert (ended.status, ended.failure and ended.failure.code) == ("failed", "no_recipients")


@pytest.mark.parametrize(
    ("right", "asked", "sent_as"),
    [
        ("promotional", None, "promotional"),
        ("transactional", None, "transactional"),
        ("transactional", "promotional", "promotional"),
        ("promotional", "transactional", None),
    ],
)
def test_a_jobs_messages_are_of_the_category_that_it_asks_for_or_its_account_has(
    right: Traffic, asked: Traffic | None, sent_as: Traffic | None
) -> None:
    world.open_world()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    assert accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, traffic=right))
    if sent_as is None:
        with pytest.raises(Fault) as refused:
            world.create(world.listed(1), category=asked)
        assert [(fault.field, fault.code) for fault in refused.value.fields] == [("/category", "not_allowed")]
        return
    made = world.create(world.listed(2), category=asked)
    world.carry_on(turns=1)
    world.charge_all()
    of_job = world.messages_of(made.job.id)
    assert [message.content and message.content.category for message in of_job] == [sent_as] * 2
