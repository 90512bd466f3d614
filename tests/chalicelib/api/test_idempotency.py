"""Sending under an Idempotency-Key: once, whatever happens in between."""

import time

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.services import accept as accept_service
from chalicelib.store import ledger, wallets
from tests.chalicelib.api.test_messages import carry
from tests.chalicelib.api.world import ACCOUNT, World

ONCE = {"Idempotency-Key": "order-42"}


def test_the_same_request_gets_the_same_answer_and_sends_once(world: World) -> None:
    first = world.send(headers=ONCE)
    second = world.send(headers=ONCE)
    assert first.status_code == second.status_code == 202
    assert first.json_body == second.json_body
    assert world.waiting("accepted") == 1


def test_the_same_request_in_other_words_is_the_same(world: World) -> None:
    first = world.call("POST", "/v1/messages", b'{"to":"+34600000001","text":"hola"}', headers=ONCE)
    second = world.call("POST", "/v1/messages", b'{ "text": "hol\\u0061", "to": "+34600000001" }', headers=ONCE)
    assert first.json_body == second.json_body


def test_another_request_under_the_key_is_refused(world: World) -> None:
    world.send(headers=ONCE)
    before = world.written()
    answer = world.send({"text": "adiós"}, headers=ONCE)
    assert (answer.status_code, answer.json_body["code"]) == (422, "idempotency_key_reused")
    assert world.written() == before


def test_a_key_belongs_to_its_account(world: World) -> None:
    other = world.customer(msgspec.structs.replace(ACCOUNT, id="acc_two"), 1_000_000)
    assert world.send(headers=ONCE).json_body["id"] != world.send(headers=ONCE, key=other).json_body["id"]


def test_a_request_that_died_before_it_sent_is_sent_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(account: Account, made: accept_service.Acceptance) -> None:
        raise RuntimeError

    with monkeypatch.context() as dying:
        dying.setattr(accept_service, "_hand_over", die)
        assert world.send(headers=ONCE).status_code == 500
    assert world.waiting("accepted") == 0
    sent = world.send(headers=ONCE).json_body
    assert world.waiting("accepted") == 1
    assert world.call("GET", f"/v1/messages/{sent['id']}").json_body["status"] == "accepted"
    world.send(headers=ONCE)
    assert world.waiting("accepted") == 1


def test_what_was_answered_stays_answered_when_the_credit_is_gone(world: World) -> None:
    first = world.send(headers=ONCE).json_body
    ledger.grant(ACCOUNT.id, "01GONE", -10_000_000, who="test", why="", now_ms=world.now_ms())
    wallets._cached.forget_all()
    assert world.send().status_code == 402
    assert world.send(headers=ONCE).json_body == first


def test_it_is_charged_once_however_often_it_is_asked_for(world: World) -> None:
    for _ in range(3):
        world.send(headers=ONCE)
        carry(world)
    assert world.call("GET", "/v1/account").json_body["balance"] == "9.95"
    assert world.waiting("gateway-real") == 1


def test_after_a_day_the_key_is_free_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.send(headers=ONCE).json_body["id"]
    later_ns = time.time_ns() + 86_400 * 10**9 + 10**9
    monkeypatch.setattr("chalicelib.api.endpoints.time.time_ns", lambda: later_ns)
    assert world.send(headers=ONCE).json_body["id"] != first
