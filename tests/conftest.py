"""The settings of a test, its world (tests.world), and the hooks that pytest finds here."""

from collections.abc import Iterator

import pytest

from chalicelib.settings import Settings, settings
from tests.figures import pytest_terminal_summary
from tests.garbage import pytest_collection_finish
from tests.order import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.world import PREFIX, REGION, TEMPLATE, cold_start, empty_aws

__all__ = [
    "PREFIX",
    "TEMPLATE",
    "cold_start",
    "empty_aws",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_terminal_summary",
    "pytest_xdist_make_scheduler",
]

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "CHASQUI_PREFIX": PREFIX,
    "CHASQUI_CURSOR_SECRET": "cursor secret of the tests",
    "CHASQUI_SECOND_FACTOR": "0",
}


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
