"""What people write: deliver_sm and data_sm that are no receipt, as they are handed to the platform."""

from typing import Final

from chalicelib.domain.content import Segment
from chalicelib.domain.headers import BadHeader, checked_segment, read_header
from chalicelib.domain.inbound import address, inbound_id
from chalicelib.wire import InboundOutcome
from smpp_bridge.protocol.pdu import DataSm, DeliverSm

_UDHI: Final = 0x40  # esm_class, section 5.2.12
_OCTETS: Final = 0x04  # data_coding, section 5.2.19: what cannot be read is kept as it came


def inbound_of(request: DeliverSm | DataSm, gateway: str, session: str, at_ms: int) -> InboundOutcome:
    """The message, or the part of one, that came on a session. Reads anything: nothing is lost for a bad header.

    The id is the request's: a deliver_sm that the SMSC sends again, unacknowledged, is a new one, as nothing in it says
    that it came before.
    """
    octets, coding, segment = request.content, request.data_coding, _by_parameters(request)
    if request.esm_class & _UDHI:
        try:
            header, octets = read_header(octets)
            segment = header.segment or segment
        except BadHeader:
            coding = _OCTETS
    return InboundOutcome(
        id=inbound_id(at_ms, gateway, session, request.sequence, request.source_addr, octets.hex()),
        at_ms=at_ms,
        gateway=gateway,
        sender=address(request.source_addr, request.source_addr_ton),
        recipient=address(request.destination_addr, request.dest_addr_ton),
        octets=octets,
        coding=coding,
        segment=segment,
    )


def _by_parameters(request: DeliverSm | DataSm) -> Segment | None:
    """The part by SAR parameters (sections 5.3.2.22 to 24); None where they say nothing that can be."""
    reference, total, number = request.sar_msg_ref_num, request.sar_total_segments, request.sar_segment_seqnum
    if reference is None or total is None or number is None:
        return None
    try:
        return checked_segment(reference, total, number)
    except BadHeader:
        return None
