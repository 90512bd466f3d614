"""Waits double to a limit, with jitter of the width asked for."""

import pytest

from smpp_bridge.gateways.backoff import Backoff


def test_full_jitter_draws_from_nought_to_a_doubling_ceiling() -> None:
    highest, lowest = Backoff(1.0, 60.0, dice=lambda: 1.0), Backoff(1.0, 60.0, dice=lambda: 0.0)
    assert [highest.next() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [lowest.next() for _ in range(8)] == [0.0] * 8


def test_a_least_share_is_always_waited() -> None:
    lowest = Backoff(1.0, 30.0, least_share=0.5, dice=lambda: 0.0)
    assert [lowest.next() for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]


@pytest.mark.parametrize("steps", [1, 5, 20])
def test_after_a_reset_it_starts_anew(steps: int) -> None:
    backoff = Backoff(1.0, 60.0, dice=lambda: 1.0)
    for _ in range(steps):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 1.0
