"""The world of the API's tests."""

import pytest

from chalicelib.settings import Settings
from tests.chalicelib.api.world import World


@pytest.fixture
def world(aws: Settings) -> World:
    """A customer with credit, keys, rules; in an AWS of its own."""
    return World()
