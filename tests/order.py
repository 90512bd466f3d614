"""In what order tests run, and which of them in one process."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

# What takes long begins, the longest first, and small files end: so all workers end at about the same time.
# The longest name that fits counts. A worker is given its next file with the last test of the one before: what
# follows the chaos, a single test, waits for it.
LONG_FIRST: Final = (
    "tests/flows/",
    "tests/flows/test_chaos",
    "tests/packaging/test_handlers",
    "tests/flows/test_running",
    "tests/smpp_bridge/test_outages",
    "tests/smpp_bridge/test_crashes",
    "tests/functions/test_faults",
    "tests/chalicelib/api/test_document",
    "tests/packaging/",
    "tests/smpp_bridge/test_",
    "tests/chalicelib/services/",
    "tests/chalicelib/store/test_ledger_machine",
)
FLOWS: Final = "tests/flows/"
WITH_RUNS_OF_THEIR_OWN: Final = ("tests/flows/test_chaos", "tests/flows/test_running")
LAST_OF_THE_FLOWS: Final = "tests/flows/test_stopping"


class Places(LoadFileScheduling):  # type: ignore[misc]  # xdist tells no types
    """A file's tests go to one process; so do all that share the local run, of which one is enough."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(FLOWS) and not nodeid.startswith(WITH_RUNS_OF_THEIR_OWN):
            return FLOWS
        return str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Places:
    """Who hands out the tests, whatever --dist says, in the order below: xdist's own would put the chaos last."""
    config.option.loadscopereorder = False
    return Places(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order stays."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, bool]:
    fitting = [start for start in LONG_FIRST if item.nodeid.startswith(start)]
    long = LONG_FIRST.index(max(fitting, key=len)) if fitting else len(LONG_FIRST)
    return long, item.nodeid.startswith(LAST_OF_THE_FLOWS)
