"""The shared rate bucket: exact over all who take of it, in few calls."""

import random

import pytest

from chalicelib.store import rates
from tests.chalicelib.services.world import NOW_MS, Calls

RATE = rates.Rate("b", 10, 5)
SLOW = rates.Rate("slow", 0.1, 1)
pytestmark = pytest.mark.usefixtures("aws")


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    taken = [rates.take(RATE, 1, NOW_MS).count for _ in range(7)]
    assert taken == [1, 1, 1, 1, 1, 0, 0]
    refused = rates.take(RATE, 1, NOW_MS)
    assert (refused.count, refused.wait_ms) == (0, 100)
    assert rates.take(RATE, 1, NOW_MS + 99).count == 0
    assert rates.take(RATE, 3, NOW_MS + 200).count == 2


def test_no_more_is_given_than_is_asked_for_or_than_it_holds() -> None:
    assert rates.take(RATE, 3, NOW_MS).count == 3
    assert rates.take(RATE, 9, NOW_MS).count == 2
    assert rates.take(rates.Rate("other", 10, 5), 9, NOW_MS).count == 5


def test_a_slow_rate_says_when_to_come_again() -> None:
    assert rates.take(SLOW, 1, NOW_MS).count == 1
    assert rates.take(SLOW, 1, NOW_MS + 4_000).wait_ms == 6_000
    assert rates.take(SLOW, 1, NOW_MS + 10_000).count == 1


def test_to_take_is_one_call_for_who_took_last_and_two_for_another() -> None:
    calls = Calls("dynamodb")
    first = rates.take(RATE, 1, NOW_MS)
    rates.take(RATE, 1, NOW_MS, first.until_us)
    assert calls.made == ["UpdateItem"] * 2
    rates.take(RATE, 1, NOW_MS)
    assert calls.of("UpdateItem") == 4


def test_over_any_time_it_gives_at_most_the_rate_and_the_burst() -> None:
    chance = random.Random(5)
    now_ms, given = NOW_MS, 0
    for _ in range(100):
        now_ms += chance.randrange(60)
        given += rates.take(rates.Rate("b", 20, 7), chance.randrange(1, 6), now_ms).count
        assert given <= 7 + (now_ms - NOW_MS) * 20 / 1000 + 1e-6
    assert given >= (now_ms - NOW_MS) * 20 / 1000 * 0.95


def test_a_clock_that_goes_back_gives_nothing_more() -> None:
    rates.take(RATE, 5, NOW_MS)
    assert rates.take(RATE, 5, NOW_MS - 5_000).count == 0
