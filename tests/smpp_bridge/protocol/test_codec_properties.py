"""The strict codec under properties: any PDU comes back, and garbage is read consistently or refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.codec import HEADER, decode, decode_by_table, encode, encode_by_table
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.fields import CString, Integer, ShortMessage
from smpp_bridge.protocol.multi import (
    Destination,
    Destinations,
    DistributionList,
    Unsuccessful,
    UnsuccessfulDestinations,
)
from smpp_bridge.protocol.pdu import (
    PDUS,
)
from smpp_bridge.protocol.tlvs import read_tlvs

octet = st.integers(0, 255)
vendor_tlvs = st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=40)), max_size=4).map(tuple)


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=least, max_size=most)


destination = st.builds(Destination, text(20), octet, octet)
unsuccessful = st.builds(Unsuccessful, destination, st.integers(0, 0xFFFFFFFF))
COMPOUND: dict[type, st.SearchStrategy[Any]] = {
    ShortMessage: st.binary(max_size=254),
    Destinations: st.lists(destination | st.builds(DistributionList, text(20)), min_size=1, max_size=5).map(tuple),
    UnsuccessfulDestinations: st.lists(unsuccessful, max_size=5).map(tuple),
}


def strategy_of(kind: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """Any PDU of a class, made from its table of fields."""
    values: dict[str, st.SearchStrategy[Any]] = {"sequence": st.integers(0, 0xFFFFFFFF)}
    for field in kind.fields:
        if isinstance(field, Integer):
            values[field.name] = octet
        elif isinstance(field, CString):
            most = field.max_octets - 1
            times = st.just("") | text(most, least=most)
            values[field.name] = times if field.whole else text(most)
        else:
            values[field.name] = COMPOUND[type(field)]
    if kind.takes_tlvs:
        values["tlvs"] = vendor_tlvs
    return st.builds(kind, **values)


any_pdu = st.sampled_from(list(PDUS.values())).flatmap(strategy_of)


@given(any_pdu)
@settings(max_examples=400, deadline=None)
def test_any_pdu_comes_back_as_it_was_and_both_encoders_agree(pdu: Pdu) -> None:
    octets = encode(pdu)
    assert decode(octets) == pdu
    assert encode_by_table(pdu) == octets


@given(any_pdu, st.data())
@settings(max_examples=400, deadline=None)
def test_flipped_and_garbled_pdus_are_read_consistently_or_refused(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(4, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    read_or_refused(bytes(octets))


@given(st.sampled_from(list(PDUS)), st.binary(max_size=120))
@settings(max_examples=400, deadline=None)
def test_garbage_behind_a_good_header_is_read_consistently_or_refused(command_id: int, body: bytes) -> None:
    read_or_refused((16 + len(body)).to_bytes(4) + command_id.to_bytes(4) + b"\0\0\0\0\0\0\0\1" + body)


@given(st.binary(max_size=64))
def test_parameters_are_read_or_refused(octets: bytes) -> None:
    try:
        read_tlvs(octets, 0)
    except ProtocolError:
        return


def read_or_refused(octets: bytes) -> None:
    """Both decoders say the same, and what is read can be written."""
    _, command_id, status, sequence = HEADER.unpack_from(octets)
    try:
        pdu = decode(octets)
    except ProtocolError as refused:
        with pytest.raises(ProtocolError) as by_table:
            decode_by_table(octets, command_id, status, sequence)
        assert by_table.value.command_status == refused.command_status  # noqa: PT017 -- compared with another refusal
        return
    assert pdu == decode_by_table(octets, command_id, status, sequence)
    try:
        again = encode(pdu)
    except ProtocolError as refused:
        # Peers may send both; we do not (section 5.3.2.32).
        assert "both short_message and message_payload" in refused.reason  # noqa: PT017 -- the rare case, and only it
        return
    assert decode(again) == pdu
