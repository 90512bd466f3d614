"""Wallet, ledger and usage move together, under a name, once."""

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.usage import UsageLine
from chalicelib.store import accounts, ledger, usage, wallets
from chalicelib.store.wallets import NoWallet

pytestmark = pytest.mark.usefixtures("aws")
NOW_MS = 1_760_000_000_000


@pytest.fixture(autouse=True)
def account(aws: object) -> None:
    assert accounts.create(Account(id="a", name="Acme", created_ms=NOW_MS))


def grant(entry: str, amount_micros: int, account: str = "a") -> bool:
    return ledger.grant(account, entry, amount_micros, who="admin", why="paid", now_ms=NOW_MS)


def available() -> tuple[int, int]:
    wallet = wallets.get("a", consistent=True)
    assert wallet is not None
    return wallet.balance_micros, wallet.available_micros


def test_a_grant_is_made_once_under_its_name() -> None:
    assert grant("01A", 500)
    assert not grant("01A", 500)
    assert available() == (500, 500)
    (entry,) = ledger.entries("a").items
    assert (entry.kind, entry.amount_micros, entry.who, entry.why, entry.at_ms) == (
        "grant", 500, "admin", "paid", NOW_MS,
    )  # fmt: skip


def test_what_is_taken_away_is_an_adjustment() -> None:
    assert grant("01A", 500)
    assert grant("01B", -600)
    assert available() == (-100, -100)
    assert [entry.kind for entry in ledger.entries("a").items] == ["adjustment", "grant"]


def test_nobody_grants_to_an_account_that_is_not_there() -> None:
    with pytest.raises(wallets.NoWallet):
        grant("01A", 500, account="nobody")
    assert ledger.entries("nobody").items == ()


def test_a_credit_limit_widens_what_is_available_and_moves_no_money() -> None:
    grant("01A", 500)
    wallets.set_credit_limit("a", 200)
    assert available() == (500, 700)
    wallets.set_credit_limit("a", 50)
    wallet = wallets.get("a")
    assert wallet is not None
    assert (wallet.balance_micros, wallet.available_micros, wallet.credit_limit_micros) == (500, 550, 50)


def test_an_account_that_is_not_there_has_no_limit_to_set() -> None:
    with pytest.raises(wallets.NoWallet):
        wallets.set_credit_limit("nobody", 1)


def test_a_cached_wallet_is_a_second_old_at_most() -> None:
    wallets.cached("a", NOW_MS)
    grant("01A", 500)
    assert [wallet.balance_micros for at in (999, 1000) if (wallet := wallets.cached("a", NOW_MS + at))] == [0, 500]


def test_a_refund_is_made_once_and_tells_the_first_time() -> None:
    line = UsageLine(slot="2025-10-09T08:45", country="ES", operator="op", gateway="g", refunded_micros=70)
    asked = ledger.Refund("01A/refund", line, "rejected")
    first = ledger.refund("a", [asked], NOW_MS)["01A/refund"]
    assert ledger.refund("a", [asked], NOW_MS + 5) == {"01A/refund": first}
    assert (first.kind, first.amount_micros, first.at_ms) == ("refund", 70, NOW_MS)
    assert available() == (70, 70)
    assert usage.month("a", "2025-10") == [msgspec.structs.replace(line, paid_back_micros=70)]


def test_many_refunds_go_together_and_those_that_were_made_stay_as_they_are() -> None:
    line = UsageLine(slot="2025-10-09T08:45", country="ES", operator="op", gateway="g", refunded_micros=7)
    asked = [ledger.Refund(f"{number:03}/refund", line, "canceled") for number in range(120)]
    ledger.refund("a", [asked[3], asked[60]], NOW_MS)
    entries = ledger.refund("a", [*asked, asked[0]], NOW_MS + 5)
    assert [entries[one.id].at_ms - NOW_MS for one in asked] == [0 if n in (3, 60) else 5 for n in range(120)]
    assert available() == (840, 840)
    assert usage.month("a", "2025-10") == [msgspec.structs.replace(line, refunded_micros=840, paid_back_micros=840)]


def test_what_is_refunded_late_is_taken_off_its_own_slot_and_paid_back_in_that_of_now() -> None:
    line = UsageLine(slot="2025-10-08T23:45", country="ES", operator="op", gateway="g", refunded_micros=70)
    grant("01A", 500)
    grant("01B", -20)
    ledger.refund("a", [ledger.Refund("01A/refund", line, "undelivered")], NOW_MS)
    now = UsageLine(slot="2025-10-09T08:45", granted_micros=500, adjusted_micros=-20, paid_back_micros=70)
    assert usage.month("a", "2025-10") == [line, now]
    assert now.moved_micros == available()[0]


def test_a_refund_to_an_account_without_a_wallet_is_an_error() -> None:
    line = UsageLine(slot="2025-10-09T08:45", country="ES", operator="op", gateway="g", refunded_micros=7)
    with pytest.raises(NoWallet):
        ledger.refund("nobody", [ledger.Refund("01A/refund", line, "rejected")], NOW_MS)


def test_a_statement_goes_page_by_page_newest_first() -> None:
    for number in range(5):
        grant(f"01{number}", 1)
    seen = []
    cursor = None
    while True:
        page = ledger.entries("a", cursor, limit=2)
        seen += [entry.id for entry in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["014", "013", "012", "011", "010"]
