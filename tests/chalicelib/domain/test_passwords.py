"""Which passwords will do, and that nobody's is checked as long as anybody's."""

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError

from chalicelib.domain import passwords

HASH = passwords.hash_password("correct horse battery")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("correct horse battery", None),
        ("k3Jd92lsPq0Z", None),
        ("ünïcødé-wörds", None),
        ("k3Jd92lsPq0", "too_short"),
        ("x" * 129, "too_long"),
        ("aaaaaaaaaaaa", "too_common"),
        ("Password1234!", "too_common"),
        ("Contraseña-2026", "too_common"),
        ("1234567890123", "too_common"),
        ("qwertyuiop12", "too_common"),
        ("Ana.Maria.2026", "too_common"),  # his name
        ("ana.maria@acme.example", "too_common"),  # his address
    ],
)
def test_a_password_is_long_and_not_among_the_first_that_a_stranger_tries(password: str, code: str | None) -> None:
    try:
        passwords.check(password, ("ana.maria@acme.example", "Ana Maria"))
        told = None
    except passwords.BadPassword as refused:
        told = refused
    assert (told.code if told else None) == code
    assert password not in str(told)


def test_a_password_is_known_by_its_hash_however_a_keyboard_composes_it() -> None:
    assert passwords.is_password("correct horse battery", HASH)
    assert not passwords.is_password("correct horse batterz", HASH)
    assert passwords.normalized("cafe\u0301") == passwords.normalized("café")


def test_hashes_have_the_settings_of_the_decision_and_nobodys_is_such_a_one() -> None:
    parameters = extract_parameters(HASH)
    assert HASH.startswith("$argon2id$v=19$")
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (47_104, 1, 1)
    assert extract_parameters(passwords._NOBODYS) == parameters
    with pytest.raises(VerifyMismatchError):  # a hash that could not be read would be refused at once
        passwords._hasher().verify(passwords._NOBODYS, "correct horse battery")
    assert not passwords.is_password("correct horse battery", None)


def test_a_hash_of_other_settings_is_to_be_renewed() -> None:
    assert not passwords.is_outdated(HASH)
    assert passwords.is_outdated(HASH.replace("m=47104", "m=7168"))
