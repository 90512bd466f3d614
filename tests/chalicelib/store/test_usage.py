"""Usage in the store: read by quarters, over the ends of months."""

import pytest

from chalicelib.domain import latency
from chalicelib.domain.latency import BUCKETS
from chalicelib.domain.status import Status
from chalicelib.domain.usage import SLOT_MS, UsageLine, begins_ms
from chalicelib.store import dynamo, usage

pytestmark = pytest.mark.usefixtures("aws")
ENDS = {Status.DELIVERED: 2, Status.EXPIRED: 1}


def line(slot: str, operator: str = "o", **counted: object) -> UsageLine:
    return UsageLine(slot=slot, country="ES", operator=operator, gateway="g", **counted)  # type: ignore[arg-type]


def put(*lines: UsageLine, account: str = "a") -> None:
    dynamo.transact(lambda transaction: usage.add_to(transaction, account, lines))
    ended = [one for one in lines if one.ends or one.latencies]
    if ended:
        dynamo.transact(lambda transaction: usage.add_ends_to(transaction, account, ended))


def test_a_line_comes_back_as_the_sum_of_what_was_added() -> None:
    every = tuple(range(1, BUCKETS + 1))
    told = line("2026-11-23T10:15", messages=2, parts=3, credits_micros=9, cost_micros=4, ends=ENDS, latencies=every)
    put(told)
    assert usage.month("a", "2026-11") == [told]
    put(told)
    (twice,) = usage.month("a", "2026-11")
    assert (twice.messages, twice.ends[Status.DELIVERED], twice.latencies) == (4, 4, tuple(2 * n for n in every))


SLOTS = ("2026-10-31T23:45", "2026-11-01T00:00", "2026-11-30T23:45", "2026-12-01T00:00", "2026-12-31T23:45")


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-10-31T23:45", "2026-11-01T00:00", SLOTS[:1]),
        ("2026-11-01T00:00", "2026-12-01T00:00", SLOTS[1:3]),
        ("2026-10-31T23:30", "2027-01-01T00:00", SLOTS),
        ("2026-11-01T00:15", "2026-11-30T23:45", ()),
        ("2026-11-01T00:00", "2026-11-01T00:00", ()),
    ],
)
def test_the_slots_that_begin_within_are_read_and_no_others(since: str, until: str, found: tuple[str, ...]) -> None:
    put(*(line(slot, messages=1, ends=ENDS) for slot in SLOTS))
    put(line("2026-11-15T12:00", messages=1), account="another")
    told = usage.between("a", begins_ms(since), begins_ms(until))
    assert tuple(one.slot for one in told) == found
    assert [one.messages for one in told] == [1] * len(found)
    assert [one.ends for one in usage.between("a", begins_ms(since), begins_ms(until), ends=False)] == [{}] * len(found)


def test_from_the_middle_of_a_slot_on_it_is_the_next_one() -> None:
    put(line("2026-11-23T10:00", messages=1), line("2026-11-23T10:15", messages=1))
    since_ms = begins_ms("2026-11-23T10:00") + 1
    assert [one.slot for one in usage.between("a", since_ms, since_ms + SLOT_MS)] == ["2026-11-23T10:15"]


def test_a_day_of_all_accounts_is_found_by_the_index() -> None:
    put(line("2026-11-23T10:15", messages=1, ends=ENDS, latencies=latency.add((), 5)))
    put(line("2026-11-23T00:00", messages=2), account="b")
    put(line("2026-11-24T00:00", messages=9), account="b")
    found = list(usage.of_day("2026-11-23"))
    assert {(one.account, one.line.slot) for one in found} == {("a", "2026-11-23T10:15"), ("b", "2026-11-23T00:00")}
    assert sum(one.line.messages for one in found) == 3
    assert [one.line.ends for one in found if one.line.ends] == [ENDS]
