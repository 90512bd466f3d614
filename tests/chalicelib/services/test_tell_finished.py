"""The end of a job's run is told by mail once, whoever dies between telling it and noting it."""

from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain.job import Job
from chalicelib.domain.mail import Kind, Notice
from chalicelib.services import control_job
from chalicelib.services.feed_job import feed
from chalicelib.store import jobs, queues
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, waiting

pytestmark = pytest.mark.usefixtures("aws")
MUCH_LATER_MS = NOW_MS + 30 * 86_400_000  # when nothing can end any more


def told() -> list[Notice]:
    """What is told, twice or not."""
    return [one.notice for one in waiting(queues.MAILS) if isinstance(one, wire.MailBundle) and one.notice]


def fed(**more: Any) -> Job:
    """A job to three, all of which are on their way."""
    world.open_world()
    made = world.create(world.listed(3), **more)
    world.carry_on(turns=1)
    return made.job


def test_a_run_that_is_over_is_told_with_what_it_was() -> None:
    job = fed(name="Rebajas")
    assert told() == []
    for _ in range(2):
        feed(ACCOUNT, job.id, 3, MUCH_LATER_MS)
    (notice,) = told()
    assert (notice.kind, notice.name) == (Kind.JOB_FINISHED, f"{job.id}/{job.runs[-1]}")
    values = {name: notice.values[name] for name in ("job", "job_name", "status", "messages")}
    assert values == {"job": job.id, "job_name": "Rebajas", "status": "completed", "messages": "3"}


def test_who_dies_before_the_end_is_noted_tells_it_again_under_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    job = fed()

    def dies(*_: Any, **__: Any) -> bool:
        raise RuntimeError("power cut")

    with monkeypatch.context() as cut:
        cut.setattr(jobs, "put", dies)
        with pytest.raises(RuntimeError):
            feed(ACCOUNT, job.id, 3, MUCH_LATER_MS)
    feed(ACCOUNT, job.id, 3, MUCH_LATER_MS)
    notices = told()
    assert len(notices) == 2
    assert len({notice.name for notice in notices}) == 1
    assert world.row(job.id).job.status == "completed"


def test_a_job_that_cannot_be_prepared_has_failed_and_says_so() -> None:
    world.open_world()
    made = world.create_from_file(b"to\nnobody\n")
    assert world.row(made.job.id).job.status == "failed"
    (notice,) = told()
    assert (notice.values["status"], "messages" in notice.values) == ("failed", False)


def test_a_run_that_is_stopped_is_told_once_and_one_that_sent_nothing_is_not() -> None:
    job = fed()
    for _ in range(2):
        control_job.stop(ACCOUNT, job.id, NOW_MS)
    (notice,) = told()
    assert (notice.name, notice.values["status"]) == (f"{job.id}/{job.runs[-1]}", "stopped")
    never = world.create(world.listed(3), dry_run=True).job
    control_job.stop(ACCOUNT, never.id, NOW_MS)
    assert told() == []
