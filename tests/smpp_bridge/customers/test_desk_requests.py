"""The desk's other requests: to many at once, and what is asked after a submit."""

from typing import Any

import pytest

from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status
from chalicelib.services.faults import Fault, invalid_field
from smpp_bridge.protocol.multi import Destination, DistributionList, SubmitMulti, Unsuccessful
from smpp_bridge.protocol.pdu import CancelSm, Pdu, QuerySm, ReplaceSm
from smpp_bridge.protocol.status import Status as Smpp
from smpp_bridge.protocol.tlvs import segment_tlvs
from tests.smpp_bridge.customers.submit_world import NAME, Bound, Memory, answer, desk, message
from tests.smpp_bridge.customers.test_submits import submit
from tests.smpp_bridge.gateways.world import run

# --- to many


def multi(*destinations: Destination | DistributionList, **fields: Any) -> SubmitMulti:
    return SubmitMulti(
        source_addr="ACME", source_addr_ton=5, destinations=destinations, short_message=b"hola", **fields
    )


GOOD, OTHER = Destination("34600111222", 1, 1), Destination("34600111223", 1, 1)
NOBODY, LETTERS = Destination("34600000000", 1, 1), Destination("ACME", 5, 0)


def test_submit_multi_tells_who_was_refused_and_why() -> None:
    platform = Memory()
    platform.faults = {"+34600000000": invalid_field("/to", "invalid_number", "")}
    told = answer(platform, multi(GOOD, NOBODY, LETTERS, OTHER))
    assert told.status == 0
    assert told.fields["unsuccessful"] == (
        Unsuccessful(LETTERS, Smpp.INVALID_DESTINATION_TON),
        Unsuccessful(NOBODY, Smpp.INVALID_DESTINATION),
    )
    assert [each.to for each in platform.bundles[0][1]] == ["+34600111222", "+34600000000", "+34600111223"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (multi(NOBODY), Smpp.INVALID_DESTINATION),
        (multi(LETTERS), Smpp.INVALID_DESTINATION_TON),
        (multi(GOOD, DistributionList("friends")), Smpp.CANNOT_SUBMIT_TO_LIST),
        (multi(GOOD, tlvs=segment_tlvs(1, 2, 1)), Smpp.INVALID_ESM_CLASS),
    ],
    ids=["nobody", "letters", "a list", "a part"],
)
def test_submit_multi_that_reaches_nobody_is_refused(request_: SubmitMulti, status: int) -> None:
    platform = Memory()
    platform.faults = {"+34600000000": invalid_field("/to", "invalid_number", "")}
    assert answer(platform, request_).status == status


def test_submit_multi_counts_as_many_toward_the_rate() -> None:
    async def main() -> None:
        front, slow = desk(Memory()), Bound("slow", per_second=2.0)
        assert (await front.serve(slow, multi(GOOD, OTHER))).status == 0
        assert (await front.serve(slow, submit())).status == Smpp.THROTTLED

    run(main())


# --- afterwards


@pytest.mark.parametrize(
    ("status", "state", "final"),
    [
        (Status.QUEUED, 1, False),
        (Status.DELIVERED, 2, True),
        (Status.EXPIRED, 3, True),
        (Status.CANCELED, 4, True),
        (Status.UNDELIVERED, 5, True),
        (Status.UNKNOWN, 7, True),
        (Status.REJECTED, 8, True),
    ],
)
def test_query_tells_the_state_and_when_it_ended(status: Status, state: int, final: bool) -> None:
    platform = Memory()
    platform.messages[NAME] = message(status, error=ErrorInfo(code="x", title="", gateway_code="011"))
    told = answer(platform, QuerySm(message_id=NAME, source_addr="ACME", source_addr_ton=5))
    assert told.fields == {
        "message_id": NAME,
        "final_date": "251123000000000+" if final else "",
        "message_state": state,
        "error_code": 11,
    }


def test_query_of_what_was_accepted_a_moment_ago_is_en_route() -> None:
    async def main() -> None:
        front, bound = desk(Memory()), Bound()
        name = (await front.serve(bound, submit())).fields["message_id"]
        assert (await front.serve(bound, QuerySm(message_id=name))).fields["message_state"] == 1
        stranger = Bound("other", "acc_other")
        assert (await front.serve(stranger, QuerySm(message_id=name))).status == Smpp.QUERY_FAILED

    run(main())


@pytest.mark.parametrize("source", ["OTHER", "34600111222"])
def test_query_and_cancel_want_the_messages_own_sender(source: str) -> None:
    platform = Memory()
    platform.messages[NAME] = message(Status.QUEUED)
    assert answer(platform, QuerySm(message_id=NAME, source_addr=source)).status == Smpp.QUERY_FAILED
    assert answer(platform, CancelSm(message_id=NAME, source_addr=source)).status == Smpp.CANCEL_FAILED
    assert not platform.canceled


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("not_found", Smpp.INVALID_MESSAGE_ID),
        ("already_submitted", Smpp.CANCEL_FAILED),
        ("already_final", Smpp.CANCEL_FAILED),
    ],
)
def test_cancel_by_id(code: str, status: int) -> None:
    platform = Memory()
    assert answer(platform, CancelSm(message_id=NAME)).status == 0
    assert platform.canceled == [(NAME, False)]
    platform.faults[NAME] = Fault(code, "")
    assert answer(platform, CancelSm(message_id=NAME)).status == status


def test_cancel_by_addresses() -> None:
    platform = Memory()
    asked = CancelSm(source_addr="ACME", source_addr_ton=5, destination_addr="34600111222", dest_addr_ton=1)
    assert answer(platform, asked).status == 0
    assert platform.canceled == [("acc_one", "acme", "ACME", "+34600111222", False)]
    nobody = CancelSm(destination_addr="34600000000", dest_addr_ton=1)
    assert answer(platform, nobody).status == Smpp.CANCEL_FAILED
    assert answer(platform, CancelSm(destination_addr="X", dest_addr_ton=9)).status == Smpp.INVALID_DESTINATION_TON


@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("find", QuerySm(message_id=NAME)),
        ("cancel", CancelSm(message_id=NAME)),
        ("find", ReplaceSm(message_id=NAME)),
        ("cancel_waiting", CancelSm(destination_addr="34600111222", dest_addr_ton=1)),
        ("accept", multi(GOOD)),
    ],
)
def test_trouble_is_passing_for_every_request(call: str, request_: Pdu) -> None:
    platform = Memory()
    platform.unwell = {call}
    assert answer(platform, request_).status == Smpp.SYSTEM_ERROR
