"""Framing: however the stream is cut, the PDUs are the same; a length that cannot be ends it."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.framing import MAX_PDU_OCTETS, Framer
from smpp_bridge.protocol.pdu import EnquireLink, SubmitSm
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag

PDUS = [
    encode(EnquireLink(sequence=1)),
    encode(SubmitSm(sequence=2, short_message=b"x" * 200)),
    encode(EnquireLink(sequence=3)),
]


@given(st.lists(st.integers(0, sum(map(len, PDUS)) * 3), max_size=20))
@settings(deadline=None)
def test_pdus_come_whole_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream = b"".join(PDUS) * 3
    borders = [0, *sorted(cuts), len(stream)]
    framer = Framer()
    frames = [f for start, end in pairwise(borders) for f in framer.feed(stream[start:end])]
    assert frames == PDUS * 3


def test_a_pdu_may_come_octet_by_octet() -> None:
    framer = Framer()
    frames = [frame for octet in PDUS[1] for frame in framer.feed(bytes((octet,)))]
    assert frames == [PDUS[1]]


@pytest.mark.parametrize("length", [0, 15, MAX_PDU_OCTETS + 1, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_refused_as_soon_as_it_is_seen_and_for_ever(length: int) -> None:
    framer = Framer()
    for data in (length.to_bytes(4), PDUS[0]):
        with pytest.raises(ProtocolError) as refused:
            framer.feed(data)
        assert refused.value.command_status == Status.INVALID_COMMAND_LENGTH


def test_what_came_whole_before_a_bad_length_is_handed_out() -> None:
    framer = Framer()
    assert framer.feed(PDUS[0] + b"\0\0\0\0") == [PDUS[0]]
    assert framer.error is not None
    with pytest.raises(ProtocolError):
        framer.feed(b"")


def test_the_greatest_payload_fits() -> None:
    frame = encode(SubmitSm(sequence=1, tlvs=((Tag.MESSAGE_PAYLOAD, b"x" * 0xFFFF),)))
    assert Framer().feed(frame) == [frame]
