"""Times of SMPP 3.4, section 7.1.1, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_bridge.customers.times import BadTime, read_time, write_time

NOW_MS = 1_763_856_000_000  # 2025-11-23 00:00 UTC
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "from_now_ms"),
    [
        ("251123000000000+", 0),
        ("251123000000700+", 700),
        ("251123010000004+", 0),  # an hour ahead of UTC
        ("251122190000020-", 0),  # five hours behind
        ("000000010000000R", HOUR_MS),
        ("000002000000000R", 48 * HOUR_MS),
        ("000100000000000R", 30 * 24 * HOUR_MS),
        ("010000000000000R", 365 * 24 * HOUR_MS),
    ],
)
def test_an_instant_is_told_absolutely_or_from_now(text: str, from_now_ms: int) -> None:
    assert read_time(text, NOW_MS) == NOW_MS + from_now_ms


@pytest.mark.parametrize(
    "text", ["", "251123000000000", "251123000000000Z", "251323000000000+", "251123000000049+", "٢51123000000000+"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        read_time(text, NOW_MS)


@given(st.integers(NOW_MS, NOW_MS + 10 * 365 * 24 * HOUR_MS))
def test_what_is_written_reads_as_the_same_tenth_of_a_second(at_ms: int) -> None:
    assert read_time(write_time(at_ms), NOW_MS) == at_ms - at_ms % 100
