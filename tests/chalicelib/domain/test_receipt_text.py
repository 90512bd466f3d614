"""The receipts that are written here are read here: text and TLVs, each alone and together."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.esme import EsmeReceipt
from chalicelib.domain.receipt_text import STATE_OF_STATUS, message_state, network_error_code, receipt_text
from chalicelib.domain.receipts import is_receipt, parse_receipt
from chalicelib.domain.status import Status

ID = "msg_01K8QV3J9N7RZ5T2XWYB4M6CDE"
MINUTE_MS = 60_000
RECEIPT = EsmeReceipt(
    id=ID,
    sender="ACME",
    to="+34600111222",
    submitted_ms=1_763_859_780_000,
    done_ms=1_763_859_905_999,
    status=Status.DELIVERED,
    text="Hola",
)


def test_the_text_is_that_of_appendix_b() -> None:
    assert receipt_text(RECEIPT).decode() == (
        f"id:{ID} sub:001 dlvrd:001 submit date:2511230103 done date:2511230105 stat:DELIVRD err:000 text:Hola"
    )


# What clients commonly look for, as their documentation has it.
PATTERN = re.compile(
    r"^id:(\S+) sub:(\d{3}) dlvrd:(\d{3}) submit date:(\d{10}) done date:(\d{10}) stat:([A-Z]{7})"
    r" err:(\w{3}) text:(.*)$"
)


@pytest.mark.parametrize("status", sorted(Status))
def test_every_status_has_a_word_of_seven_letters_and_its_number(status: Status) -> None:
    found = PATTERN.fullmatch(receipt_text(msgspec.structs.replace(RECEIPT, status=status)).decode())
    assert found is not None
    assert found[6] == STATE_OF_STATUS[status]
    assert 1 <= message_state(status) <= 8
    assert found[3] == ("001" if status is Status.DELIVERED else "000")


receipts = st.builds(
    EsmeReceipt,
    id=st.from_regex("msg_[0-9A-HJKMNP-TV-Z]{26}(-[1-9][0-9]{0,6})?", fullmatch=True),
    sender=st.just("ACME"),
    to=st.just("+34600111222"),
    submitted_ms=st.integers(1_500_000_000_000, 4_000_000_000_000),
    done_ms=st.integers(1_500_000_000_000, 4_000_000_000_000),
    status=st.sampled_from(Status),
    err=st.from_regex("[0-9A-Za-z]{3}", fullmatch=True),
    network_error=st.none() | st.integers(0, 0xFFFF),
    text=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
    | st.sampled_from(["id:1 stat:EXPIRED", "err:999", "text:stat:REJECTD"]),
    intermediate=st.booleans(),
)


@given(receipt=receipts, with_text=st.booleans(), with_tlvs=st.booleans())
def test_what_is_written_is_read_back(receipt: EsmeReceipt, with_text: bool, with_tlvs: bool) -> None:
    text = receipt_text(receipt).decode("latin-1") if with_text or not with_tlvs else ""
    assert len(text) <= 254
    tlvs = {
        "receipted_message_id": receipt.id + "\0",
        "message_state": message_state(receipt.status),
        "network_error_code": network_error_code(receipt),
    }
    read = parse_receipt(text, **tlvs if with_tlvs else {})  # type: ignore[arg-type]
    assert read is not None
    assert (read.id, read.state) == (receipt.id, STATE_OF_STATUS[receipt.status])
    if text:
        assert is_receipt(0, text)
        assert read.submit_ms == receipt.submitted_ms // MINUTE_MS * MINUTE_MS
        assert read.done_ms == receipt.done_ms // MINUTE_MS * MINUTE_MS
    if with_tlvs and receipt.network_error is not None:
        assert read.err == f"{receipt.network_error:03}"
    elif text:
        assert read.err == receipt.err
