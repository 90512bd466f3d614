"""The circuit breaker, at times that the test names."""

import pytest

from smpp_bridge.gateways.breaker import UNLIMITED, Breaker, BreakerTerms, Circuit

TERMS = BreakerTerms(window_seconds=10, least_answers=10, share=0.5, open_seconds=30, most_open_seconds=100, probes=3)


def noted(breaker: Breaker, now: float, *, good: int = 0, faults: int = 0) -> Breaker:
    for _ in range(good):
        breaker.note(now, fault=False)
    for _ in range(faults):
        breaker.note(now, fault=True)
    return breaker


@pytest.mark.parametrize(
    ("good", "faults", "circuit"),
    [
        (0, 9, Circuit.CLOSED),
        (0, 10, Circuit.OPEN),
        (6, 5, Circuit.CLOSED),
        (6, 6, Circuit.OPEN),
        (1000, 400, Circuit.CLOSED),
    ],
    ids=["too few to say", "all", "under half", "half", "of many"],
)
def test_it_trips_on_a_share_of_faults(good: int, faults: int, circuit: Circuit) -> None:
    breaker = noted(Breaker(TERMS), 100.0, good=good, faults=faults)
    assert breaker.circuit(100.0) is circuit
    assert breaker.allowance(100.0, 0) == (UNLIMITED if circuit is Circuit.CLOSED else 0)
    assert breaker.trips == (circuit is Circuit.OPEN)


def test_what_is_older_than_the_window_counts_no_more() -> None:
    breaker = noted(Breaker(TERMS), 100.0, faults=9)
    noted(breaker, 111.0, good=5, faults=4)
    assert breaker.circuit(111.0) is Circuit.CLOSED
    noted(breaker, 112.0, faults=1)
    assert breaker.circuit(112.0) is Circuit.OPEN


def test_after_a_while_a_few_are_let_through_and_if_none_fails_it_closes() -> None:
    breaker = noted(Breaker(TERMS), 100.0, faults=10)
    assert breaker.circuit(129.9) is Circuit.OPEN
    assert breaker.circuit(130.0) is Circuit.HALF_OPEN
    assert [breaker.allowance(130.0, in_flight) for in_flight in (0, 1, 3, 9)] == [3, 2, 0, 0]
    noted(breaker, 130.0, good=2)
    assert (breaker.circuit(130.0), breaker.allowance(130.0, 0)) == (Circuit.HALF_OPEN, 1)
    noted(breaker, 130.0, good=1)
    assert breaker.circuit(130.0) is Circuit.CLOSED
    noted(breaker, 131.0, faults=9)
    assert breaker.circuit(131.0) is Circuit.CLOSED  # what was before is forgotten


def test_a_probe_that_fails_opens_it_for_longer_up_to_a_limit_and_a_success_resets_that() -> None:
    breaker, now = noted(Breaker(TERMS), 0.0, faults=10), 0.0
    for seconds in (30, 60, 100, 100):
        assert breaker.circuit(now + seconds - 0.1) is Circuit.OPEN
        now += seconds
        assert breaker.circuit(now) is Circuit.HALF_OPEN
        noted(breaker, now, faults=1)
    now += 100
    noted(breaker, now, good=3)
    noted(breaker, now, faults=10)
    assert breaker.circuit(now + 29.9) is Circuit.OPEN
    assert breaker.circuit(now + 30) is Circuit.HALF_OPEN
    assert breaker.trips == 6


def test_late_answers_say_nothing_while_it_is_open() -> None:
    breaker = noted(Breaker(TERMS), 0.0, faults=10)
    noted(breaker, 1.0, good=100, faults=100)
    assert (breaker.circuit(29.9), breaker.circuit(30.0)) == (Circuit.OPEN, Circuit.HALF_OPEN)
