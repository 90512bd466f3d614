"""A customer's server is told what becomes of messages, and what people write; by the whole platform at work."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.flows.platform import Administrator, Customer, Smsc, web

pytestmark = pytest.mark.flow
Number = Callable[..., str]
SECONDS = 20.0
HEARS_AFTER_SECONDS = 1.1  # the local run's CHASQUI_ACCOUNT_CACHE_SECONDS, and a little: until all know


class Server:
    """The echo endpoint, as one customer's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = web()

    def open(self, customer: Customer, path: str = "", **more: Any) -> dict[str, Any]:
        answer = customer.call("POST", "/v1/webhooks", {"url": f"{self.url}{path}", **more})
        assert answer.status_code == 201, answer.text
        self._client.put(f"{self.url}secrets", json={"secret": answer.json()["secret"]}).raise_for_status()
        return dict(answer.json())

    def received(self, count: int = 1, **wanted: str) -> list[dict[str, Any]]:
        """What came, once there are so many of it."""
        end = time.monotonic() + SECONDS
        while True:
            came: list[dict[str, Any]] = self._client.get(self.url, params=wanted).raise_for_status().json()
            if len(came) >= count:
                return came
            assert time.monotonic() < end, came
            time.sleep(0.05)


@pytest.fixture(scope="module")
def server(card: dict[str, Any]) -> Server:
    return Server(card["webhook_echo_url"])


@pytest.fixture(scope="module")
def hooked(administrator: Administrator, smsc: Smsc) -> Customer:
    return administrator.customer("10")


def test_what_becomes_of_a_message_is_told_signed_to_the_account_and_to_the_messages_own_url(
    hooked: Customer, server: Server, number: Number
) -> None:
    webhook = server.open(hooked, "account")
    time.sleep(HEARS_AFTER_SECONDS)
    for outcome, end in (("7777", "delivered"), ("0001", "undelivered")):
        sent = hooked.send(number(outcome), callback_url=f"{server.url}own", client_ref=f"order-{end}")
        came = server.received(4, message=sent["id"])
        told = sorted((one["path"], one["body"]["type"]) for one in came)
        assert told == [
            (path, f"message.{kind}") for path in ("/account", "/own") for kind in sorted((end, "submitted"))
        ]
        assert all(one["verified"] for one in came)
        assert {one["body"]["data"]["client_ref"] for one in came} == {f"order-{end}"}
        assert len({one["id"] for one in came}) == 2
    deliveries = hooked.call("GET", f"/v1/webhooks/{webhook['id']}/deliveries").json()["data"]
    assert {delivery["state"] for delivery in deliveries} == {"delivered"}


def test_a_server_that_fails_is_asked_again_and_one_that_is_slow_delays_nobody(
    administrator: Administrator, server: Server, number: Number
) -> None:
    customer = administrator.customer("10")
    events = ["message.delivered"]
    failing = server.open(customer, "failing?status=500", events=events)
    server.open(customer, "slow?delay=6", events=events)
    server.open(customer, "quick", events=events)
    time.sleep(HEARS_AFTER_SECONDS)
    sent = customer.send(number())
    customer.final(sent["id"])
    began = time.monotonic()
    assert server.received(1, message=sent["id"], path="/quick")[0]["verified"]
    assert time.monotonic() - began < 3
    server.received(2, message=sent["id"], path="/failing?status=500")
    (delivery,) = customer.call("GET", f"/v1/webhooks/{failing['id']}/deliveries").json()["data"]
    assert (delivery["state"], delivery["last_attempt"]["status"]) == ("waiting", 500)


def test_what_people_write_is_acknowledged_joined_told_and_answered(
    administrator: Administrator, smsc: Smsc, server: Server, number: Number
) -> None:
    customer = administrator.customer("10")
    server.open(customer, "inbound", events=["message.received"])
    time.sleep(HEARS_AFTER_SECONDS)
    account = customer.call("GET", "/v1/account").json()["id"]
    code = str(70_000 + int(number()[4:8]) % 10_000)
    body = {"number": code, "keywords": [{"word": "hola", "account": account, "reply": "Buenas."}]}
    administrator.create("numbers", body)
    person = number()
    text = "Hola, quisiera cambiar mi reserva del sábado 😀 por una para seis personas el domingo. " * 2
    written = {"from": person, "to": code, "text": text.strip(), "order": [3, 1, 1, 2]}
    assert smsc.write(written) == 4
    (came,) = server.received(path="/inbound")
    assert (came["verified"], came["body"]["data"]["from"], came["body"]["data"]["text"]) == (
        True,
        person,
        text.strip(),
    )
    (listed,) = customer.call("GET", "/v1/inbound").json()["data"]
    assert (listed["id"], listed["complete"], listed["keyword"]) == (came["body"]["data"]["id"], True, "hola")
    end = time.monotonic() + SECONDS
    while not smsc.received(person):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert [message["text"] for message in smsc.received(person)] == ["Buenas."]
