"""What an account's credit, keys and second thoughts do to its messages."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.flows.platform import Administrator, Customer, Smsc
from tests.ports import free_port

pytestmark = pytest.mark.flow
Number = Callable[..., str]
UNREACHED = "+59899123456"  # Uruguay, by a route of its own to a gateway whose SMSC does not answer


def test_without_credit_a_message_is_refused_and_nothing_is_written(
    administrator: Administrator, smsc: Smsc, number: Number
) -> None:
    poor, to = administrator.customer(credit="0"), number()
    answer = poor.call("POST", "/v1/messages", {"to": to, "from": "Chasqui", "text": "Hola"})
    assert (answer.status_code, answer.json()["code"]) == (402, "no_credit")
    assert answer.headers["content-type"] == "application/problem+json"
    assert poor.call("GET", "/v1/messages").json()["data"] == []
    assert smsc.received(to) == []


def test_credit_for_two_buys_two_however_many_are_sent_at_once(
    administrator: Administrator, smsc: Smsc, number: Number
) -> None:
    customer, numbers = administrator.customer(credit="0.1"), [number() for _ in range(8)]
    body = {"from": "Chasqui", "text": "Hola"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda to: customer.call("POST", "/v1/messages", {"to": to, **body}), numbers))
    assert {answer.status_code for answer in answers} <= {202, 402}
    ends = [customer.final(answer.json()["id"]) for answer in answers if answer.status_code == 202]
    told = sorted((end["status"], (end["error"] or {}).get("code")) for end in ends)
    assert told[:2] == [("delivered", None)] * 2
    assert set(told[2:]) <= {("rejected", "no_credit")}
    assert sum(len(smsc.received(to)) for to in numbers) == 2
    assert Decimal(customer.balance()) == Decimal("0.1") - 2 * Decimal("0.045")


@pytest.fixture(scope="module")
def _unreached(administrator: Administrator) -> None:
    """A gateway that nothing listens behind: its messages wait."""
    port = free_port()
    gateway = {"id": "silent", "name": "Silent", "host": "127.0.0.1", "port": port, "system_id": "x", "password": "x"}
    administrator.create("gateways", gateway)
    administrator.create("routes", {"country": "UY", "targets": [{"gateway": "silent"}], "price": "0.5"})
    administrator.publish()
    time.sleep(1.5)  # CHASQUI_RULES_POLL_SECONDS of a local run, and a little


@pytest.mark.usefixtures("_unreached")
def test_a_message_that_waits_for_its_gateway_can_be_canceled_and_its_charge_comes_back(customer: Customer) -> None:
    before = Decimal(customer.balance())
    sent = customer.send(UNREACHED)
    customer.until(sent["id"], lambda message: message["status"] == "queued")
    assert Decimal(customer.balance()) == before - Decimal("0.5")
    canceled = customer.call("POST", f"/v1/messages/{sent['id']}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    message = customer.until(sent["id"], lambda message: Decimal(message["refunded"]) > 0)
    assert (message["status"], message["final"]) == ("canceled", True)
    assert Decimal(customer.balance()) == before
    again: dict[str, Any] = customer.call("POST", f"/v1/messages/{sent['id']}/cancel").json()
    assert again["status"] == "canceled"


@pytest.mark.usefixtures("_unreached")
def test_what_waits_for_a_silent_gateway_is_moved_or_purged_and_each_credit_accounted_for(
    administrator: Administrator, smsc: Smsc
) -> None:
    mover, purged = administrator.customer(credit="5"), administrator.customer(credit="5")
    moved = [mover.send(UNREACHED, f"moved {number}")["id"] for number in range(2)]
    ended = purged.send(UNREACHED, "purged")["id"]
    for whose, message in ((mover, moved[0]), (mover, moved[1]), (purged, ended)):
        whose.until(message, lambda told: told["status"] == "queued")
    for deed, customer, more in (("move", mover, {"to": "simulator"}), ("purge", purged, {})):
        account = customer.call("GET", "/v1/account").json()["id"]
        body = {"account": account, "why": "a test's", **more}
        assert administrator.call("POST", f"/v1/admin/gateways/silent/waiting/{deed}", body).status_code == 202
    assert {mover.final(message)["status"] for message in moved} == {"delivered"}
    message = purged.until(ended, lambda told: Decimal(told["refunded"]) > 0)
    assert (message["status"], message["error"]["code"]) == ("canceled", "purged")
    assert (Decimal(mover.balance()), Decimal(purged.balance())) == (Decimal("4"), Decimal("5"))
    assert sorted(got["text"] for got in smsc.received(UNREACHED)) == ["moved 0", "moved 1"]
    state = administrator.call("GET", "/v1/admin/gateways/silent/state").json()
    assert (state["bridges"], state["bound_sessions"]) == (1, 0)


def test_a_delivered_message_cannot_be_canceled(customer: Customer, number: Number) -> None:
    message = customer.final(customer.send(number())["id"])
    answer = customer.call("POST", f"/v1/messages/{message['id']}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "already_final")


@pytest.mark.usefixtures("_unreached")
def test_a_message_that_nobody_takes_within_its_validity_expires_and_is_paid_back(customer: Customer) -> None:
    before = Decimal(customer.balance())
    sent = customer.send(UNREACHED, validity_seconds=10)
    message = customer.final(sent["id"], seconds=16)
    assert message["status"] == "expired"
    refunded = customer.until(sent["id"], lambda message: Decimal(message["refunded"]) > 0, seconds=5)
    assert Decimal(refunded["refunded"]) == Decimal("0.5")
    assert Decimal(customer.balance()) == before
