"""The garbage collector took a seventh of the tests' time: it walked again and again through what stays to the end."""

import gc
from typing import Final

THRESHOLDS: Final = (10_000, 20, 20)  # Python's 700 is for less than moto and the tests' reports leave behind


def pytest_collection_finish() -> None:
    """Of the modules and tests that are loaded now nothing will be garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
