"""The settings of a test, its world (tests.world), and the order of the tests."""

from collections.abc import Iterator

import pytest

from chalicelib.settings import Settings, settings
from tests.figures import pytest_terminal_summary
from tests.world import PREFIX, REGION, TEMPLATE, cold_start, empty_aws

# pytest_terminal_summary is a hook: pytest finds it here
__all__ = ["PREFIX", "TEMPLATE", "cold_start", "empty_aws", "pytest_terminal_summary"]

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "CHASQUI_PREFIX": PREFIX,
    "CHASQUI_CURSOR_SECRET": "cursor secret of the tests",
    "CHASQUI_SECOND_FACTOR": "0",
}

# Files that mostly wait or take minutes begin, so that two workers end at about the same time.
LONG_FIRST = (
    "tests/flows/test_chaos",
    "tests/flows/",
    "tests/packaging/",
    "tests/smpp_bridge/test_",
    "tests/chalicelib/api/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; otherwise the order stays."""
    items.sort(key=lambda item: next((n for n, start in enumerate(LONG_FIRST) if item.nodeid.startswith(start)), 9))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of the tests' stage, with nothing of the machine's AWS configuration."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "CHASQUI_RULES_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture
def aws(environment: Settings) -> Iterator[Settings]:
    """An empty AWS holding the stack of infra/data.yaml; nothing is remembered from the test before."""
    with empty_aws():
        yield environment
