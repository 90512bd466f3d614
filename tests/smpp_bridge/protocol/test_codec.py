"""The strict codec against the field layouts of SMPP 3.4: vectors, truncations, refusals, round trips, garbage."""

import dataclasses
from typing import Any

import pytest

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.framing import MAX_PDU_OCTETS
from smpp_bridge.protocol.multi import Destination
from smpp_bridge.protocol.pdu import (
    PDUS,
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag, receipt_tlvs, segment_tlvs
from tests.smpp_bridge.protocol.vectors import VECTORS

NAMES = list(VECTORS)


def with_length(frame: bytes) -> bytes:
    """The frame with the command_length that its octets have."""
    return len(frame).to_bytes(4) + frame[4:]


def put(frame: bytes, position: int, value: bytes) -> bytes:
    return frame[:position] + value + frame[position + len(value) :]


@pytest.mark.parametrize("name", NAMES)
def test_a_pdu_is_written_and_read_as_its_layout_says(name: str) -> None:
    octets, pdu = VECTORS[name]
    assert encode(pdu) == octets
    assert decode(octets) == pdu
    assert type(decode(octets)) is type(pdu)


def test_every_command_has_a_vector() -> None:
    assert {type(pdu) for _, pdu in VECTORS.values()} == set(PDUS.values())


@pytest.mark.parametrize("name", NAMES)
def test_every_truncation_is_a_protocol_error(name: str) -> None:
    octets, _ = VECTORS[name]
    for length in range(len(octets)):
        with pytest.raises(ProtocolError):
            decode(octets[:length])


@pytest.mark.parametrize("name", NAMES)
def test_a_truncation_with_its_length_put_right_is_an_error_or_lacks_whole_parameters(name: str) -> None:
    octets, pdu = VECTORS[name]
    borders = shorter_pdus(pdu)
    for length in range(16, len(octets)):
        cut = with_length(octets[:length])
        if cut in borders:
            assert decode(cut) == borders[cut]
        else:
            with pytest.raises(ProtocolError):
                decode(cut)


def shorter_pdus(pdu: Pdu) -> dict[bytes, Pdu]:
    """What remains a PDU when its end is cut off: fewer optional parameters, or a body that may be left out."""
    shorter = {
        encode(less): less for n in range(len(pdu.tlvs)) if (less := dataclasses.replace(pdu, tlvs=pdu.tlvs[:n]))
    }
    if isinstance(pdu, DeliverSmResp):
        shorter[with_length(encode(pdu)[:16])] = pdu
    return shorter


@pytest.mark.parametrize("name", NAMES)
def test_octets_behind_the_end_are_a_protocol_error(name: str) -> None:
    octets, _ = VECTORS[name]
    for extra in (b"\0", b"\0\0", b"\xff\xff\xff", b"\x04\x24\xff\xff\0"):
        with pytest.raises(ProtocolError):
            decode(octets + extra)
        if len(octets) > 16:  # a bare header with a NUL behind it is another PDU
            with pytest.raises(ProtocolError):
                decode(with_length(octets + extra))


SUBMIT = encode(SubmitSm(sequence=1, source_addr="a", destination_addr="b", short_message=b"hola"))
MULTI = encode(SubmitMulti(sequence=1, destinations=(Destination("5" * 20),), short_message=b"hola"))
REFUSALS: list[tuple[str, bytes, int]] = [
    ("no header", b"\0\0\0\x04", Status.INVALID_COMMAND_LENGTH),
    ("another length", put(SUBMIT, 0, b"\0\0\0\x11"), Status.INVALID_COMMAND_LENGTH),
    ("unknown command", put(SUBMIT, 4, b"\0\0\0\x99"), Status.INVALID_COMMAND_ID),
    ("sm_length over the end", with_length(SUBMIT[:-1]), Status.INVALID_MESSAGE_LENGTH),
    (
        "sm_length of 255",
        with_length(SUBMIT[:-5] + b"\xff" + b"x" * 255),
        Status.INVALID_MESSAGE_LENGTH,
    ),
    ("sm_length too short", put(SUBMIT, len(SUBMIT) - 5, b"\x03"), Status.INVALID_OPTIONAL_PART),
    ("service_type over 5", with_length(SUBMIT[:16] + b"abcdef" + SUBMIT[16:]), Status.INVALID_SERVICE_TYPE),
    ("source over 20", with_length(SUBMIT[:19] + b"5" * 20 + SUBMIT[19:]), Status.INVALID_SOURCE),
    ("destination over 20", with_length(SUBMIT[:23] + b"5" * 20 + SUBMIT[23:]), Status.INVALID_DESTINATION),
    ("schedule of 15", with_length(SUBMIT[:28] + b"0" * 15 + SUBMIT[28:]), Status.INVALID_SCHEDULE),
    ("validity of 17", with_length(SUBMIT[:29] + b"0" * 17 + SUBMIT[29:]), Status.INVALID_VALIDITY),
    ("a cut parameter", with_length(SUBMIT + b"\x02\x0c\0"), Status.INVALID_OPTIONAL_PART),
    ("a parameter over the end", with_length(SUBMIT + b"\x02\x0c\0\3\0\0"), Status.INVALID_OPTIONAL_PART),
    ("a known parameter of a wrong length", with_length(SUBMIT + b"\x02\x0c\0\1\0"), Status.INVALID_PARAMETER_LENGTH),
    (
        "a body behind enquire_link",
        with_length(encode(EnquireLink(sequence=1)) + b"\0"),
        Status.INVALID_COMMAND_LENGTH,
    ),
    (
        "a bind's password over 8",
        with_length(encode(BindTransceiver(password="x" * 8))[:17] + b"x" * 9 + b"\0\0\0\0\0\0"),
        Status.INVALID_PASSWORD,
    ),
    ("no destinations", put(MULTI, 20, b"\0"), Status.INVALID_DESTINATION_COUNT),
    ("255 destinations", put(MULTI, 20, b"\xff"), Status.INVALID_DESTINATION_COUNT),
    ("a third kind of destination", put(MULTI, 21, b"\x03"), Status.INVALID_DESTINATION_FLAG),
    ("a list's name over 20", with_length(put(MULTI, 21, b"\x02" + b"L" * 21)), Status.INVALID_LIST_NAME),
    (
        "a submit_sm_resp of status 0 without a body",
        b"\0\0\0\x10\x80\0\0\4\0\0\0\0\0\0\0\1",
        Status.INVALID_COMMAND_LENGTH,
    ),
]


@pytest.mark.parametrize(("case", "octets", "status"), REFUSALS, ids=[case for case, _, _ in REFUSALS])
def test_what_the_specification_forbids_is_refused_with_its_status(case: str, octets: bytes, status: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        decode(octets)
    assert refused.value.command_status == status


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"service_type": "abcdef"}, Status.INVALID_SERVICE_TYPE),
        ({"source_addr": "5" * 21}, Status.INVALID_SOURCE),
        ({"source_addr": "España€"}, Status.INVALID_SOURCE),
        ({"destination_addr": "5\x005"}, Status.INVALID_DESTINATION),
        ({"destination_addr": None}, Status.INVALID_DESTINATION),
        ({"schedule_delivery_time": "tomorrow"}, Status.INVALID_SCHEDULE),
        ({"validity_period": "0" * 15}, Status.INVALID_VALIDITY),
        ({"short_message": b"x" * 255}, Status.INVALID_MESSAGE_LENGTH),
        ({"short_message": "text"}, Status.INVALID_MESSAGE_LENGTH),
        ({"esm_class": 256}, Status.INVALID_PARAMETER_VALUE),
        ({"priority_flag": -1}, Status.INVALID_PARAMETER_VALUE),
        ({"sequence": 1 << 32}, Status.SYSTEM_ERROR),
        ({"tlvs": ((Tag.SAR_MSG_REF_NUM, b"\0"),)}, Status.INVALID_PARAMETER_LENGTH),
        ({"tlvs": ((0x10000, b""),)}, Status.INVALID_OPTIONAL_PART),
        ({"tlvs": ((0x1400, b"x" * 0x10000),)}, Status.INVALID_PARAMETER_LENGTH),
        ({"tlvs": ((Tag.MESSAGE_PAYLOAD, b"x"),), "short_message": b"y"}, Status.INVALID_MESSAGE_LENGTH),
        ({"tlvs": ((0x1400, b"x" * 40_000), (0x1401, b"x" * 40_000))}, Status.INVALID_COMMAND_LENGTH),
    ],
)
def test_what_does_not_fit_is_refused_and_never_cut(fields: dict[str, Any], status: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        encode(SubmitSm(**fields))
    assert refused.value.command_status == status


def test_optional_parameters_are_refused_where_the_command_takes_none() -> None:
    with pytest.raises(ProtocolError) as refused:
        encode(EnquireLink(tlvs=((0x1400, b""),)))
    assert refused.value.command_status == Status.PARAMETER_NOT_ALLOWED


def test_fields_of_the_greatest_length_are_taken() -> None:
    pdu = SubmitSm(
        service_type="abcde",
        source_addr="5" * 20,
        destination_addr="6" * 20,
        schedule_delivery_time="1" * 16,
        validity_period="2" * 16,
        short_message=b"x" * 254,
    )
    assert decode(encode(pdu)) == pdu
    assert decode(encode(SubmitSmResp(message_id="x" * 64))) == SubmitSmResp(message_id="x" * 64)
    payload = SubmitSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 0xFFFF),))
    assert decode(encode(payload)) == payload
    assert len(encode(payload)) <= MAX_PDU_OCTETS


def test_times_that_an_smsc_leaves_in_a_deliver_sm_are_no_reason_to_refuse_it() -> None:
    pdu = DeliverSm(schedule_delivery_time="2611222300", validity_period="7")
    assert decode(encode(pdu)) == pdu


def test_refused_responses_may_have_a_body_or_none_and_a_deliver_sm_resp_may_always_lack_it() -> None:
    bare = with_length(encode(SubmitSmResp(sequence=5, status=0x14, message_id="x"))[:16])
    assert decode(bare) == SubmitSmResp(sequence=5, status=0x14)
    assert decode(with_length(bare + b"\0")) == SubmitSmResp(sequence=5, status=0x14)
    assert decode(b"\0\0\0\x10\x80\0\0\x05\0\0\0\0\0\0\0\1") == DeliverSmResp(sequence=1)
    assert decode(encode(BindTransceiverResp(sequence=1, status=0x0D))) == BindTransceiverResp(sequence=1, status=0x0D)


def test_known_parameters_have_names_and_unknown_ones_pass_through() -> None:
    octets, _ = VECTORS["submit_sm with SAR, a reference and a vendor's parameter"]
    pdu = decode(octets)
    assert isinstance(pdu, SubmitSm)
    assert (pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum) == (0x1234, 2, 1)
    assert pdu.user_message_reference == 0xBEEF
    assert pdu.message_payload is None
    assert pdu.tlvs[-1] == (0x1400, b"\1\2\3")
    receipt = DeliverSm(tlvs=receipt_tlvs("1a", 2, b"\3\0\1"))
    assert (receipt.receipted_message_id, receipt.message_state, receipt.network_error_code) == ("1a", 2, b"\3\0\1")
    without_nul = DeliverSm(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"1a"),))
    assert without_nul.receipted_message_id == "1a"


@pytest.mark.parametrize("numbers", [(0x10000, 2, 1), (1, 2, 3), (1, 256, 1), (1, 2, 0)])
def test_segments_that_cannot_be_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ProtocolError):
        segment_tlvs(*numbers)


def test_smpplibs_own_lenient_codec_cannot_be_called_by_mistake() -> None:
    with pytest.raises(NotImplementedError):
        SubmitSm().generate()
    with pytest.raises(NotImplementedError):
        SubmitSm().parse(b"")
    assert SubmitSmResp().is_response()
    assert not SubmitSm().is_response()
