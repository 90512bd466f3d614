"""The statement: every movement once, newest first, each with what the account had after it."""

from collections.abc import Iterator
from datetime import date

import pytest

from chalicelib.domain.status import Status
from chalicelib.services import read_ledger
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.read_ledger import Line, Places, places, statement
from chalicelib.services.settle import settle
from chalicelib.store import ledger
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")
DAY_MS = 86_400_000
EVERYTHING = places(None, None)


def grant(entry: str, amount_micros: int, at_ms: int) -> None:
    assert ledger.grant(ACCOUNT, entry, amount_micros, who="admin", why="paid", now_ms=at_ms)


def pages(asked: Places = EVERYTHING, limit: int = 100) -> Iterator[list[Line]]:
    position = None
    while True:
        lines, after = statement(ACCOUNT, asked, position, limit)
        yield lines
        if after is None:
            return
        position = {"after": after.after, "balance_micros": after.balance_micros}  # as a cursor brings it back


def told(asked: Places = EVERYTHING, limit: int = 100) -> list[tuple[str, int, int]]:
    return [
        (line.entry.id, line.entry.amount_micros, line.balance_micros)
        for lines in pages(asked, limit)
        for line in lines
    ]


def test_a_line_says_what_moved_why_by_whom_for_what_and_what_was_left() -> None:
    world.open_account(credit_micros=10 * PRICE_MICROS)
    one, two, three = world.draft(parts=2), world.draft(), world.draft()
    charge([world.routed(one)], NOW_MS + 1)
    charge([world.routed(two, three)], NOW_MS + 2)
    settle([world.outcomes(world.ended(one.id, Status.REJECTED))], NOW_MS + 3)

    refund, several, single, grant = (line for lines in pages() for line in lines)
    assert (grant.entry.kind, grant.entry.who, grant.entry.why) == ("grant", "test", "opening")
    assert (single.entry.kind, single.entry.amount_micros, single.entry.message) == (
        "charge", -2 * PRICE_MICROS, one.id,
    )  # fmt: skip
    assert (several.entry.id, several.entry.message) == (two.id.removeprefix("msg_"), None)
    assert (refund.entry.kind, refund.entry.why, refund.entry.message) == ("refund", "refused", one.id)
    assert [line.balance_micros // PRICE_MICROS for line in (grant, single, several, refund)] == [10, 8, 6, 8]


def test_the_order_is_that_of_time_whatever_the_names() -> None:
    world.open_account(credit_micros=0)
    for at, name in enumerate(["z", "a", "01/refund", "m"]):
        grant(name, 10**at, NOW_MS + at)
    assert told() == [("m", 1000, 1111), ("01/refund", 100, 111), ("a", 10, 11), ("z", 1, 1)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_join_without_gap_or_repetition_also_within_a_millisecond(limit: int) -> None:
    world.open_account(credit_micros=0)
    for number in range(7):
        grant(f"g{number}", 1, NOW_MS + number // 3)
    found = told(limit=limit)
    assert [name for name, _, _ in found] == [f"g{number}" for number in range(6, -1, -1)]
    assert [balance for _, _, balance in found] == [7, 6, 5, 4, 3, 2, 1]


def test_what_is_posted_while_somebody_reads_on_changes_no_later_page() -> None:
    world.open_account(credit_micros=0)
    for number in range(4):
        grant(f"g{number}", 1, NOW_MS + number)
    reading = pages(limit=2)
    first = next(reading)
    grant("new", 50, NOW_MS + 9)
    second = next(reading)
    assert [line.balance_micros for line in (*first, *second)] == [4, 3, 2, 1]


def test_what_costs_nothing_is_not_a_line() -> None:
    world.open_account(credit_micros=PRICE_MICROS)
    charge([world.routed(world.draft(), by=world.decision(price_micros=0))], NOW_MS + 1)
    charge([world.routed(world.draft(), by="no_route")], NOW_MS + 2)
    charge([world.routed(world.draft(parts=2))], NOW_MS + 3)  # more than there is
    assert [name for name, _, _ in told()] == ["opening"]
    assert len(ledger.entries(ACCOUNT).items) == 4


DAY = date(2025, 10, 9)  # of NOW_MS, 08:53 UTC


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ["c", "b2", "b1", "a"]),
        (DAY, None, ["c", "b2", "b1"]),
        (DAY, DAY, ["b2", "b1"]),
        (None, DAY, ["b2", "b1", "a"]),
        (None, date(2025, 10, 8), ["a"]),
        (date(2025, 10, 10), date(2025, 10, 10), ["c"]),
        (date(2025, 10, 11), None, []),
        (None, date(1, 1, 1), []),
        (date(9999, 12, 31), date(9999, 12, 31), []),
    ],
)
def test_days_are_utc_and_both_included_and_their_balances_are_those_of_then(
    monkeypatch: pytest.MonkeyPatch, first: date | None, last: date | None, expected: list[str]
) -> None:
    monkeypatch.setattr(read_ledger, "_PASSED_OVER", 1)
    monkeypatch.setattr(read_ledger, "_MAX_READS", 1)  # pages are short, and some empty
    world.open_account(credit_micros=0)
    midnight_ms = NOW_MS // DAY_MS * DAY_MS
    grant("a", 1, midnight_ms - 1)
    grant("b1", 10, midnight_ms)
    grant("b2", 100, midnight_ms + DAY_MS - 1)
    grant("c", 1000, midnight_ms + DAY_MS)
    balances = {"a": 1, "b1": 11, "b2": 111, "c": 1111}
    assert {name: balance for name, _, balance in told(places(first, last), limit=1)} == {
        name: balances[name] for name in expected
    }
    assert [name for name, _, _ in told(places(first, last), limit=2)] == expected


def test_days_in_the_wrong_order_and_accounts_that_are_not_there_are_refused() -> None:
    with pytest.raises(Fault, match="date_from is after date_to"):
        places(date(2025, 2, 1), date(2025, 1, 1))
    with pytest.raises(Fault) as fault:
        statement("nobody", EVERYTHING, None, 10)
    assert fault.value.code == "not_found"


@pytest.mark.parametrize("position", [5, {"after": 1, "balance_micros": 1}, {"after": "x"}])
def test_a_cursor_of_another_time_is_refused(position: object) -> None:
    with pytest.raises(Fault) as fault:
        statement(ACCOUNT, EVERYTHING, position, 10)
    assert fault.value.code == "invalid_cursor"
