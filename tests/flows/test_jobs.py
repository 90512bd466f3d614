"""Jobs through the running platform: from a file to receipts; and stopped while they wait, paid back to the digit."""

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.flows.platform import Administrator, Customer, Smsc

pytestmark = pytest.mark.flow
Number = Callable[..., str]
PRICE = Decimal("0.045")


def job_until(customer: Customer, job: str, condition: Callable[[dict[str, Any]], bool], seconds: float = 60.0) -> Any:
    """The job once a condition holds for it."""
    end = time.monotonic() + seconds
    while not condition(told := customer.call("GET", f"/v1/jobs/{job}").raise_for_status().json()):
        assert time.monotonic() < end, told
        time.sleep(0.2)
    return told


def test_a_file_becomes_delivered_messages_with_each_recipients_text(
    customer: Customer, smsc: Smsc, number: Number
) -> None:
    numbers = [number() for _ in range(20)]
    rows = "".join(f"{to};Ana {at}\r\n" for at, to in enumerate(numbers))
    upload = customer.call("POST", "/v1/uploads").raise_for_status().json()
    raw = f"móvil;nombre\r\n{rows}nobody;x\r\n{numbers[0]};again\r\n".encode("utf-16")
    httpx.put(upload["url"], content=raw).raise_for_status()
    body = {"upload_id": upload["id"], "text": "Hola {nombre}"}
    job = customer.call("POST", "/v1/jobs", body).raise_for_status().json()
    done = job_until(customer, job["id"], lambda told: told["status"] == "completed")
    assert (done["preview"]["valid"], done["preview"]["invalid"], done["preview"]["duplicates"]) == (20, 1, 1)
    assert done["progress"]["by_status"] == {"delivered": 20}
    for at, to in enumerate(numbers):
        assert [one["text"] for one in smsc.received(to)] == [f"Hola Ana {at}"]


def test_a_job_that_is_stopped_while_it_waits_submits_no_more_and_is_paid_back_to_the_digit(
    administrator: Administrator, smsc: Smsc, number: Number
) -> None:
    customer, numbers = administrator.customer(credit="100", default_sender="Chasqui"), [number() for _ in range(400)]
    body = {"recipients": [{"to": to} for to in numbers], "text": "Hola"}
    job = customer.call("POST", "/v1/jobs", body).raise_for_status().json()["id"]
    job_until(customer, job, lambda told: told["progress"]["handed_over"] > 0)
    customer.call("POST", f"/v1/jobs/{job}/stop").raise_for_status()
    time.sleep(2)
    submitted = smsc.stats()["messages"]
    over = job_until(
        customer, job, lambda told: bool(told["progress"]["ended"] == told["progress"]["handed_over"] > 0), 90
    )
    assert smsc.stats()["messages"] == submitted
    delivered = over["progress"]["by_status"].get("delivered", 0)
    end = time.monotonic() + 30
    while Decimal(customer.balance()) != 100 - delivered * PRICE:
        assert time.monotonic() < end, (customer.balance(), over["progress"])
        time.sleep(0.2)
    assert sum(len(smsc.received(to)) for to in numbers[:50]) <= 50
