"""A forgotten password: a link for whoever has the mailbox, nothing for strangers to learn, a token that works once."""

import logging
from collections import Counter
from typing import Any

import msgspec
import pytest

from chalicelib.domain.lockout import FIRST_WAIT_MS, FREE_OF_MAILBOX
from chalicelib.domain.user import User
from chalicelib.services import guard_login, keep_user
from chalicelib.services.authenticate import authenticate
from chalicelib.services.reset_password import INVITATION_MS, RESET_MS, confirm, mail_link, mint, request
from chalicelib.settings import Settings
from chalicelib.store import aws, cached, queues, users
from tests.chalicelib.services.people_world import (
    ANOTHER,
    EMAIL,
    FREE,
    HERE,
    LATER_MS,
    NOW_MS,
    PASSWORD,
    Authenticator,
    administrator,
    enter,
    hash_quickly,
    mails,
    person,
    refusal,
)

ADDRESS = HERE.address


@pytest.fixture(autouse=True)
def quick(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


def minted(user: User, now_ms: int = NOW_MS) -> str:
    token = mint(user.id, now_ms)
    assert token is not None
    return token


def test_who_has_the_mailbox_sets_another_password_and_all_sessions_are_over() -> None:
    user = person()
    session = enter().begun.token
    request(" ANA@one.example", ADDRESS, NOW_MS)
    (told,) = mails()
    assert (told["kind"], told["user"], told["values"]) == ("password_reset", user.id, {"from_address": ADDRESS})
    confirm(minted(user), ANOTHER, ADDRESS, NOW_MS)
    cached.forget_all()
    assert refusal(authenticate, session, NOW_MS).code == "invalid_session"
    assert refusal(enter).code == "invalid_login"
    assert enter(password=ANOTHER)
    assert [notice["kind"] for notice in mails()] == ["password_changed"]


def test_asking_says_and_costs_the_same_whether_somebody_has_the_address_or_not() -> None:
    person()
    queues.url(queues.MAILS)  # asked for once in a process
    suspended = person(email="eva@one.example")
    users.update(suspended.id, lambda held: msgspec.structs.replace(held, state="suspended"))
    told: list[Any] = []

    def note(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    for service in ("dynamodb", "sqs"):
        aws.client(service).meta.events.register("before-call.*", note)
    try:
        for email in (EMAIL, "nobody@one.example", suspended.email, "=cmd()\r\nBcc: x"):
            calls: Counter[str] = Counter()
            request(email, ADDRESS, NOW_MS)
            told.append(calls)
    finally:
        for service in ("dynamodb", "sqs"):
            aws.client(service).meta.events.unregister("before-call.*", note)
    assert told[0]["SendMessageBatch"] == 1
    assert [calls for calls in told if calls != told[0]] == []
    readers = [notice["user"] for notice in mails()]
    assert len(readers) == 4
    assert [mint(reader, NOW_MS) is not None for reader in readers].count(True) == 1  # the mails' function sends one


@pytest.mark.parametrize("email", [EMAIL, "nobody@one.example"])
def test_a_mailbox_is_not_filled_by_asking_on_and_on(email: str) -> None:
    person()
    for _ in range(6):
        request(email, ADDRESS, NOW_MS)
    assert len(mails()) == FREE_OF_MAILBOX
    request(email, ADDRESS, NOW_MS + FIRST_WAIT_MS)
    request(email, ADDRESS, NOW_MS + FIRST_WAIT_MS + 1)
    assert len(mails()) == 1


def test_a_place_that_asks_for_everybodys_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_login, "FREE_OF_PLACE", 2)
    for number in range(2):
        request(f"user{number}@one.example", ADDRESS, NOW_MS)
    assert refusal(request, EMAIL, ADDRESS, NOW_MS).code == "locked_out"
    request(EMAIL, "198.51.100.1", NOW_MS)


def _used(user: User) -> str:
    token = minted(user)
    confirm(token, ANOTHER, ADDRESS, NOW_MS)
    return token


def _older(user: User) -> str:
    token = minted(user)
    minted(user)
    return token


def _suspended(user: User) -> str:
    token = minted(user)
    users.update(user.id, lambda held: msgspec.structs.replace(held, state="suspended"))
    return token


def _moved(user: User) -> str:
    token = minted(user)
    held = keep_user.read(user.account, user.id)
    terms = keep_user.Terms(email="ana@two.example", role=user.role, profile=keep_user.Profile(name=user.name))
    keep_user.change(held, terms, held.version, "usr_other", NOW_MS)
    return token


BAD = [
    ("used", _used),
    ("over", lambda user: minted(user, NOW_MS - RESET_MS)),
    ("older than the newest", _older),
    ("of a suspended user", _suspended),
    ("mailed to an address that it has no more", _moved),
    ("of another user", lambda user: minted(user).replace(user.id, administrator().id)),
    ("cut", lambda user: minted(user)[:-1]),
    ("without a secret", lambda user: f"{user.id}."),
    ("nothing", lambda user: "."),
]


def test_a_token_that_is_bad_in_whatever_way_is_refused_alike() -> None:
    for number, (what, token) in enumerate(BAD):
        given = token(person(email=f"ana{number}@one.example"))
        mails()
        fault = refusal(confirm, given, "yet another password", f"192.0.2.{number}", NOW_MS)
        assert (fault.code, fault.detail) == (
            "invalid_reset",
            "the token is unknown, was used, or is over: ask for another link",
        ), what
        assert mails() == [], what


def test_a_password_that_will_not_do_leaves_the_token() -> None:
    user = person()
    token = minted(user)
    weak = refusal(confirm, token, "password1234", ADDRESS, NOW_MS)
    assert (weak.fields[0].field, weak.fields[0].code) == ("/password", "too_common")
    confirm(token, ANOTHER, ADDRESS, NOW_MS + RESET_MS - 1)


def test_an_invitation_holds_for_days_and_ends_with_a_password() -> None:
    user = person(password=None)
    assert [(notice["kind"], notice["user"]) for notice in mails()] == [("user_created", user.id)]
    token = minted(user)
    mail_link(user, ADDRESS, NOW_MS)
    assert [notice["kind"] for notice in mails()] == ["user_created"]
    confirm(token, PASSWORD, ADDRESS, NOW_MS + INVITATION_MS - 1)
    assert enter(now_ms=NOW_MS + INVITATION_MS)
    mail_link(confirm(minted(user), ANOTHER, ADDRESS, NOW_MS), ADDRESS, NOW_MS)
    assert [notice["kind"] for notice in mails()][-1] == "password_reset"
    mail_link(user, ADDRESS, NOW_MS)
    assert refusal(mail_link, user, ADDRESS, NOW_MS).code == "rate_limited"


def test_whoever_has_the_mailbox_need_not_wait_for_what_strangers_did() -> None:
    user = person()
    for _ in range(FREE):
        refusal(enter, EMAIL, "a guess", origin=HERE)
    assert refusal(enter).code == "locked_out"
    confirm(minted(user), ANOTHER, ADDRESS, NOW_MS)
    assert enter(password=ANOTHER)


def test_an_authenticator_is_wanted_after_a_reset_as_before() -> None:
    root = administrator()
    held = Authenticator(root)
    confirm(minted(root), ANOTHER, ADDRESS, NOW_MS)
    assert refusal(enter, root.email, ANOTHER).code == "code_missing"
    assert enter(root.email, ANOTHER, held.code(LATER_MS), now_ms=LATER_MS)


def test_no_token_is_in_a_log_a_queue_or_a_table(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="chalicelib")
    user = person()
    request(EMAIL, ADDRESS, NOW_MS)
    token = minted(user)
    queued = str(mails())
    kept = str(aws.client("dynamodb").scan(TableName="chq-test-password_resets")["Items"])
    confirm(token, ANOTHER, ADDRESS, NOW_MS)
    secret = token.partition(".")[2]
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert not [where for where in (told, queued, kept) if secret in where or ANOTHER in where]
    assert user.id in told
