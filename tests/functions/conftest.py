"""Functions take over the process's logging; after each test here it is given back."""

import logging
from collections.abc import Iterator

import pytest

from functions import logs


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logs.start.cache_clear()
