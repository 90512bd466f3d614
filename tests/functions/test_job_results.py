"""The file of a job's results: made once, whole, however often its making dies or is overtaken."""

import csv
import io
from collections.abc import Callable
from typing import Final

import pytest
from moto.s3 import models

from chalicelib import wire
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.facts import Final as End
from chalicelib.domain.money import format_amount
from chalicelib.domain.status import Status
from chalicelib.services import feed_job, make_file, report_job, start_job
from chalicelib.store import job_files, made_files, messages, queues
from functions.jobs import job
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS
from tests.functions.lambda_runs import Event, Function
from tests.snapshots import put_back, take

pytestmark = pytest.mark.usefixtures("aws", "small")
ROWS: Final = 130
CALLS: Final = (10, 9)  # of a file's first record, and of its last


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is some thousand bytes, and an invocation some lines."""
    for module in (start_job, feed_job):
        monkeypatch.setattr(module, "LEAST_STEP", ROWS)
    monkeypatch.setattr(made_files, "PART_BYTES", 3_000)
    monkeypatch.setattr(make_file, "_SECONDS", 0.0)
    monkeypatch.setattr(make_file, "_LOOK_EVERY", 50)
    moto_parts(monkeypatch)


def moto_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have moto take parts as small."""
    monkeypatch.setattr(models, "S3_UPLOAD_PART_MIN_SIZE", 1)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Function:
    return Function(job, queues.JOBS, monkeypatch)


def sent(shards: int = 3) -> str:
    world.open_world(shards=shards)
    made = world.create(world.listed(ROWS))
    world.carry_on(turns=2)
    world.charge_all()
    refused = End(at_ms=NOW_MS + 5, status=Status.FAILED, error=ErrorInfo(code="=1+1", title="x"))
    (first,) = (one for one in world.messages_of(made.job.id) if one.id.endswith("-0000000"))
    messages.put_facts([(ACCOUNT, first.id, refused, 5)])
    world.works()
    return made.job.id


def asked(job_id: str, now_ms: int = NOW_MS) -> report_job.Report:
    return report_job.ask(world.row(job_id), now_ms)


def file_of(job_id: str) -> bytes:
    row = world.row(job_id)
    last = report_job._last_asked(row.job)
    assert last is not None
    return job_files.get(report_job._key(row.job, last.id))


def assert_whole(job_id: str) -> None:
    rows = list(csv.DictReader(io.StringIO(file_of(job_id).decode("utf-8-sig"), newline="")))
    assert [row["number"] for row in rows] == [world.number(at) for at in range(ROWS)]
    assert len({row["message_id"] for row in rows}) == ROWS
    assert (rows[0]["status"], rows[0]["error"]) == ("failed", "'=1+1")
    assert {(row["status"], row["error"], row["parts"]) for row in rows[1:]} == {("queued", "", "1")}
    assert rows[1]["charge"] == format_amount(PRICE_MICROS)
    told = asked(job_id, NOW_MS + 1)
    assert told.made is not None
    assert told.made.rows == ROWS


def test_a_file_is_made_record_by_record_and_asked_for_once() -> None:
    id_ = sent()
    for _ in range(3):
        assert asked(id_) == report_job.Report()
    works = world.works(("report",))
    assert len(works) == 1
    world.go_on(works[0])
    turns = 1
    while more := world.works(("report",)):
        world.go_on(more[0])
        turns += 1
    assert turns == 3  # fifty lines each
    assert_whole(id_)
    url = asked(id_, NOW_MS + 1).url
    assert url is not None
    assert "Signature=" in url


def test_a_file_is_made_anew_when_it_is_old_and_the_job_may_still_change() -> None:
    id_ = sent()
    asked(id_)
    world.carry_on(stages=("report",))
    assert asked(id_, NOW_MS + report_job.FRESH_MS - 1).url is not None
    assert asked(id_, NOW_MS + report_job.FRESH_MS).url is None
    (anew,) = world.works(("report",))
    for work in (anew, *[anew] * 2):  # fifty lines each
        world.go_on(work, NOW_MS + report_job.FRESH_MS)
    assert asked(id_, NOW_MS + report_job.FRESH_MS + 1).url is not None


def test_a_record_that_was_lost_is_sent_again_for_the_same_file() -> None:
    id_ = sent()
    asked(id_)
    (lost,) = world.works(("report",))
    assert asked(id_, NOW_MS + report_job.HEAL_MS - 1).url is None
    assert world.works(("report",)) == []
    asked(id_, NOW_MS + report_job.HEAL_MS)
    (again,) = world.works(("report",))
    assert again.id == lost.id


def finish(function: Function) -> None:
    for _ in range(20):
        more = world.works(("report",))
        if not more:
            return
        for work in more:
            world.go_on(work)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("turn", [0, 1], ids=["first", "last"])
@pytest.mark.parametrize("broken", [Function.run_killed, Function.run_overtaken], ids=["killed", "overtaken"])
def test_a_making_that_is_broken_at_any_call_ends_in_one_whole_file(
    function: Function, broken: Callable[[Function, Event, int, int], bool], turn: int
) -> None:
    id_ = sent(shards=1)
    asked(id_)
    works = world.works(("report",))
    for _ in range(2 * turn):  # the first record of three, and the last
        world.go_on(works[0])
        works = world.works(("report",))
    event = function.event(*works, poison=False)
    before = take()
    was_broken, at = True, 0
    while was_broken:
        at += 1
        put_back(before)
        was_broken = broken(function, event, NOW_MS, at)
        function.run(event, NOW_MS)
        finish(function)
        rows = file_of(id_).decode("utf-8-sig").splitlines()
        assert len(rows) == ROWS + 1, at
        assert_whole_lines(rows)
    assert at == 1 + CALLS[turn]


def assert_whole_lines(rows: list[str]) -> None:
    assert [row.partition(",")[0] for row in rows[1:]] == [world.number(at) for at in range(ROWS)]


def test_what_nobody_asks_for_any_more_is_not_made() -> None:
    id_ = sent()
    asked(id_)
    (work,) = world.works(("report",))
    other = wire.JobWork(id="OLD", account=ACCOUNT, job=id_, stage="report")
    world.go_on(other)
    gone = wire.JobWork(id=work.id, account=ACCOUNT, job="job_gone", stage="report")
    world.go_on(gone)
    assert world.works(("report",)) == []
