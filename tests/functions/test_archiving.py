"""A night of the archive as its functions do it: all that is due is begun and ends, with what their policies allow."""

import time
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.services import export_cdrs, forget_number
from chalicelib.store import accounts, cached, cdrs, day_summaries, queues
from functions import archiving
from infra.local import pumps, schedules
from tests.chalicelib.services import world
from tests.chalicelib.services.test_forget_number import NUMBER, Traces
from tests.chalicelib.services.world import ACCOUNT
from tests.functions.test_upkeep import NOON, event, fire
from tests.infra.test_permissions import Recorder

YESTERDAY = ids.day_at(time.time_ns() // 1_000_000 - 86_400_000)


@pytest.mark.usefixtures("environment")
def test_days_are_closed_after_the_night_audit() -> None:
    from app import app

    due = {timer.function: schedules.parse(timer.expression) for timer in pumps.timers(app)}
    assert due["archive_nightly"].next_after(NOON) == datetime(2026, 11, 23, 4, 15, tzinfo=UTC)


@pytest.mark.usefixtures("aws", "own_logging")
def test_a_night_closes_blanks_exports_and_erases_with_what_its_functions_may(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import app

    Traces()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    terms = msgspec.structs.replace(row.value, text_days=3, retention_days=3_650)
    assert accounts.change(ACCOUNT, row.version, terms)
    cached.forget_all()
    erasure = forget_number.begin(NUMBER, None, "key:k", 0, here=True)
    now_ms = time.time_ns() // 1_000_000
    days = date(2025, 10, 9), date(2025, 10, 10)
    export = export_cdrs.begin(terms, *days, "UTC", "csv", full=False, now_ms=now_ms)
    recorder = Recorder()
    with recorder.allowed("archive_nightly"):
        fire("archive_nightly")
    (listener,) = (one for one in pumps.listeners(app) if one.queue.endswith(f"-{queues.ARCHIVES}"))
    assert listener.batch_size == 1
    done: list[str] = []
    while bundles := world.waiting(queues.ARCHIVES):
        for bundle in bundles:
            assert isinstance(bundle, wire.ArchiveWork)
            done.append(bundle.what)
            with recorder.allowed("archive"):
                assert pumps.call(listener.function, listener.handle, event(bundle))
    assert set(done) == {"close", "blank", "export", "erase"}
    assert day_summaries.accounts_of(YESTERDAY) == {ACCOUNT}
    closed = cdrs.closed(YESTERDAY, ACCOUNT)
    assert closed is not None
    assert (closed.final, closed.records) == (False, 0)
    assert export_cdrs.state(ACCOUNT, export)[0] is not None
    told = forget_number.read(erasure.id)
    assert told.looks == 1
    assert {"messages", "cdrs"} <= told.did.keys()
    assert world.waiting(queues.DEAD) == []


def test_every_work_has_its_step() -> None:
    kinds: Any = wire.ArchiveWork.__annotations__["what"]
    assert set(archiving._STEPS) == set(kinds.__args__)
