"""Times to delivery in buckets: what is added up in parts says what it says as a whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.domain.latency import BOUNDS_MS, BUCKETS, EMPTY, add, bucket_of, merge, quantile

LATENCIES = some.lists(some.integers(min_value=-1000, max_value=10**9), max_size=30)


def counted(latencies: list[int]) -> tuple[int, ...]:
    histogram = EMPTY
    for one in latencies:
        histogram = add(histogram, one)
    return histogram


@pytest.mark.parametrize(
    ("latency_ms", "bucket"),
    [(-5, 0), (0, 0), (500, 0), (501, 1), (60_000, 13), (60_001, 14), (172_800_000, 24), (172_800_001, 25)],
)
def test_a_bound_is_in_its_bucket(latency_ms: int, bucket: int) -> None:
    assert bucket_of(latency_ms) == bucket
    assert add(EMPTY, latency_ms, 3)[bucket] == 3


@given(LATENCIES, LATENCIES)
def test_two_halves_are_the_whole(one: list[int], other: list[int]) -> None:
    assert merge([counted(one), counted(other)]) == counted(one + other)


@given(LATENCIES, some.floats(min_value=0, max_value=1))
def test_a_quantile_lies_in_the_bucket_of_the_latency_that_it_stands_for(latencies: list[int], share: float) -> None:
    told = quantile(counted(latencies), share)
    if not latencies:
        assert told is None
        return
    assert told is not None
    exact = sorted(latencies)[max(0, -int(-share * len(latencies) // 1) - 1)]
    place = bucket_of(exact)
    assert (BOUNDS_MS[place - 1] if place > 0 else 0) <= told <= BOUNDS_MS[min(place, len(BOUNDS_MS) - 1)]


def test_the_median_of_an_even_bucket_is_its_middle() -> None:
    assert quantile(add(EMPTY, 1_200, 100), 0.5) == 1_250
    assert quantile(add(add(EMPTY, 100), 10**10), 1.0) == BOUNDS_MS[-1]
    assert list(BOUNDS_MS) == sorted(set(BOUNDS_MS))
    assert len(BOUNDS_MS) + 1 == BUCKETS
