"""In what order tests run, and which of them in one process."""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadFileScheduling

# Files that mostly wait or take minutes begin, so that all workers end at about the same time.
LONG_FIRST: Final = (
    "tests/flows/test_chaos",
    "tests/flows/",
    "tests/packaging/",
    "tests/smpp_bridge/test_",
    "tests/chalicelib/api/",
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
    """Who hands out the tests, whatever --dist says."""
    return Places(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order stays."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, bool]:
    long = next((n for n, start in enumerate(LONG_FIRST) if item.nodeid.startswith(start)), len(LONG_FIRST))
    return long, item.nodeid.startswith(LAST_OF_THE_FLOWS)
