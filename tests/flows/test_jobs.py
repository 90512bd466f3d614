"""Jobs through the running platform: from a file to receipts; and stopped while they wait, paid back to the digit."""

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.platform import Administrator, Customer, Smsc
from tests.flows.slow_job import SlowJob

pytestmark = pytest.mark.flow
Number = Callable[..., str]
PRICE = Decimal("0.045")
OVERTAKES_SECONDS = (
    3.0  # `make bench BENCH=jobs_stop` holds it to one; here the emulator and other tests are in the way
)
STOPS_SECONDS = 2.0


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


def test_a_single_message_overtakes_a_waiting_job_which_when_stopped_submits_no_more_and_is_paid_back_to_the_digit(
    card: dict[str, Any], smsc: Smsc, journal: Path, tmp_path: Path
) -> None:
    told = SlowJob(card, journal, tmp_path, rows=300, per_second=20.0, until=20).run()
    assert told.waited == told.canceled > 200
    assert told.overtook_seconds < OVERTAKES_SECONDS
    assert told.last_submit_seconds <= STOPS_SECONDS
    assert told.balance == told.owed
    assert told.audit == (0, 0)


def test_a_job_reaches_nobody_who_is_on_a_list(
    administrator: Administrator, customer: Customer, smsc: Smsc, number: Number
) -> None:
    numbers = [number() for _ in range(9)]
    disturbed, left = numbers[::3], numbers[1::3]
    for to in disturbed:
        administrator.create("dnd", {"number": to})
    mine = administrator.customer(credit="5", default_sender="Chasqui")
    for to in left:
        assert mine.call("POST", "/v1/opt-outs", {"number": to}).status_code == 201
    time.sleep(1.5)  # CHASQUI_ACCOUNT_CACHE_SECONDS of a local run, and a little
    body = {"recipients": [{"to": to} for to in numbers], "text": "Hola"}
    job = mine.call("POST", "/v1/jobs", body).raise_for_status().json()["id"]
    done = job_until(mine, job, lambda told: told["status"] == "completed")
    assert done["progress"]["by_status"] == {"delivered": 3, "rejected": 6}
    assert [len(smsc.received(to)) for to in numbers] == [0, 0, 1] * 3
    assert Decimal(mine.balance()) == 5 - 3 * PRICE
