"""The audit from the command line: what it prints, what programs get, and how it ends."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.services.charge import charge
from chalicelib.settings import Settings
from chalicelib.store.ledger import LedgerTable
from functions import metrics
from infra import audit
from infra.local import audit as local_audit
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT

NOW_MS = time.time_ns() // 1_000_000
TODAY = ids.day_at(NOW_MS)


def a_message() -> str:
    """A message that was charged just now."""
    world.open_account()
    content = world.draft(valid_until_ms=NOW_MS + 3_600_000).content
    draft = wire.Draft(id=ids.new_message_id(NOW_MS), at_ms=NOW_MS, content=content)
    charge([world.routed(draft)], NOW_MS)
    return draft.id


@pytest.mark.usefixtures("aws")
def test_agreeing_books_end_with_0_and_a_row_an_account(capsys: pytest.CaptureFixture[str]) -> None:
    a_message()
    world.open_account("acc_two")
    assert audit.main(["--until", TODAY, "--pause", "0"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [ACCOUNT, "2", "1", "0.04", "0", "0"] in rows
    assert ["acc_two", "1", "0", "0", "0", "0"] in rows
    assert rows[-1] == ["the", "books", "agree"]


@pytest.mark.usefixtures("aws")
def test_a_difference_ends_with_1_and_is_told_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    message_id = a_message()
    LedgerTable(ACCOUNT, ids.bundle_of_single(message_id)).delete()
    assert audit.main(["--pause", "0"]) == 1
    told = capsys.readouterr().out
    assert f"charge: {ids.bundle_of_single(message_id)}, of {ACCOUNT}" in told
    assert f"messages  {message_id}" in told
    assert "wallet: wallet" in told
    assert told.rstrip().endswith("2 difference(s)")


@pytest.mark.usefixtures("aws")
def test_programs_get_the_outcome_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    message_id = a_message()
    LedgerTable(ACCOUNT, ids.bundle_of_single(message_id)).delete()
    arguments = ["--since", "2025-10-09", "--until", TODAY, "--pause", "0", "--json", "--account", ACCOUNT]
    assert audit.main(arguments) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["since"], told["until"], told["differences"]) == ("2025-10-09", TODAY, 2)
    (line,) = told["accounts"]
    assert {one["check"] for one in line["differences"]} == {"wallet", "charge"}


@pytest.mark.usefixtures("aws")
def test_an_account_that_is_not_there_is_told() -> None:
    with pytest.raises(SystemExit, match="there is no account acc_nobody"):
        audit.main(["--account", "acc_nobody"])


def test_days_the_wrong_way_round_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        audit.main(["--since", "2026-01-02", "--until", "2026-01-01"])
    assert "--since is after --until" in capsys.readouterr().err


def test_without_a_run_it_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHASQUI_RUN_DIR", str(tmp_path))
    assert local_audit.main() == 2
    assert "no run is up" in capsys.readouterr().err


def test_a_difference_is_an_alarm_by_the_figure_that_the_function_counts(environment: Settings) -> None:
    template: dict[str, Any] = load(str(Path(audit.__file__).with_name("alarms.yaml")))
    alarm = template["Resources"]["AuditDifferences"]["Properties"]
    line: dict[str, Any] = metrics.line(AuditDifferences=1)
    (counted,) = line["_aws"]["CloudWatchMetrics"]
    assert alarm["Namespace"] == counted["Namespace"]
    assert [alarm["MetricName"]] == [metric["Name"] for metric in counted["Metrics"]]
    assert [[one["Name"] for one in alarm["Dimensions"]]] == counted["Dimensions"]
