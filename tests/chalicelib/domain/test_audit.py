"""The auditor's comparisons: a wallet at rest to the micro, one that moves within what may have moved."""

import msgspec
import pytest

from chalicelib.domain.account import Wallet
from chalicelib.domain.audit import (
    CLOCKS_MS,
    POSTED_MS,
    Check,
    Difference,
    LedgerSum,
    confirmed,
    of_usage,
    of_wallet,
)
from chalicelib.domain.charging import EntryKind, LedgerEntry
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine

READ_MS = 1_760_000_000_000
LONG_AGO_MS = READ_MS - POSTED_MS - 1


def entry(amount_micros: int, at_ms: int = LONG_AGO_MS, kind: EntryKind = "grant") -> LedgerEntry:
    return LedgerEntry(account="a", id="e", kind=kind, amount_micros=amount_micros, at_ms=at_ms, who="w", why="y")


def summed(*entries: LedgerEntry) -> LedgerSum:
    added_up = LedgerSum()
    for one in entries:
        added_up.add(one, READ_MS)
    return added_up


def wallet(balance_micros: int, limit_micros: int = 0) -> Wallet:
    return Wallet(account="a", balance_micros=balance_micros, available_micros=balance_micros + limit_micros)


@pytest.mark.parametrize(("balance", "delta"), [(100, None), (101, 1), (99, -1)])
def test_a_wallet_at_rest_is_the_sum_of_its_ledger_to_the_micro(balance: int, delta: int | None) -> None:
    found = of_wallet("a", wallet(balance), wallet(balance), summed(entry(150), entry(-50, READ_MS)))
    assert [(one.check, one.delta) for one in found] == ([] if delta is None else [(Check.WALLET, delta)])


@pytest.mark.parametrize(
    ("balance", "delta"),
    [
        pytest.param(1000, None, id="none of the minute's entries was there yet"),
        pytest.param(930, None, id="all of its charges were"),
        pytest.param(1020, None, id="its credit was"),
        pytest.param(929, -1, id="less than all of its charges can make it"),
        pytest.param(1021, 1, id="more than its credits can make it"),
    ],
)
def test_a_wallet_that_moves_is_between_what_was_posted_and_what_may_have_been(balance: int, delta: int | None) -> None:
    ledger = summed(
        entry(1000),
        entry(-30, READ_MS - 1),
        entry(-40, READ_MS),
        entry(20, READ_MS),
        entry(-500, READ_MS + CLOCKS_MS + 1),
    )
    found = of_wallet("a", wallet(balance), wallet(7), ledger)
    assert [one.delta for one in found] == ([] if delta is None else [delta])


def test_a_ledger_without_a_wallet_is_told_and_an_account_without_either_is_not() -> None:
    assert [one.found for one in of_wallet("a", None, None, summed(entry(5)))] == ["no wallet"]
    assert of_wallet("a", None, None, summed()) == []


def test_a_credit_limit_is_not_below_nothing() -> None:
    assert of_wallet("a", wallet(5, 10), wallet(5, 10), summed(entry(5))) == []
    (found,) = of_wallet("a", wallet(5, -1), wallet(5, -1), summed(entry(5)))
    assert (found.check, found.delta) == (Check.CREDIT_LIMIT, -1)


LINE = UsageLine(slot="2026-11-22", country="ES", operator="o", gateway="g", messages=2, parts=3, credits_micros=9)
NAME = "2026-11-22#ES#o#g"
ENDED = msgspec.structs.replace(LINE, ends={Status.DELIVERED: 1})


@pytest.mark.parametrize(
    ("said", "kept", "delta"),
    [
        pytest.param({NAME: LINE}, [LINE], None, id="the same"),
        pytest.param({NAME: LINE}, [], -2, id="a line is missing"),
        pytest.param({NAME: ENDED}, [LINE], -1, id="an end was not counted"),
        pytest.param({NAME: LINE}, [msgspec.structs.replace(LINE, granted_micros=5, refused=1)], None, id="or of more"),
        pytest.param({}, [LINE], 2, id="a line is of no message"),
        pytest.param(
            {}, [UsageLine(slot="d", country="c", operator="o", gateway="g")], None, id="an empty line is none"
        ),
    ],
)
def test_usage_lines_are_what_the_messages_say(
    said: dict[str, UsageLine], kept: list[UsageLine], delta: int | None
) -> None:
    assert [one.delta for one in of_usage("a", said, kept)] == ([] if delta is None else [delta])


def difference(check: Check, subject: str, delta: int) -> Difference:
    return Difference(account="a", check=check, subject=subject, expected="e", found="f", delta=delta)


def test_only_what_is_found_twice_is_told() -> None:
    first = [difference(Check.USAGE, "x", 1), difference(Check.CHARGE, "y", 2), difference(Check.WALLET, "wallet", 3)]
    again = [
        difference(Check.USAGE, "x", 5),  # it moves: it was read while messages were charged
        difference(Check.CHARGE, "y", 2),
        difference(Check.CHARGE, "new", 2),
        difference(Check.WALLET, "wallet", 4),  # a wallet that moves all the time differs by another amount each time
    ]
    assert confirmed(first, again) == (again[1], again[3])
