"""Jobs: read, priced, fed once each, paused, resumed and stopped; and nobody is written to twice."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.account import AccountState
from chalicelib.domain.job import Job
from chalicelib.domain.schedule import Timing
from chalicelib.domain.status import Status
from chalicelib.services import control_job, feed_job, prepare_job, start_job, survey_recipients
from chalicelib.services.faults import Fault
from chalicelib.services.feed_job import feed
from chalicelib.store import accounts, job_controls, job_files, jobs, queues
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS, balance, ledger_sum, waiting

pytestmark = pytest.mark.usefixtures("aws", "small_steps")
ROWS = 450
STEP = 98


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few messages a step as a bundle has: what is to be seen, is seen with few."""
    for module in (start_job, feed_job):
        monkeypatch.setattr(module, "LEAST_STEP", STEP)
    monkeypatch.setattr(feed_job, "LEAST_AHEAD", 2 * STEP)


def test_a_list_is_surveyed_at_once_and_sent_with_each_recipients_own_text() -> None:
    world.open_world()
    given = [
        {"to": "600 000 001", "First Name": "Ana"},
        {"to": "call me", "First Name": "Luis"},
        {"to": "+34600000001", "First Name": "Ana again"},
        {"to": "+34600000002", "First Name": ""},
        {"to": "+34600000003", "First Name": "{x}"},
        {"to": "+5215512345678", "First Name": "Eva"},
    ]
    made = world.create(given, text="hello {first_name}")
    survey = made.job.survey
    assert survey is not None
    assert (survey.rows, survey.valid, survey.bad, survey.duplicates, survey.refused) == (6, 3, 2, 1, 1)
    assert survey.bad_by_code == {"invalid_number": 1, "missing_value": 1}
    assert survey.refused_by_code == {"no_route": 1}
    assert [(bad.line, bad.code) for bad in survey.first_bad] == [(2, "invalid_number"), (4, "missing_value")]
    assert [one.text for one in survey.first_texts] == ["hello Ana", "hello {x}", "hello Eva"]
    assert survey.price_micros == 2 * PRICE_MICROS
    assert made.job.status == "running"
    bad = job_files.bad(ACCOUNT, made.job.folder, 0)
    assert [(one.line, one.code) for one in bad] == [(2, "invalid_number"), (3, "duplicate"), (4, "missing_value")]

    world.carry_on(turns=1)
    world.charge_all()
    texts = {message.queued.content.text for message in world.messages_of(made.job.id) if message.queued}
    assert texts == {"hello Ana", "hello {x}"}
    assert balance() == ledger_sum() == world.ALL_CREDIT - 2 * PRICE_MICROS
    tally = world.tally(made.job.id)
    assert (tally.charged, tally.ends) == (2, {Status.REJECTED: 1})
    (dispatched,) = waiting(f"gateway-{GATEWAY}-bulk")
    assert isinstance(dispatched, wire.DispatchBundle)
    assert {dispatch.content.job for dispatch in dispatched.messages} == {made.job.id}


@pytest.mark.parametrize("shards", [1, 3])
def test_each_row_of_a_file_gets_one_message_though_every_record_is_done_twice(shards: int) -> None:
    account = world.open_world(shards=shards)
    raw = b"to;n\n" + b"".join(f"{world.number(at)};{at}\n".encode() for at in range(ROWS))
    made = world.create_from_file(raw, text="number {n}")
    assert made.job.status == "running"
    for _ in range(100):
        found = world.works()
        if not found:
            break
        for work in found:
            feed_job._send(made.job, world.row(made.job.id).step, account, NOW_MS)  # type: ignore[arg-type]
            feed(work.account, work.job, work.at, NOW_MS)
            feed(work.account, work.job, work.at, NOW_MS)
        world.charge_all()
        world.leave_all()
        if world.row(made.job.id).step.first == ROWS:  # type: ignore[union-attr]
            break
    texts = Counter(message.content.text for message in world.messages_of(made.job.id) if message.content)
    assert texts == Counter(f"number {at}" for at in range(ROWS))
    assert balance() == ledger_sum() == world.ALL_CREDIT - ROWS * PRICE_MICROS
    assert world.tally(made.job.id).charged == ROWS


def test_feeding_keeps_a_little_ahead_of_the_gateways_only() -> None:
    world.open_world()
    made = world.create_from_file(b"".join(f"{world.number(at)}\n".encode() for at in range(600)))
    for _ in range(10):
        for work in world.works():
            feed(work.account, work.job, work.at, NOW_MS + 60_000)
    fed = sum(len(bundle.messages) for bundle in world.charge_all())
    assert fed == feed_job.LEAST_AHEAD
    assert world.row(made.job.id).step.first == fed  # type: ignore[union-attr]


def test_a_rate_is_kept_by_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_world()
    delays: list[int] = []
    send = queues.send

    def noted(queue: str, bundle: wire.Bundle, *, delay_seconds: int = 0) -> None:
        delays.append(delay_seconds)
        send(queue, bundle, delay_seconds=delay_seconds)

    made = world.create(world.listed(100), rate=10.0)
    monkeypatch.setattr(queues, "send", noted)
    for _ in range(4):
        for work in world.works():
            feed(work.account, work.job, work.at, NOW_MS)
    assert sum(len(bundle.messages) for bundle in world.charge_all()) == 20
    assert world.row(made.job.id).step.first == 20  # type: ignore[union-attr]
    assert max(delays) == 2


def test_a_pause_keeps_what_is_not_fed_and_resume_goes_on_there_under_a_new_run() -> None:
    world.open_world()
    made = world.create(world.listed(190))
    world.carry_on(turns=1)  # the first step
    id_ = made.job.id
    assert control_job.pause(ACCOUNT, id_, NOW_MS).job.status == "paused"
    assert world.carry_on() == 1
    assert world.row(id_).step.first == STEP  # type: ignore[union-attr]
    resumed = control_job.resume(ACCOUNT, id_, NOW_MS + 1000)
    assert len(resumed.job.runs) == 2
    world.carry_on(NOW_MS + 1000, turns=2)
    world.charge_all(NOW_MS + 1000)
    assert len({message.content.to for message in world.messages_of(id_) if message.content}) == 190
    assert len(world.messages_of(id_)) == 190
    assert [control.state for control in job_controls.since(0)] == ["paused", "running"]


def test_a_stop_feeds_no_more_and_cannot_be_undone() -> None:
    world.open_world()
    made = world.create(world.listed(190))
    assert control_job.stop(ACCOUNT, made.job.id, NOW_MS).job.status == "stopped"
    assert control_job.stop(ACCOUNT, made.job.id, NOW_MS).job.status == "stopped"
    world.carry_on()
    assert waiting(queues.BILLING) == []
    with pytest.raises(Fault) as refused:
        control_job.resume(ACCOUNT, made.job.id, NOW_MS)
    assert refused.value.code == "wrong_state"
    control_job.delete(ACCOUNT, made.job.id)
    assert jobs.get(ACCOUNT, made.job.id) is None


def test_without_credit_for_all_of_it_a_job_waits_paused() -> None:
    world.open_world(credit_micros=9 * PRICE_MICROS)
    made = world.create(world.listed(10))
    assert (made.job.status, made.job.failure and made.job.failure.code) == ("paused", "no_credit")
    assert world.carry_on() == 0
    with pytest.raises(Fault) as refused:
        control_job.resume(ACCOUNT, made.job.id, NOW_MS)
    assert refused.value.code == "no_credit"


def account_is(state: AccountState) -> None:
    held = accounts.versioned(ACCOUNT)
    assert held is not None
    assert accounts.change(ACCOUNT, held.version, msgspec.structs.replace(held.value, state=state))


def test_a_job_whose_time_comes_while_its_account_is_suspended_waits_paused_and_goes_on_afterwards() -> None:
    world.open_world()
    made = world.create(world.listed(3), timing=Timing(start_ms=NOW_MS + 1), next_ms=NOW_MS + 1)
    assert made.job.status == "scheduled"
    account_is("suspended")
    world.carry_on(NOW_MS + 2)
    job = world.row(made.job.id).job
    assert (job.status, job.failure and job.failure.code) == ("paused", "account_inactive")
    account_is("active")
    job = control_job.resume(ACCOUNT, made.job.id, NOW_MS + 3).job
    assert (job.status, job.failure) == ("running", None)
    world.carry_on(NOW_MS + 3, turns=1)
    assert len([one for one in waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)]) == 1


def test_a_dry_run_writes_nothing_and_waits_to_be_started() -> None:
    world.open_world()
    made = world.create(world.listed(10), dry_run=True)
    assert made.job.status == "ready"
    assert world.carry_on() == 0
    assert control_job.start(ACCOUNT, made.job.id, NOW_MS).job.status == "running"


def test_a_survey_that_is_broken_off_again_and_again_ends_as_one_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_world()
    monkeypatch.setattr(survey_recipients, "CHUNK_ROWS", 500)
    rows = [f"{world.number(at % 1_100)};{at}" if at % 20 else f"x;{at}" for at in range(1_200)]
    raw = ("to;n\n" + "\n".join(rows)).encode("utf-16")
    whole = world.create_from_file(raw, text="n {n}", dry_run=True).job
    monkeypatch.setattr(prepare_job, "_SECONDS", 0.0)
    monkeypatch.setattr(prepare_job, "_LOOK_EVERY", 170)
    broken = world.create_from_file(raw, text="n {n}", dry_run=True).job
    assert broken.survey == whole.survey
    assert whole.survey is not None
    assert (whole.survey.valid, whole.survey.bad, whole.survey.duplicates) == (1_045, 60, 95)
    for chunk in range(3):
        assert _recipients(broken, chunk) == _recipients(whole, chunk)
    assert job_files.bad(ACCOUNT, broken.folder, 0) == job_files.bad(ACCOUNT, whole.folder, 0)
    assert len(_recipients(whole, 0)) == 500


@pytest.mark.parametrize(
    ("label", "more", "code"),
    [
        ("a placeholder that no column has", {"text": "hello {name}"}, "/text unknown_placeholder"),
        ("a brace alone", {"text": "hello {"}, "/text invalid_placeholder"),
        ("a number column that is not there", {"of_source": {"number_column": "x"}}, "/number_column unknown_column"),
        ("a rate and a spread", {"rate": 1.0, "spread_seconds": 60}, "/rate not_allowed"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_kept(label: str, more: dict[str, Any], code: str) -> None:
    world.open_world()
    with pytest.raises(Fault) as refused:
        world.create_from_file(b"to;city\n+34600000001;Madrid\n", **more)
    assert [f"{field.field} {field.code}" for field in refused.value.fields] == [code], label
    assert jobs.of_account(ACCOUNT).items == ()


@pytest.mark.parametrize("raw", [b"", b"to\n", b"to;n\nx;1\n", b"\0" * 100, b"\xff\xfe"])
def test_a_file_without_a_number_fails_the_job_and_says_so(raw: bytes) -> None:
    world.open_world()
    made = world.create_from_file(raw)
    assert (made.job.status, made.job.failure and made.job.failure.code) == ("failed", "no_recipients")


def _recipients(job: Job, chunk: int) -> tuple[Any, ...]:
    return job_files.recipients(ACCOUNT, job.folder, chunk)
