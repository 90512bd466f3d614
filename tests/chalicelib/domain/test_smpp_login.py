"""Passwords of SMPP logins: made here, checked against a slow hash, and nobody's is like anybody's."""

import re
import subprocess
import sys

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from chalicelib.domain import smpp_login
from chalicelib.domain.smpp_login import SYSTEM_ID_PATTERN, hash_password, is_password, new_password

HASH = hash_password("s3cretPw")


def test_a_password_fills_what_smpp_leaves_room_for_and_is_another_each_time() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch("[A-Za-z0-9]{8}", password) for password in made)
    assert set("".join(new_password() for _ in range(500))) == set(smpp_login.PASSWORD_ALPHABET)


def test_a_password_is_known_by_its_hash_and_another_is_not() -> None:
    assert is_password("s3cretPw", HASH)
    assert not is_password("s3cretPW", HASH)
    assert not is_password("", HASH)
    assert hash_password("s3cretPw") != HASH


def test_the_hash_is_argon2id_with_the_parameters_that_the_decision_states() -> None:
    parameters = extract_parameters(HASH)
    assert HASH.startswith("$argon2id$v=19$")
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (7_168, 5, 1)


def test_who_does_not_exist_is_checked_as_long_as_who_does_and_never_let_in() -> None:
    assert not is_password("s3cretPw", None)
    assert extract_parameters(smpp_login._NOBODYS) == extract_parameters(HASH)
    with pytest.raises(VerifyMismatchError):  # a hash that could not be read would be refused at once
        smpp_login._hasher().verify(smpp_login._NOBODYS, "s3cretPw")


def test_a_hash_that_is_none_lets_nobody_in() -> None:
    assert not is_password("s3cretPw", "")
    assert not is_password("s3cretPw", "plain")


@pytest.mark.parametrize("system_id", ["acme", "ACME_1-x", "a" * 15])
def test_a_system_id_is_what_smpp_and_a_queues_name_both_take(system_id: str) -> None:
    assert re.search(SYSTEM_ID_PATTERN, system_id)


@pytest.mark.parametrize("system_id", ["", "a" * 16, "a.b", "a b", "ñ", "acme\n", "a\0"])
def test_another_is_none(system_id: str) -> None:
    assert not re.search(SYSTEM_ID_PATTERN, system_id)


def test_argon2_is_not_imported_by_who_checks_no_password() -> None:
    seen = "import sys; import app, functions.delivery; sys.exit('argon2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0
