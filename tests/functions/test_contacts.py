"""Contacts in the jobs' function: imports that die anywhere, and jobs to groups as they stand when the job starts."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from chalicelib.domain.job import Source
from chalicelib.domain.schedule import Timing
from chalicelib.services import control_job, gather_groups, import_contacts, keep_contacts, keep_groups, make_file
from chalicelib.services.start_job import start_when_due
from chalicelib.store import accounts, contacts, job_files, memberships, queues
from chalicelib.store.jobs import JobRow
from functions.jobs import job
from tests.chalicelib.services import jobs_world as world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS
from tests.functions.lambda_runs import Event, Function
from tests.snapshots import put_back, take

pytestmark = pytest.mark.usefixtures("aws")
CALLS: Final = 9  # of an import's first record


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Function:
    return Function(job, queues.JOBS, monkeypatch)


def group(name: str, *at: int) -> str:
    """A new group with these contacts, made where they are not there."""
    made = keep_groups.create(ACCOUNT, name, NOW_MS).id
    account = accounts.get(ACCOUNT)
    assert account is not None
    for one in at:
        if contacts.get(ACCOUNT, world.number(one)) is None:
            keep_contacts.create(account, world.number(one), f"N{one}", {"n": str(one)}, group_ids=(), now_ms=NOW_MS)
    memberships.put(ACCOUNT, [(made, world.number(one)) for one in at])
    return made


def to_groups(*groups: str, **more: Any) -> JobRow:
    made = world.create(source=Source(kind="groups", groups=groups), **{"text": "{name} {n}", **more})
    world.carry_on(stages=("prepare",))
    return world.row(made.job.id)


def texts(row: JobRow) -> list[str]:
    assert row.job.survey is not None
    found = job_files.recipients(ACCOUNT, row.job.folder, 0) if row.job.survey.valid else ()
    return [recipient.text for recipient in found]


def test_who_is_in_several_groups_gets_one_message_with_his_attributes() -> None:
    world.open_world()
    one, two = group("one", 1, 2, 3), group("two", 2, 3, 4)
    row = to_groups(one, two)
    assert row.job.status == "running"
    assert texts(row) == ["N1 1", "N2 2", "N3 3", "N4 4"]
    assert row.job.survey is not None
    assert (row.job.survey.rows, row.job.survey.duplicates) == (4, 0)


def test_a_contact_without_the_attribute_is_a_named_row_and_one_that_is_deleted_is_none() -> None:
    world.open_world()
    some = group("one", 1, 2, 3)
    contacts.delete(ACCOUNT, world.number(2))  # its membership is left, as a race would leave it
    account = accounts.get(ACCOUNT)
    assert account is not None
    keep_contacts.create(account, world.number(9), "", {}, group_ids=[some], now_ms=NOW_MS)
    row = to_groups(some, text="hi {n}")
    assert row.job.survey is not None
    assert (row.job.survey.valid, row.job.survey.bad_by_code) == (2, {"missing_value": 1})


def test_contacts_are_taken_as_they_stand_when_the_job_starts_at_its_time() -> None:
    world.open_world()
    some = group("one", 1, 2)
    start_ms = NOW_MS + 3_600_000
    row = to_groups(some, timing=Timing(start_ms=start_ms), next_ms=start_ms)
    assert (row.job.status, texts(row)) == ("scheduled", ["N1 1", "N2 2"])
    memberships.remove([(some, world.number(1))])
    memberships.put(ACCOUNT, [(group("two", 5), world.number(5)), (some, world.number(5))])
    for _ in range(2):  # two records ask for the start
        start_when_due(ACCOUNT, row.job.id, start_ms, start_ms + 500)
    assert world.row(row.job.id).job.status == "preparing"
    world.carry_on(start_ms + 600, stages=("prepare",))
    begun = world.row(row.job.id)
    assert (begun.job.status, texts(begun), len(begun.job.runs)) == ("running", ["N2 2", "N5 5"], 1)


def test_contacts_are_taken_as_they_stand_when_the_job_is_started_by_hand() -> None:
    world.open_world()
    some = group("one", 1)
    row = to_groups(some, dry_run=True)
    assert (row.job.status, texts(row)) == ("ready", ["N1 1"])
    memberships.put(ACCOUNT, [(some, world.number(group_member(2)))])
    assert control_job.start(ACCOUNT, row.job.id, NOW_MS + 1_000).job.status == "preparing"
    world.carry_on(NOW_MS + 2_000, stages=("prepare",))
    begun = world.row(row.job.id)
    assert (begun.job.status, texts(begun)) == ("running", ["N1 1", "N2 2"])


def group_member(at: int) -> int:
    group(f"of {at}", at)
    return at


def test_what_was_gathered_is_read_again_as_it_was_however_the_groups_change(monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_world()
    some = group("one", *range(30))
    monkeypatch.setattr(make_file, "_SECONDS", 0.0)
    monkeypatch.setattr(make_file, "_LOOK_EVERY", 20)
    made = world.create(source=Source(kind="groups", groups=(some,)), text="{n}", dry_run=True)
    first, *_ = world.works(("prepare",))
    world.go_on(first)  # twenty of them are kept
    memberships.remove((some, world.number(at)) for at in range(15))  # whom it has; they stay
    world.carry_on(stages=("prepare",))
    row = world.row(made.job.id)
    assert texts(row) == [str(at) for at in range(30)]
    memberships.remove((some, world.number(at)) for at in range(30))
    assert gather_groups.freeze(row.job, NOW_MS)
    assert list(memberships.numbers_of(some)) == []


FILE: Final = b"number,name\n" + b"".join(
    f"{world.number(at)},N{at}\n".encode() if at % 10 else b"nobody,x\n" for at in range(40)
)
GOOD: Final = [world.number(at) for at in range(40) if at % 10]


def begun(some: str) -> str:
    upload = "upl_01ARZ3NDEKTSV4RRFFQ69G5FAV"
    job_files.put(job_files.upload_key(ACCOUNT, upload), FILE)
    return import_contacts.begin(ACCOUNT, upload, (some,), None, NOW_MS).id


def assert_imported(id_: str, some: str) -> None:
    told = import_contacts.read(ACCOUNT, id_)
    assert (told.ended, told.rows, told.imported, told.bad) == (True, 40, 36, {"invalid_number": 4})
    assert [contact.number for contact in contacts.after(ACCOUNT, "")] == GOOD
    assert list(memberships.numbers_of(some)) == GOOD
    bad = import_contacts.bad_rows(ACCOUNT, id_, 0)
    assert [row.line for row in bad] == [at + 2 for at in range(0, 40, 10)]


@pytest.mark.parametrize("broken", [Function.run_killed, Function.run_overtaken], ids=["killed", "overtaken"])
def test_an_import_that_is_broken_at_any_call_ends_with_each_row_told_once(
    function: Function, broken: Callable[[Function, Event, int, int], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_contacts, "_SECONDS", 0.0)  # a batch a record
    monkeypatch.setattr(import_contacts, "NEW_AT_ONCE", 15)
    account = world.open_world()
    some = group("all")
    id_ = begun(some)
    event = function.event(*world.works(("import",)), poison=False)
    before = take()
    for at in range(1, CALLS + 1, 3):
        put_back(before)
        assert broken(function, event, NOW_MS, at)
        function.run(event, NOW_MS)
        world.carry_on(stages=("import",))
        assert_imported(id_, some)
        with monkeypatch.context() as limited:  # exactly so many are counted: no more fit than that
            limited.setattr(keep_contacts, "MAX_CONTACTS", len(GOOD) + 1)
            keep_contacts.create(account, world.number(999), "", {}, group_ids=(), now_ms=NOW_MS)
    put_back(before)
    assert not broken(function, event, NOW_MS, CALLS + 1)


def test_what_an_account_has_no_room_for_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_contacts, "MAX_CONTACTS", 25)
    monkeypatch.setattr(import_contacts, "NEW_AT_ONCE", 15)
    world.open_world()
    some = group("all")
    id_ = begun(some)
    world.carry_on(stages=("import",))
    told = import_contacts.read(ACCOUNT, id_)
    assert (told.imported, told.bad) == (25, {"invalid_number": 4, "too_many_contacts": 11})
    assert list(memberships.numbers_of(some)) == GOOD[:25]
