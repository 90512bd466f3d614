"""Receipts as SMSCs really write them, TLVs over text, ids in every form, and hostile ones."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.receipts import (
    MAX_ID_FORMS,
    MAX_TEXT,
    STATE_OF_NUMBER,
    STATUS_OF,
    ReceiptState,
    id_forms,
    is_receipt,
    parse_receipt,
)
from chalicelib.domain.rules import MessageIdForm
from chalicelib.domain.status import Status

USUAL = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2403011205 done date:240301120731 stat:DELIVRD err:000 text:Hola María"
)


def epoch_ms(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def test_the_usual_text_is_read() -> None:
    receipt = parse_receipt(USUAL)
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.err) == ("0123456789", ReceiptState.DELIVRD, "000")
    assert receipt.submit_ms == epoch_ms(2024, 3, 1, 12, 5)
    assert receipt.done_ms == epoch_ms(2024, 3, 1, 12, 7, 31)
    assert (receipt.status, receipt.text) == (Status.DELIVERED, USUAL)


def test_the_gateways_clock_is_brought_to_utc() -> None:
    receipt = parse_receipt(USUAL, utc_offset_minutes=-360)
    assert receipt is not None
    assert receipt.done_ms == epoch_ms(2024, 3, 1, 18, 7, 31)


@pytest.mark.parametrize(
    ("text", "message_id", "state", "err"),
    [
        pytest.param("id:7 stat:UNDELIV", "7", "UNDELIV", None, id="nothing but id and stat"),
        pytest.param("STAT:EXPIRED ID:a9F", "a9F", "EXPIRED", None, id="another order and case"),
        pytest.param("id: 7 stat: DELIVRD err: 0A1", "7", "DELIVRD", "0A1", id="spaces after the colon"),
        pytest.param("id:7,stat:DELIVRD;err:12", "7", "DELIVRD", "12", id="commas"),
        pytest.param("id:7\nsub:1\nstat:REJECTD\nerr:x1y", "7", "REJECTD", "x1y", id="lines"),
        pytest.param("id:7 stat:delivered", "7", "DELIVRD", None, id="the word in full"),
        pytest.param("id:7 stat:WHATEVER", "7", "UNKNOWN", None, id="a state of no table"),
        pytest.param("id:7 err: text: stat:DELIVRD", "7", "DELIVRD", None, id="text before stat"),
        pytest.param(
            "id:7 stat:DELIVRD text:id:8 stat:EXPIRED err:5", "7", "DELIVRD", None, id="a receipt within text"
        ),
        pytest.param("id:7 stat:DELIVRD text:a\nid:8", "7", "DELIVRD", None, id="text with line ends"),
        pytest.param(
            "id:7 sub: dlvrd: submit date: done date: stat:DELIVRD err: text:", "7", "DELIVRD", None, id="empty"
        ),
        pytest.param(
            "id:7 Submit_Date:x done date:9999999999 stat:DELIVRD", "7", "DELIVRD", None, id="dates that are none"
        ),
        pytest.param("id:c3a4-12:77/b stat:DELIVRD", "c3a4-12:77/b", "DELIVRD", None, id="an id with punctuation"),
    ],
)
def test_texts_are_read_as_smscs_write_them(text: str, message_id: str, state: str, err: str | None) -> None:
    receipt = parse_receipt(text)
    assert receipt is not None
    assert (receipt.id, receipt.state.value, receipt.err) == (message_id, state, err)
    assert (receipt.submit_ms, receipt.done_ms) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "id:7",
        "stat:DELIVRD",
        "id: stat:DELIVRD",
        "my id:7 is bad",
        "paid:7 restat:DELIVRD",
        "ſtat:DELIVRD id:7",
        "id:" + "7" * 65 + " stat:DELIVRD",
        "id:\x007 stat:DELIVRD",
    ],
)
def test_what_lacks_an_id_or_a_state_is_no_receipt(text: str) -> None:
    assert parse_receipt(text) is None


def test_tlvs_win_over_the_text() -> None:
    receipt = parse_receipt(
        USUAL, receipted_message_id="ABC\0", message_state=5, network_error_code=bytes.fromhex("03 00 0b")
    )
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.err) == ("ABC", ReceiptState.UNDELIV, "011")


def test_tlvs_alone_make_a_receipt_and_broken_ones_leave_the_text() -> None:
    receipt = parse_receipt("", receipted_message_id="7", message_state=2)
    assert receipt is not None
    assert (receipt.status, receipt.err, receipt.done_ms) == (Status.DELIVERED, None, None)
    receipt = parse_receipt(USUAL, receipted_message_id="", message_state=99, network_error_code=b"\x03")
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.err) == ("0123456789", ReceiptState.DELIVRD, "000")


def test_every_state_has_a_status_and_the_numbers_are_those_of_smpp() -> None:
    assert set(STATUS_OF) == set(ReceiptState)
    words = ["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
    assert [STATE_OF_NUMBER[number].value for number in range(1, 9)] == words
    assert {state.value for state, status in STATUS_OF.items() if status is Status.SUBMITTED} == {
        "SCHEDULED",
        "ENROUTE",
        "ACCEPTD",
        "BUFFERED",
    }
    assert {state.value for state, status in STATUS_OF.items() if status is Status.UNDELIVERED} == {
        "DELETED",
        "UNDELIV",
        "SKIPPED",
    }


@pytest.mark.parametrize(
    ("esm_class", "text", "expected"),
    [
        (0x04, "", True),
        (0x08, "", True),
        (0x20, "", True),
        (0x44, "", True),
        (0x00, USUAL, True),
        (0x00, "stop", False),
        (0x40, "id:7 what is it", False),
        (0x03, "", False),
    ],
)
def test_a_receipt_is_known_by_its_bits_or_by_its_text(esm_class: int, text: str, expected: bool) -> None:
    assert is_receipt(esm_class, text) is expected


@pytest.mark.parametrize(
    ("stored", "told", "form"),
    [
        ("0123abCD", "0123abCD", "raw"),
        ("499602d2", "1234567890", "hex"),
        ("499602D2", "1234567890", "hex"),
        ("499602D2", "01234567890", "hex"),
        ("0ABCDEF1", "180150001", "hex"),
        ("00000000499602d2", "1234567890", "hex"),
        ("499602d2", "499602D2", "hex"),
        ("499602d2", "00499602D2", "hex"),
        ("1234567890", "499602D2", "decimal"),
        ("1234567890", "00499602d2", "decimal"),
        ("1234567890", "0001234567890", "decimal"),
        ("0000000042", "2A", "decimal"),
        ("305419896", "12345678", "decimal"),
        ("499602d2", "1234567890", "either"),
        ("1234567890", "499602D2", "either"),
        ("42", "0042", "either"),
        ("abc-def", "ABC-DEF", "either"),
    ],
)
def test_an_id_is_found_in_the_form_that_the_response_had(stored: str, told: str, form: MessageIdForm) -> None:
    forms = id_forms(told, form)
    assert stored in forms
    assert forms[0] == told


def test_a_raw_id_is_looked_for_as_it_is_only() -> None:
    assert id_forms("00aB", "raw") == ("00aB",)


@given(st.text(max_size=70), st.sampled_from(["raw", "hex", "decimal", "either"]))
def test_forms_are_few_distinct_and_the_raw_one_first(raw: str, form: MessageIdForm) -> None:
    forms = id_forms(raw, form)
    assert forms[0] == raw
    assert len(set(forms)) == len(forms) <= MAX_ID_FORMS
    assert forms == id_forms(raw, form)


@given(st.integers(0, 2**64 - 1), st.sampled_from(["hex", "decimal", "either"]), st.booleans(), st.integers(0, 12))
def test_a_number_is_found_whatever_base_the_receipt_takes(
    number: int, form: MessageIdForm, told_hex: bool, padding: int
) -> None:
    stored = f"{number:X}" if form == "hex" else str(number)
    told = ("0" * padding) + (f"{number:x}" if told_hex else str(number))
    if form == "either" and told_hex and not f"{number:x}".isdecimal():
        assert f"{number:X}" in id_forms(told, form)
    assert stored in id_forms(told, form)


tokens = st.sampled_from(
    [
        "id:",
        "ID :",
        "stat:",
        "DELIVRD",
        "err:",
        "text:",
        "submit date:",
        "Done_Date:",
        "2403011205",
        " ",
        "\n",
        ":",
        "7",
        "ſ",
        "\0",
    ]
)


@given(
    st.one_of(st.text(max_size=300), st.lists(tokens, max_size=40).map("".join)),
    st.one_of(st.none(), st.text(max_size=80)),
    st.one_of(st.none(), st.integers(-1, 300)),
    st.one_of(st.none(), st.binary(max_size=5)),
    st.integers(-1_000, 1_000),
)
def test_nothing_makes_the_reader_raise(
    text: str, message_id: str | None, state: int | None, error: bytes | None, offset: int
) -> None:
    receipt = parse_receipt(
        text,
        receipted_message_id=message_id,
        message_state=state,
        network_error_code=error,
        utc_offset_minutes=offset,
    )
    assert is_receipt(0x04, text)
    assert is_receipt(0, text) in (True, False)
    if receipt is not None:
        assert receipt.id
        assert len(receipt.text) <= MAX_TEXT


def test_a_huge_text_is_read_in_part() -> None:
    receipt = parse_receipt(USUAL + "x" * 1_000_000)
    assert receipt is not None
    assert len(receipt.text) == MAX_TEXT
    assert parse_receipt("id:" * 400_000) is None
