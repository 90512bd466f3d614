"""How many submit_sm a second one core encodes and decodes, beside packing the same octets with a bare struct.

`python -m tests.bench.codec`; prints a line a figure and exits 1 below the bar.
"""

import struct
import sys
import timeit
from collections.abc import Callable
from typing import Final

from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.pdu import DeliverSm, SubmitSm, SubmitSmResp
from smpp_bridge.protocol.tlvs import receipt_tlvs, segment_tlvs

BAR_PER_SECOND: Final = 200_000
CALLS: Final = 100_000
REPEATS: Final = 3  # the best counts: the others shared their core

SUBMIT: Final = SubmitSm(
    sequence=77,
    source_addr_ton=5,
    source_addr="Chasqui",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="5215512345678",
    registered_delivery=1,
    short_message=b"x" * 120,
)
SEGMENT: Final = SubmitSm(
    sequence=77, destination_addr="5215512345678", short_message=b"x" * 120, tlvs=segment_tlvs(7, 2, 1)
)
RECEIPT: Final = DeliverSm(
    sequence=77,
    source_addr="5215512345678",
    destination_addr="Chasqui",
    esm_class=4,
    short_message=b"id:1234567890 sub:001 dlvrd:001 submit date:2611222300 done date:2611222301 stat:DELIVRD err:000",
    tlvs=receipt_tlvs("1234567890", 2, b"\3\0\0"),
)
RESPONSE: Final = SubmitSmResp(sequence=77, message_id="1234567890")
_BARE: Final = struct.Struct(">LLLL1s2B8s2B14s3B1s1s5B120s")


def _bare() -> bytes:
    return _BARE.pack(
        173,
        4,
        0,
        77,
        b"\0",
        5,
        0,
        b"Chasqui\0",
        1,
        1,
        b"5215512345678\0",
        0,
        0,
        0,
        b"\0",
        b"\0",
        1,
        0,
        0,
        0,
        120,
        b"x" * 120,
    )


def per_second(work: Callable[[], object]) -> float:
    """The best of REPEATS runs of CALLS calls."""
    return CALLS / min(timeit.repeat(work, number=CALLS, repeat=REPEATS))


def main() -> int:
    submit, segment, receipt, response = (encode(pdu) for pdu in (SUBMIT, SEGMENT, RECEIPT, RESPONSE))
    if _bare() != submit:
        raise AssertionError("the baseline packs another PDU")
    encodes, decodes = per_second(lambda: encode(SUBMIT)), per_second(lambda: decode(submit))
    figures = {
        "submit_sm, bare struct.pack (the ceiling)": per_second(_bare),
        "submit_sm, encode": encodes,
        "submit_sm, bare struct.unpack (the ceiling)": per_second(lambda: _BARE.unpack(submit)),
        "submit_sm, decode": decodes,
        "submit_sm with SAR, encode": per_second(lambda: encode(SEGMENT)),
        "submit_sm with SAR, decode": per_second(lambda: decode(segment)),
        "submit_sm_resp, encode": per_second(lambda: encode(RESPONSE)),
        "submit_sm_resp, decode": per_second(lambda: decode(response)),
        "deliver_sm receipt with TLVs, encode": per_second(lambda: encode(RECEIPT)),
        "deliver_sm receipt with TLVs, decode": per_second(lambda: decode(receipt)),
    }
    for name, figure in figures.items():
        print(f"{name:<44} {figure:>12,.0f}/s")
    reached = min(encodes, decodes) >= BAR_PER_SECOND
    print(f"bar: {BAR_PER_SECOND:,}/s each way: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
