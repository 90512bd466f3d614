"""What becomes of a message, from HTTPS to the operator's SMSC and back."""

import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.platform import Customer, Smsc

pytestmark = pytest.mark.flow
Number = Callable[..., str]
PANGRAM = "El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío, añoraba a su querido cachorro 🐧. "


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("7777", "delivered"),
        ("0001", "undelivered"),
        ("0002", "expired"),
        ("0003", "rejected"),
        ("0004", "unknown"),
        ("0005", "delivered"),
        ("0010", "rejected"),
        ("0020", "delivered"),
        ("0040", "delivered"),
        ("0041", "delivered"),
        ("0042", "delivered"),
        ("0043", "delivered"),
        ("0044", "delivered"),
        ("0045", "delivered"),
        ("0046", "delivered"),
        ("0047", "delivered"),
        ("0051", "delivered"),
    ],
    ids=[
        "delivered",
        "undelivered",
        "expired",
        "rejected in the receipt",
        "unknown to the SMSC",
        "an intermediate receipt first",
        "rejected at submit",
        "throttled, then delivered",
        "receipt before the response",
        "hexadecimal id, decimal receipt",
        "decimal id, hexadecimal receipt",
        "duplicate receipts",
        "receipt in TLVs alone",
        "receipt in text alone",
        "receipt in message_payload",
        "receipt in a data_sm",
        "disconnect between response and receipt",
    ],
)
def test_a_message_ends_as_its_smsc_says(
    customer: Customer, smsc: Smsc, number: Number, outcome: str, status: str
) -> None:
    to = number(outcome)
    message = customer.final(customer.send(to)["id"])
    assert message["status"] == status, customer.events(message["id"])
    assert message["permanent"] is (status in {"delivered", "rejected"})
    taken = smsc.received(to)
    assert len(taken) == (0 if outcome == "0010" else 1)
    assert [kept["text"] for kept in taken] == ["Hola"] * len(taken)


def test_a_long_text_with_an_emoji_arrives_whole(customer: Customer, smsc: Smsc, number: Number) -> None:
    to, text = number(), (PANGRAM * 4).strip()
    sent = customer.send(to, text)
    assert sent["encoding"] == "ucs2"
    assert sent["parts"] == -(-len(text.encode("utf-16-be")) // 2 // 67)
    message = customer.final(sent["id"])
    assert (message["status"], message["parts_submitted"]) == ("delivered", sent["parts"])
    (taken,) = smsc.received(to)
    assert taken["text"] == text
    receipts = [event for event in customer.events(sent["id"]) if event["kind"] == "receipt"]
    assert sorted(event["part"] for event in receipts) == list(range(1, sent["parts"] + 1))


def test_the_timeline_tells_every_step_with_its_time_and_why_and_the_cost(customer: Customer, number: Number) -> None:
    sent = customer.send(number(), client_ref="order-17")
    message = customer.final(sent["id"])
    events = {event["kind"]: event for event in customer.events(sent["id"])}
    assert list(events) == ["accepted", "queued", "submitted", "receipt", "final"]
    times = [datetime.fromisoformat(event["at"]) for event in events.values()]
    assert times == sorted(times)
    queued = events["queued"]
    assert queued["operator"] == sent["operator"] == "Movistar ES"
    assert "Movistar ES" in queued["why"]
    assert queued["route"] in queued["why"]
    assert queued["rules"] >= 1
    assert Decimal(queued["charge"]) == Decimal(sent["price"]) == Decimal(message["price"]) > 0
    assert events["submitted"]["gateway"] == queued["gateway"]
    assert events["receipt"]["smsc_message_id"] == events["submitted"]["smsc_message_id"]
    assert events["final"]["status"] == "delivered"
    assert message["client_ref"] == "order-17"


def test_a_message_costs_what_its_queued_event_says_and_a_refused_one_is_given_back(
    customer: Customer, number: Number
) -> None:
    before = Decimal(customer.balance())
    paid = customer.final(customer.send(number())["id"])
    assert Decimal(customer.balance()) == before - Decimal(paid["price"])
    refused = customer.final(customer.send(number("0010"))["id"])
    given_back = customer.until(refused["id"], lambda message: Decimal(message["refunded"]) > 0)
    assert given_back["refunded"] == given_back["price"]
    assert Decimal(customer.balance()) == before - Decimal(paid["price"])


def test_an_unanswered_submit_of_a_disconnected_session_is_not_sent_again(
    customer: Customer, smsc: Smsc, number: Number
) -> None:
    to = number("0050")
    message = customer.final(customer.send(to)["id"])
    assert message["status"] == "unknown"
    assert smsc.received(to) == []


def test_a_test_key_reaches_the_simulator_gateway_and_costs_nothing(
    customer: Customer, tester: Customer, smsc: Smsc, number: Number
) -> None:
    message = tester.final(tester.send(number())["id"])
    assert (message["status"], message["mode"]) == ("delivered", "test")
    queued = next(event for event in tester.events(message["id"]) if event["kind"] == "queued")
    live = customer.final(customer.send(number())["id"])
    gateway = next(event["gateway"] for event in customer.events(live["id"]) if event["kind"] == "queued")
    assert queued["gateway"] != gateway
    assert Decimal(queued["charge"]) == 0
    lines = customer.call("GET", "/v1/account/ledger").raise_for_status().json()["data"]
    paid = {line["message"]: Decimal(line["amount"]) for line in lines if line["kind"] == "charge"}
    assert paid[live["id"]] == -Decimal(live["price"])
    assert message["id"] not in paid


def test_the_same_request_asked_twice_is_one_message(customer: Customer, smsc: Smsc, number: Number) -> None:
    to = number()
    body = {"to": to, "from": "Chasqui", "text": "once"}
    answers = [
        customer.call("POST", "/v1/messages", body, headers={"Idempotency-Key": f"key-{to}"}).json() for _ in range(3)
    ]
    assert len({answer["id"] for answer in answers}) == 1
    customer.final(answers[0]["id"])
    assert len(smsc.received(to)) == 1


def test_sixty_messages_at_once_all_arrive_once(customer: Customer, smsc: Smsc, number: Number) -> None:
    numbers = [number("8888") for _ in range(60)]
    sent = [customer.send(to)["id"] for to in numbers]
    begun = time.monotonic()
    finals: list[dict[str, Any]] = [customer.final(message_id) for message_id in sent]
    assert {message["status"] for message in finals} == {"delivered"}
    assert [len(smsc.received(to)) for to in numbers] == [1] * len(numbers)
    assert time.monotonic() - begun < 30


def test_a_path_that_is_not_there_is_a_problem_like_any_other(customer: Customer) -> None:
    answer = customer.call("GET", "/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"
    assert customer.key not in answer.text
