"""One running platform for all flows, on free ports and in a folder of its own, for as long as flows last."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.place import SMSC_JOURNAL
from tests.flows.local_run import LocalRun
from tests.flows.platform import Administrator, Customer, Smsc


@pytest.fixture(scope="package")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the simulator notes each submit in, with its instant (infra.local.smsc.journal)."""
    return tmp_path_factory.mktemp("smsc") / "journal.log"


@pytest.fixture(scope="package")
def local_run(tmp_path_factory: pytest.TempPathFactory, journal: Path) -> Iterator[LocalRun]:
    """The run. Whoever stops it comes last."""
    settings = {
        "CHASQUI_RUN_QUIET": "1",
        "CHASQUI_BRIDGE_LINGER_SECONDS": "0.05",  # fewer calls for a thousand messages, and nobody waits for long
        SMSC_JOURNAL: str(journal),
    }
    run = LocalRun.start(tmp_path_factory.mktemp("run"), **settings)
    try:
        yield run
    finally:
        run.stop()


@pytest.fixture(scope="package")
def card(local_run: LocalRun) -> dict[str, Any]:
    """.run/local.json of a healthy run."""
    return local_run.card()


@pytest.fixture(scope="package")
def smsc(card: dict[str, Any]) -> Smsc:
    """The operator's end, whose receipts come quickly."""
    centre = Smsc(card["smsc"]["admin_url"])
    centre.control(receipt_delay_seconds=0.1)
    return centre


@pytest.fixture(scope="package")
def customer(card: dict[str, Any], smsc: Smsc) -> Customer:
    """The demo account."""
    return Customer(card["base_url"], card["api_key"])


@pytest.fixture(scope="package")
def tester(card: dict[str, Any], smsc: Smsc) -> Customer:
    """The demo account's test key."""
    return Customer(card["base_url"], card["test_key"])


@pytest.fixture(scope="package")
def administrator(card: dict[str, Any]) -> Administrator:
    return Administrator(card["base_url"], card["admin_key"])


@pytest.fixture(scope="package")
def number() -> Callable[[str], str]:
    """A Spanish number that nobody else uses, with the last four digits that choose what the simulator does."""
    fresh = itertools.count()

    def fresh_number(outcome: str = "7777") -> str:
        return f"+34{61900 + next(fresh):05}{outcome}"

    return fresh_number
