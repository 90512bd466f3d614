"""Rows of one struct each: accounts, keys, rules' rows, and what else is kept by its id."""

import msgspec
import pytest

from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.rules import Gateway, NumberingPrefix
from chalicelib.store import accounts, api_keys, dispatches, idempotency, rule_rows, secrets, wallets
from chalicelib.store.rows import MUST_BE_NEW

pytestmark = pytest.mark.usefixtures("aws")
NOW_MS = 1_760_000_000_000
ACCOUNT = Account(id="acc_1", name="Acme", created_ms=NOW_MS)
GATEWAY = Gateway(id="g", name="A", host="h", port=2775, system_id="s")


def key(id_: str, account: str | None = "acc_1") -> ApiKey:
    return ApiKey(id=id_, role="customer", account=account, mode="live", name="n", secret_sha256="s", created_ms=NOW_MS)


def named(name: str) -> Account:
    return msgspec.structs.replace(ACCOUNT, name=name)


def test_an_account_comes_with_an_empty_wallet_and_only_once() -> None:
    assert accounts.create(ACCOUNT)
    assert not accounts.create(named("another"))
    assert accounts.get("acc_1") == ACCOUNT
    wallet = wallets.get("acc_1")
    assert wallet is not None
    assert (wallet.balance_micros, wallet.available_micros) == (0, 0)
    assert accounts.get("acc_2") is None


def test_of_two_changes_of_the_same_version_one_is_told_that_it_came_late() -> None:
    accounts.create(ACCOUNT)
    row = accounts.versioned("acc_1")
    assert row is not None
    assert accounts.change("acc_1", row.version, named("first"))
    assert not accounts.change("acc_1", row.version, named("second"))
    changed = accounts.versioned("acc_1")
    assert changed is not None
    assert (changed.value.name, changed.version) == ("first", row.version + 1)


def test_an_account_keeps_its_id() -> None:
    with pytest.raises(ValueError, match="keeps its id"):
        accounts.change("acc_2", 1, ACCOUNT)


def test_a_cached_account_is_some_seconds_old_at_most_and_new_where_it_was_changed() -> None:
    accounts.create(ACCOUNT)
    assert accounts.cached("acc_1", NOW_MS) == ACCOUNT
    accounts._rows.put(named("by another process"))
    assert accounts.cached("acc_1", NOW_MS + 4999) == ACCOUNT
    assert accounts.cached("acc_1", NOW_MS + 5000) == named("by another process")
    accounts.change("acc_1", 2, named("here"))
    assert accounts.cached("acc_1", NOW_MS + 5001) == named("here")


def test_what_is_not_there_is_looked_for_again() -> None:
    assert accounts.cached("acc_1", NOW_MS) is None
    accounts.create(ACCOUNT)
    assert accounts.cached("acc_1", NOW_MS) == ACCOUNT


def test_accounts_are_listed_page_by_page() -> None:
    for number in range(5):
        accounts.create(msgspec.structs.replace(ACCOUNT, id=f"acc_{number}"))
    first = accounts.listing(limit=3)
    second = accounts.listing(first.cursor, limit=3)
    assert second.cursor is None
    assert {row.value.id for row in first.items + second.items} == {f"acc_{number}" for number in range(5)}


def test_a_key_is_found_by_its_id_and_by_its_account() -> None:
    assert api_keys.create(key("k1"))
    assert not api_keys.create(key("k1"))
    api_keys.create(key("k2"))
    api_keys.create(key("k3", account=None))
    api_keys.create(key("k4", account="acc_2"))
    assert api_keys.get("k3") == key("k3", account=None)
    assert api_keys.of_account("acc_1") == [key("k1"), key("k2")]


def test_a_key_is_revoked_once_at_the_first_time_and_at_once_here() -> None:
    api_keys.create(key("k1"))
    assert api_keys.cached("k1", NOW_MS) == key("k1")
    revoked = msgspec.structs.replace(key("k1"), revoked_ms=7)
    assert api_keys.revoke("k1", 7) == revoked
    assert api_keys.revoke("k1", 8) == revoked
    assert api_keys.cached("k1", NOW_MS) == revoked
    assert api_keys.of_account("acc_1") == [revoked]
    assert api_keys.revoke("nobody", 7) is None


def test_a_row_is_put_new_over_a_version_or_over_anything() -> None:
    rows = rule_rows.gateways
    assert rows.put(GATEWAY, expected=MUST_BE_NEW)
    assert not rows.put(GATEWAY, expected=MUST_BE_NEW)
    assert rows.put(GATEWAY)
    assert not rows.put(GATEWAY, expected=1)
    assert rows.put(GATEWAY, expected=2)
    row = rows.get("g", consistent=True)
    assert row is not None
    assert (row.value, row.version) == (GATEWAY, 3)
    assert rows.delete("g")
    assert not rows.delete("g")
    assert rows.get("g") is None


def test_a_numbering_plan_is_imported_by_the_batch_and_read_in_order() -> None:
    plan = [NumberingPrefix(prefix=str(34_000 + number), country="ES", operator="op") for number in range(60)]
    rule_rows.numbering.put_many(reversed(plan))
    assert rule_rows.numbering.everything() == plan


def test_who_claims_first_has_it_and_the_other_is_told_who() -> None:
    assert dispatches.claim("B", "bridge-1", NOW_MS) == dispatches.Claim("bridge-1", NOW_MS, fresh=True)
    assert dispatches.claim("B", dispatches.CANCEL, NOW_MS + 1) == dispatches.Claim("bridge-1", NOW_MS, fresh=False)
    assert dispatches.claim("B", "bridge-1", NOW_MS + 2) == dispatches.Claim("bridge-1", NOW_MS, fresh=False)


def test_an_answer_is_remembered_for_its_accounts_key_for_a_day() -> None:
    first = idempotency.Remembered(body_sha256="h", answer="{}")
    assert idempotency.remember("a", "k", "h", "{}", NOW_MS) is None
    assert idempotency.remember("a", "k", "other", "[]", NOW_MS + 1) == first
    assert idempotency.find("a", "k", NOW_MS + 86_399_000) == first
    assert idempotency.find("b", "k", NOW_MS) is None
    assert idempotency.find("a", "k", NOW_MS + 86_400_000) is None  # though TTL has not deleted it yet
    assert idempotency.remember("a", "k", "other", "[]", NOW_MS + 86_400_000) is None


def test_a_secret_is_kept_over_the_one_before() -> None:
    name = secrets.gateway_password("g")
    assert secrets.get(name) is None
    secrets.put(name, "one")
    secrets.put(name, "two")
    assert secrets.get(name) == "two"
