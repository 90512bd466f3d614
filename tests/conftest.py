"""The world of a test: AWS in this process (moto), with the tables, queues and bucket of infra/data.yaml."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.settings import Settings, settings
from chalicelib.store import aws as aws_clients
from chalicelib.store import cached, dynamo, queues, rules
from tests.figures import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]  # a hook: pytest finds it here

PREFIX = "chq-test"
TEMPLATE = Path(__file__).parent.parent / "infra" / "data.yaml"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "CHASQUI_PREFIX": PREFIX,
    "CHASQUI_CURSOR_SECRET": "cursor secret of the tests",
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


@contextmanager
def empty_aws() -> Iterator[None]:
    """The same for a test that needs several, one after the other; it takes the fixture `environment`."""
    with mock_aws():
        cold_start()
        cloudformation: Any = aws_clients.client("cloudformation")
        cloudformation.create_stack(
            StackName=PREFIX,
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": "Prefix", "ParameterValue": PREFIX}],
        )
        yield
    cold_start()


def cold_start() -> None:
    """Forget what the process has learned so far, as a new one would not know it."""
    aws_clients.forget_clients()
    dynamo.connection.cache_clear()
    queues.forget()
    rules.forget()
    cached.forget_all()
