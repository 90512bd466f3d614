"""On the running platform: what cannot be processed reaches an administrator; what was paid stands in the statement."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import boto3
import pytest

from infra.local.place import PREFIX, REGION
from tests.flows.platform import Administrator, Customer

pytestmark = pytest.mark.flow
SECONDS = 20.0


def letter_once(administrator: Administrator, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """A waiting dead letter, once there is one that is meant."""
    end = time.monotonic() + SECONDS
    while True:
        found = administrator.call("GET", "/v1/admin/dead-letters").raise_for_status().json()["data"]
        meant = [letter for letter in found if condition(letter)]
        if meant:
            return dict(meant[0])
        assert time.monotonic() < end, found
        time.sleep(0.2)


def test_a_record_that_is_no_bundle_is_shown_with_its_reason_sent_again_and_dropped(
    card: dict[str, Any], administrator: Administrator
) -> None:
    session = boto3.session.Session("made-up", "made-up", region_name=REGION)
    sqs = session.client("sqs", endpoint_url=card["endpoint_url"])
    body = f"no bundle {time.time_ns()}"
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=f"{PREFIX}-billing")["QueueUrl"], MessageBody=body)

    letter = letter_once(administrator, lambda one: one["queue"] == "billing")
    assert letter["reason"].startswith("no bundle: JSON is malformed")
    path = f"/v1/admin/dead-letters/{letter['id']}"
    assert administrator.call("GET", path).json()["body"] == body
    assert administrator.call("POST", f"{path}/resend").json()["state"] == "resent"

    again = letter_once(administrator, lambda one: one["id"] == letter["id"])
    assert (again["receives"], again["first_seen_at"]) == (2 * letter["receives"], letter["first_seen_at"])
    assert administrator.call("DELETE", path).json()["state"] == "dropped"
    assert administrator.call("GET", "/v1/admin/dead-letters").json()["data"] == []


def test_a_statement_tells_what_was_charged_and_paid_back(
    administrator: Administrator, number: Callable[[str], str]
) -> None:
    customer: Customer = administrator.customer(credit="1", refund_policy="not_delivered")
    delivered = customer.final(customer.send(number("7777"))["id"])
    undelivered = customer.final(customer.send(number("0001"))["id"])
    assert (delivered["status"], undelivered["status"]) == ("delivered", "undelivered")
    end = time.monotonic() + SECONDS
    while len(lines := customer.call("GET", "/v1/account/ledger").json()["data"]) < 4:
        assert time.monotonic() < end, lines
        time.sleep(0.1)
    assert [(line["kind"], line.get("message")) for line in lines] == [
        ("refund", undelivered["id"]),
        ("charge", undelivered["id"]),
        ("charge", delivered["id"]),
        ("grant", None),
    ]
    balances = [Decimal(line["balance"]) for line in lines]
    price = Decimal(delivered["price"])
    assert balances == [1 - price, 1 - 2 * price, 1 - price, 1]
    assert Decimal(customer.balance()) == balances[0]
