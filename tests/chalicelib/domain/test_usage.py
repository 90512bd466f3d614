"""Usage lines: quarters of an hour that add up to the days of any time zone."""

import pytest

from chalicelib.domain import latency
from chalicelib.domain.status import Status
from chalicelib.domain.usage import SLOT_MS, UsageLine, added_up, begins_ms, by_day, merged, slot_at

NOW_MS = 1_760_000_000_000  # 2025-10-09T08:53:20Z


@pytest.mark.parametrize(
    ("at_ms", "slot"),
    [
        (NOW_MS, "2025-10-09T08:45"),
        (0, "1970-01-01T00:00"),
        (SLOT_MS - 1, "1970-01-01T00:00"),
        (SLOT_MS, "1970-01-01T00:15"),
    ],
)
def test_a_slot_begins_with_its_quarter(at_ms: int, slot: str) -> None:
    assert slot_at(at_ms) == slot
    assert begins_ms(slot) == at_ms - at_ms % SLOT_MS


def line(slot: str = "2025-10-09T08:45", **counted: object) -> UsageLine:
    return UsageLine(slot=slot, country="ES", operator="o", gateway="g", **counted)  # type: ignore[arg-type]


def test_lines_of_one_key_are_added_up_with_their_ends_and_latencies() -> None:
    some = [
        line(messages=1, parts=2, ends={Status.EXPIRED: 1}),
        line("2025-10-09T09:00", messages=5),
        line(messages=1, ends={Status.EXPIRED: -1, Status.DELIVERED: 1}, latencies=latency.add((), 700)),
    ]
    first, other = merged(some)
    assert (first.messages, first.parts, first.ends) == (2, 2, {Status.DELIVERED: 1})
    assert sum(first.latencies) == 1
    assert other == some[1]


def test_a_day_is_the_sum_of_its_slots() -> None:
    (day,) = by_day([line(messages=1), line("2025-10-09T23:45", messages=2, refunded_micros=3)])
    assert day == line("2025-10-09", messages=3, refunded_micros=3)


def test_nothing_adds_up_to_nothing() -> None:
    assert added_up((), slot="s") == UsageLine(slot="s")


def test_what_moves_the_balance_is_a_charge_and_what_comes_back_not_what_is_taken_off_a_slot() -> None:
    moved = UsageLine(
        slot="s", credits_micros=10, refunded_micros=99, paid_back_micros=4, granted_micros=100, adjusted_micros=-1
    )
    assert moved.moved_micros == 93
