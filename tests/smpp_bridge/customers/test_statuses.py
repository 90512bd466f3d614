"""The table of statuses: what is permanent never says "try again", and the documents say the same."""

import re
from pathlib import Path

import pytest

from chalicelib.domain.refusals import REASONS
from chalicelib.domain.status import Status as MessageStatus
from chalicelib.services.faults import Fault, FieldFault, invalid
from smpp_bridge.customers.statuses import OF_CODE, OF_FIELD, OF_FIELD_CODE, OTHERWISE, STATES, OwnStatus, status_of
from smpp_bridge.protocol.status import Status

AGAIN = {Status.SYSTEM_ERROR, Status.QUEUE_FULL, Status.THROTTLED, Status.TEMPORARY_APP_ERROR}
PASSING = {"rate_limited", "no_gateway", "unavailable"}
DOCUMENT = Path(__file__).parents[3] / "docs" / "smpp.md"


def test_permanent_reasons_never_invite_to_try_again() -> None:
    for code, status in OF_CODE.items():
        assert (status in AGAIN) is (code in PASSING), code
    assert not AGAIN & {*OF_FIELD.values(), *OF_FIELD_CODE.values(), OTHERWISE}


@pytest.mark.parametrize("code", sorted(set(REASONS) - {"no_gateway"}))
def test_no_refusal_of_routing_invites_to_try_again(code: str) -> None:
    assert status_of(Fault(code, "no")) not in AGAIN


def test_a_field_at_fault_has_its_own_status() -> None:
    number = FieldFault(field="/to", code="invalid_number", detail="no number")
    text = FieldFault(field="/text", code="invalid_text", detail="no text")
    assert status_of(invalid(text, number)) == Status.INVALID_DESTINATION
    assert status_of(invalid(text)) == OwnStatus.INVALID_TEXT
    assert status_of(Fault("never heard of", "?")) == Status.SUBMIT_FAILED


def test_every_status_of_a_message_has_a_state() -> None:
    assert set(STATES) == set(MessageStatus)


def test_the_documents_list_each_status_that_is_answered() -> None:
    told = set(re.findall(r"^\| 0x([0-9A-F]+) ", DOCUMENT.read_text(), re.MULTILINE))
    answered = {*OF_CODE.values(), *OF_FIELD.values(), *OF_FIELD_CODE.values(), OTHERWISE, Status.QUEUE_FULL}
    assert {f"{status:02X}" for status in answered} <= told
    assert {f"{status:02X}" for status in OwnStatus} <= told
