"""Administrators' reports of what really went over the wire."""

import time
from collections.abc import Callable

import httpx
import pytest

from tests.flows.platform import Administrator, Customer, Smsc

pytestmark = pytest.mark.flow
REPORTS = "/v1/admin/reports"


def test_a_message_is_found_by_its_smscs_id_and_its_pdus_are_those_of_the_wire(
    customer: Customer, administrator: Administrator, smsc: Smsc, number: Callable[..., str]
) -> None:
    to = number()
    sent = customer.send(to, "Tu código es 4711 🐧" * 5)
    assert customer.final(sent["id"])["status"] == "delivered"
    life = administrator.call("GET", f"{REPORTS}/messages/{sent['id']}").raise_for_status().json()
    submits = [event["pdu"] for event in life["events"] if event["kind"] == "submitted"]
    receipts = [event["pdu"] for event in life["events"] if event["kind"] == "receipt"]
    assert len(submits) == sent["parts"] > 1
    assert {(pdu["command"], pdu["data_coding"], pdu["esm_class"]) for pdu in submits} == {("submit_sm", 8, 0x40)}
    assert sorted(pdu["udh"][-2:] for pdu in submits) == [f"{part:02}" for part in range(1, sent["parts"] + 1)]
    assert len({pdu["sequence_number"] for pdu in submits}) == len(submits)
    for pdu, id_ in zip(receipts, life["message"]["smsc_ids"], strict=True):
        assert pdu["command"] in ("deliver_sm", "data_sm")
        assert id_.lower().lstrip("0") in pdu["receipt"].lower() or pdu["tlvs"]
        assert "stat:DELIVRD" in pdu["receipt"]
    assert to[1:] not in str([submits, receipts])
    assert "4711" not in str(life)
    answer = administrator.call("GET", f"{REPORTS}/messages?smsc_id={life['message']['smsc_ids'][0]}")
    assert [found["message_id"] for found in answer.raise_for_status().json()["data"]] == [sent["id"]]
    binds = administrator.call("GET", f"{REPORTS}/binds?side=gateway&kind=bound").raise_for_status().json()["data"]
    assert life["message"]["gateway"] in {bind["name"] for bind in binds}
    assert len(httpx.get(_file(administrator, f"messages/file?message_id={sent['id']}")).text.splitlines()) == 2


def _file(administrator: Administrator, path: str) -> str:
    """Where the file is, once it is made."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        answer = administrator.call("GET", f"{REPORTS}/{path}").raise_for_status()
        if answer.status_code == 200:
            return str(answer.json()["url"])
        time.sleep(0.3)
    raise AssertionError("the file was not made")
