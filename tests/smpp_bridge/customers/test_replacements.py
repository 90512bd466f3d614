"""replace_sm says what is to stand in a scheduled message's place, read as submit_sm is by the message's coding."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.status import Status
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.replace import Replacement
from smpp_bridge.customers.statuses import OwnStatus
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.pdu import ReplaceSm
from smpp_bridge.protocol.status import Status as Smpp
from smpp_bridge.protocol.tlvs import Tag
from tests.smpp_bridge.customers.submit_world import NAME, Bound, Memory, answer, desk, message
from tests.smpp_bridge.customers.test_submits import NOW_MS, read, submit
from tests.smpp_bridge.gateways.world import run

DUE_MS = NOW_MS + 3_600_000
USUAL: dict[str, Any] = {"source_addr": "ACME", "source_addr_ton": 5, "short_message": b"hola"}


def waiting(data_coding: int | None = 0, due_ms: int | None = DUE_MS) -> Memory:
    """A platform with one message."""
    platform, one = Memory(), message(Status.SCHEDULED)
    assert one.content is not None
    content = msgspec.structs.replace(one.content, data_coding=data_coding)
    platform.messages[NAME] = msgspec.structs.replace(one, content=content, due_ms=due_ms)
    return platform


def asked(**fields: Any) -> ReplaceSm:
    return ReplaceSm(message_id=NAME, **USUAL | fields)


@pytest.mark.parametrize(
    ("data_coding", "octets", "body"),
    [
        (0, b"\x1b\x65 ol\x05", "€ olé"),
        (3, b"ol\xe1", "olá"),
        (8, "\N{PACKAGE}".encode("utf-16-be"), "\N{PACKAGE}"),
        (4, b"\0\1", b"\0\1"),
    ],
)
@pytest.mark.parametrize("as_payload", [False, True])
def test_the_text_is_read_by_the_messages_own_coding(
    data_coding: int, octets: bytes, body: str | bytes, as_payload: bool
) -> None:
    platform = waiting(data_coding)
    fields = (
        {"short_message": b"", "tlvs": ((Tag.MESSAGE_PAYLOAD, octets),)} if as_payload else {"short_message": octets}
    )
    request = decode(encode(asked(registered_delivery=0x11, **fields)))
    assert answer(platform, request).status == 0
    assert platform.replaced == [Replacement(login="acme", sender="ACME", body=body, registered=0x11)]


def test_times_that_are_given_are_read_and_others_stay() -> None:
    platform = waiting()
    for fields in (
        {},
        {"schedule_delivery_time": "000000030000000R"},
        {"validity_period": "000000000100000R"},
        {"schedule_delivery_time": "251123020000000+", "validity_period": "251123030000000+"},
        {"schedule_delivery_time": "251122235930000+"},
    ):
        assert answer(platform, asked(**fields)).status == 0
    assert [(one.send_at_ms, one.validity_seconds) for one in platform.replaced] == [
        (None, None),
        (NOW_MS + 3 * 3_600_000, None),
        (None, 60),
        (NOW_MS + 2 * 3_600_000, 3600),
        (NOW_MS, None),  # by now
    ]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"registered_delivery": 3}, Smpp.INVALID_REGISTERED_DELIVERY),
        ({"sm_default_msg_id": 1}, Smpp.INVALID_DEFAULT_MESSAGE_ID),
        ({"schedule_delivery_time": "251022235959000+"}, Smpp.INVALID_SCHEDULE),
        ({"validity_period": "251123005959000+"}, Smpp.INVALID_VALIDITY),  # over before it would be sent
        ({"source_addr_ton": 9}, Smpp.INVALID_SOURCE_TON),
        ({"tlvs": ((Tag.MESSAGE_PAYLOAD, b"hola"),)}, Smpp.INVALID_MESSAGE_LENGTH),
        ({"short_message": b"\xff"}, OwnStatus.INVALID_TEXT),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any], status: int) -> None:
    platform = waiting()
    assert answer(platform, asked(**fields)).status == status
    assert not platform.replaced


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault("not_replaceable", ""), Smpp.REPLACE_FAILED),
        (Fault("no_credit", ""), OwnStatus.NO_CREDIT),
        (Fault("text_too_long", ""), Smpp.INVALID_MESSAGE_LENGTH),
        (invalid_field("/validity_seconds", "out_of_range", ""), Smpp.INVALID_VALIDITY),
    ],
)
def test_why_not_is_told_as_of_a_submit(fault: Fault, status: int) -> None:
    platform = waiting()
    platform.faults[NAME] = fault
    assert answer(platform, asked()).status == status


@pytest.mark.parametrize(("data_coding", "due_ms"), [(None, DUE_MS), (0, None)], ids=["by HTTPS", "sent at once"])
def test_only_what_smpp_scheduled_can_be_replaced(data_coding: int | None, due_ms: int | None) -> None:
    assert answer(waiting(data_coding, due_ms), asked()).status == Smpp.REPLACE_FAILED


def test_an_id_that_is_none_is_told_from_what_was_accepted_a_moment_ago() -> None:
    async def main() -> None:
        front, bound = desk(Memory()), Bound()
        assert (await front.serve(bound, asked())).status == Smpp.INVALID_MESSAGE_ID
        name = (await front.serve(bound, submit())).fields["message_id"]
        assert (await front.serve(bound, ReplaceSm(message_id=name))).status == Smpp.REPLACE_FAILED

    run(main())


def test_trouble_is_passing() -> None:
    platform = waiting()
    platform.unwell = {"replace"}
    assert answer(platform, asked()).status == Smpp.SYSTEM_ERROR


def test_a_scheduled_submit_keeps_its_coding_and_ends_when_it_says() -> None:
    made = read(schedule_delivery_time="251123010000000+", validity_period="251123030000000+", data_coding=3).submission
    assert (made.data_coding, made.validity_seconds) == (3, 7200)
    assert read(data_coding=3).submission.data_coding is None
