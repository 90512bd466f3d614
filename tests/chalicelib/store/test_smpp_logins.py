"""Logins are found by their system id and by their account, and change from the version that was read."""

import msgspec
import pytest

from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.store import smpp_logins

pytestmark = pytest.mark.usefixtures("aws")
NOW_MS = 1_760_000_000_000
ONE = SmppLogin(system_id="acme", account="acc_1", name="n", password_hash="h", created_ms=NOW_MS)


def test_one_is_made_once_and_found_both_ways() -> None:
    other = msgspec.structs.replace(ONE, system_id="other", account="acc_2")
    assert smpp_logins.create(ONE)
    assert smpp_logins.create(other)
    assert not smpp_logins.create(msgspec.structs.replace(other, system_id="acme"))
    assert smpp_logins.get("acme") == ONE
    assert smpp_logins.get("Acme") is None
    assert [row.value for row in smpp_logins.of_account("acc_1")] == [ONE]


def test_a_change_is_found_by_account_too_and_its_version_goes_on() -> None:
    smpp_logins.create(ONE)
    changed = msgspec.structs.replace(ONE, window=99)
    assert smpp_logins.change(1, changed)
    assert not smpp_logins.change(1, ONE)
    (row,) = smpp_logins.of_account("acc_1")
    assert (row.value, row.version) == (changed, 2)
    assert smpp_logins.versioned("acme") == row


def test_a_cached_one_is_some_seconds_old_at_most() -> None:
    smpp_logins.create(ONE)
    assert smpp_logins.cached("acme", NOW_MS) == ONE
    changed = msgspec.structs.replace(ONE, state="suspended")
    smpp_logins._rows.put(changed)
    assert smpp_logins.cached("acme", NOW_MS + 4_999) == ONE
    assert smpp_logins.cached("acme", NOW_MS + 5_000) == changed
