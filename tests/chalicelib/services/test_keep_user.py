"""Keeping users: one address, one user; roles of the right kind; and nobody saws off the own branch."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.user import User, UserRole
from chalicelib.services import keep_user, two_factor
from chalicelib.services.keep_user import Profile, Terms
from chalicelib.settings import Settings
from chalicelib.store import secrets, users
from chalicelib.store.rows import Row
from tests.chalicelib.services.people_world import (
    ACCOUNT,
    EMAIL,
    NOW_MS,
    administrator,
    hash_quickly,
    mails,
    person,
    refusal,
)

OTHER = "usr_other"


@pytest.fixture(autouse=True)
def quick(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def terms(**given: Any) -> Terms:
    profile = {name: given.pop(name) for name in ("name", "time_zone", "language") if name in given}
    return Terms(**{"email": EMAIL, "role": "owner", "profile": Profile(**{"name": "Ana", **profile}), **given})


def held(user: User) -> Row[User]:
    return keep_user.read(user.account, user.id)


def test_a_user_is_kept_with_what_it_says_and_invited_by_mail_once() -> None:
    person(email="first@one.example")
    row = keep_user.create(
        ACCOUNT, terms(name="Ana Pérez", time_zone="Europe/Madrid", language="es"), "key:01ABC", NOW_MS
    )
    kept = users.get(row.value.id)
    assert kept == row.value
    assert kept is not None
    assert (kept.name, kept.time_zone, kept.language, kept.password_hash) == ("Ana Pérez", "Europe/Madrid", "es", None)
    (told,) = mails()
    assert (told["kind"], told["name"], told["user"]) == ("user_created", kept.id, kept.id)


def test_an_address_is_one_persons_however_it_is_written_and_free_again_when_he_has_gone() -> None:
    user = person()
    assert (
        refusal(keep_user.create, None, terms(email="ANA@one.EXAMPLE", role="super"), "x", NOW_MS).code
        == "already_exists"
    )
    other = person(email="eva@one.example")
    taken = refusal(keep_user.change, held(other), terms(email="Ana@one.example"), 1, OTHER, NOW_MS)
    assert taken.code == "already_exists"
    assert held(other).value == other
    keep_user.change(held(user), terms(email="ANA@one.example"), 1, OTHER, NOW_MS)  # only its capitals
    keep_user.change(held(user), terms(email="ana@two.example"), 2, OTHER, NOW_MS)
    assert keep_user.change(held(other), terms(email=EMAIL), 1, OTHER, NOW_MS).value.email == EMAIL
    keep_user.delete(held(other), OTHER)
    assert person().email == EMAIL


def test_whoever_gets_another_address_is_told_at_the_one_before_and_not_for_its_capitals() -> None:
    user = person()
    keep_user.change(held(user), terms(email="ANA@one.example"), 1, OTHER, NOW_MS)
    assert mails() == []
    keep_user.change(held(user), terms(email="ana@two.example"), 2, OTHER, NOW_MS)
    (told,) = mails()
    assert (told["kind"], told["user"], told["former"]) == ("email_changed", user.id, "ANA@one.example")
    refusal(keep_user.change, held(user), terms(email="ana@three.example"), 2, OTHER, NOW_MS)
    assert mails() == []


BAD: list[tuple[str, Any, str]] = [
    ("an address with a line break", {"email": "ana@one.example\r\nBcc: all@x.example"}, "/email"),
    ("no address", {"email": "ana"}, "/email"),
    ("a role of the house", {"role": "super"}, "/role"),
    ("a time zone that is none", {"time_zone": "Europe/Nowhere"}, "/time_zone"),
    ("a time zone that is a file", {"time_zone": "../../etc/passwd"}, "/time_zone"),
    ("a name of two lines", {"name": "Ana\r\nBcc: x"}, "/name"),
    ("a name of nothing", {"name": "  "}, "/name"),
]


def test_what_will_not_do_is_refused_and_nothing_written() -> None:
    user = person(email="eva@one.example")
    for what, given, field in BAD:
        create = refusal(keep_user.create, ACCOUNT, terms(**given), "x", NOW_MS)
        change = refusal(keep_user.change, held(user), terms(**given), 1, OTHER, NOW_MS)
        for fault in (create, change):
            assert [one.field for one in fault.fields] == [field], what
    assert [row.value for row in users.of_account(ACCOUNT)] == [user]


def test_an_account_has_no_roles_of_the_house_nor_the_house_an_accounts() -> None:
    role: UserRole = "owner"
    assert refusal(keep_user.create, None, terms(role=role), "x", NOW_MS).fields[0].field == "/role"
    assert refusal(keep_user.create, "acc_none", terms(), "x", NOW_MS).code == "not_found"


def test_what_is_another_accounts_or_of_the_house_is_not_there() -> None:
    theirs, root = person(account="acc_two", email="bob@two.example"), administrator()
    for read in (
        lambda: keep_user.read(ACCOUNT, theirs.id),
        lambda: keep_user.read(ACCOUNT, root.id),
        lambda: keep_user.read(None, theirs.id),
        lambda: keep_user.read_customer(root.id),
        lambda: keep_user.read(ACCOUNT, "usr_none"),
    ):
        assert refusal(read).code == "not_found"


def test_nobody_changes_the_own_role_or_state_or_deletes_oneself() -> None:
    user = person()
    assert refusal(keep_user.change, held(user), terms(role="viewer"), 1, user.id, NOW_MS).code == "wrong_state"
    assert refusal(keep_user.change, held(user), terms(state="suspended"), 1, user.id, NOW_MS).code == "wrong_state"
    assert refusal(keep_user.delete, held(user), user.id).code == "wrong_state"
    assert keep_user.change(held(user), terms(name="Ana B."), 1, user.id, NOW_MS).value.name == "Ana B."


def test_two_changes_of_one_version_are_one() -> None:
    user = person()
    seen = held(user)
    keep_user.change(seen, terms(name="First"), seen.version, OTHER, NOW_MS)
    assert refusal(keep_user.change, seen, terms(name="Second"), seen.version, OTHER, NOW_MS).code == "version_conflict"
    assert (
        refusal(keep_user.change, seen, terms(email="b@one.example"), seen.version, OTHER, NOW_MS).code
        == "version_conflict"
    )
    assert refusal(keep_user.delete, seen, OTHER).code == "version_conflict"
    assert held(user).value.name == "First"


def test_an_account_has_so_many_users_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_user, "MAX_USERS", 2)
    person()
    person(email="b@one.example")
    assert refusal(person, email="c@one.example").code == "too_many"


def test_with_an_administrator_goes_the_secret_of_the_authenticator() -> None:
    root = administrator()
    two_factor.enrol(root)
    keep_user.delete(held(root), OTHER)
    assert secrets.get(f"totp/{root.id}") is None
    assert users.get(root.id) is None


def test_a_profile_is_the_users_own_and_changes_nothing_else() -> None:
    user = person()
    changed = keep_user.change_profile(user.id, Profile(name="Ana B.", time_zone="America/Lima", language="es"))
    assert changed == msgspec.structs.replace(user, name="Ana B.", time_zone="America/Lima", language="es")
    assert (
        refusal(keep_user.change_profile, user.id, Profile(name="x", time_zone="Mars/Base")).code == "invalid_request"
    )
