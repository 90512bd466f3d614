"""The token bucket at a clock turned by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_bridge.gateways.rate import TokenBucket


@pytest.mark.parametrize("per_second", [0.5, 1.0, 30.0, 1000.0])
def test_over_a_long_time_it_gives_the_rate(per_second: float) -> None:
    bucket = TokenBucket(per_second, 0.0)
    spent = 0
    for step in range(1, 100_001):
        ready = bucket.available(step / 1000)
        bucket.spend(ready)
        spent += ready
    assert spent == pytest.approx(per_second * 100, abs=max(2.0, per_second * 0.03))


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=50), st.floats(1.0, 5000.0))
def test_in_no_stretch_of_time_does_it_give_more_than_the_rate_and_a_burst(gaps: list[float], rate: float) -> None:
    bucket = TokenBucket(rate, 0.0)
    now, given_out = 0.0, 0
    for gap in gaps:
        now += gap
        ready = bucket.available(now)
        bucket.spend(ready)
        given_out += ready
    assert given_out <= now * rate + 1.0 + rate * 0.02 + 1e-6


def test_idleness_saves_up_hardly_anything() -> None:
    bucket = TokenBucket(100.0, 0.0)
    assert bucket.available(3600.0) == 3


def test_it_tells_how_long_to_wait() -> None:
    bucket = TokenBucket(4.0, 0.0)
    bucket.spend(bucket.available(0.0))
    wait = bucket.wait(0.0)
    assert 0.2 < wait <= 0.25
    assert bucket.wait(0.2) == pytest.approx(wait - 0.2)
    assert (bucket.available(wait - 0.001), bucket.available(wait + 0.001)) == (0, 1)
    assert bucket.wait(wait + 0.001) == 0.0


def test_throttling_lowers_it_to_a_tenth_at_least_and_it_comes_back() -> None:
    bucket = TokenBucket(100.0, 0.0)
    bucket.slow(0.0)
    assert bucket.rate == pytest.approx(70.0)
    for _ in range(20):
        bucket.slow(0.0)
    assert bucket.rate == pytest.approx(10.0)
    bucket.available(45.0)
    assert bucket.rate == pytest.approx(55.0)
    bucket.available(1000.0)
    assert bucket.rate == 100.0


def test_a_change_takes_effect_at_once_and_takes_away_what_was_saved() -> None:
    bucket = TokenBucket(1000.0, 0.0)
    bucket.change(10.0, 0.0)
    assert bucket.available(0.0) == 1
    bucket.spend(1)
    assert 0.08 <= bucket.wait(0.0) <= 0.1


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(10.0, 100.0)
    bucket.spend(bucket.available(100.0))
    assert bucket.available(100.0) == bucket.available(50.0) == 0
