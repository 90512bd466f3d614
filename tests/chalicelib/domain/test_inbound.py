"""Whose a message is, by number and keyword; what its octets say; what may be answered."""

import pytest

from chalicelib.domain import inbound_coding
from chalicelib.domain.inbound import (
    InboundNumber,
    Keyword,
    address,
    claim,
    first_word,
    ids_of,
    inbound_id,
    is_number,
    joined,
    may_answer,
    number_id,
)
from chalicelib.domain.text import Encoding

SHARED = InboundNumber(
    id="sc-12345",
    number="12345",
    account="acc_rest",
    reply="Thank you.",
    keywords=(
        Keyword(word="pizza", account="acc_pizza", reply="Coming."),
        Keyword(word="año", account="acc_year"),
    ),
)


@pytest.mark.parametrize(
    ("text", "account", "keyword"),
    [
        ("PIZZA margherita", "acc_pizza", "pizza"),
        ("  pizza", "acc_pizza", "pizza"),
        ("¡Pizza!", "acc_pizza", "pizza"),
        ("AÑO nuevo", "acc_year", "año"),
        ("pizzas", "acc_rest", None),
        ("a pizza", "acc_rest", None),
        ("", "acc_rest", None),
        ("😀", "acc_rest", None),
    ],
)
def test_a_message_is_its_first_words_or_the_numbers_owners(text: str, account: str, keyword: str | None) -> None:
    found = claim(SHARED, text)
    assert found is not None
    assert (found.account, found.keyword) == (account, keyword)


def test_without_an_owner_what_no_keyword_claims_is_nobodys() -> None:
    shared = InboundNumber(id="sc-1", number="123", keywords=SHARED.keywords)
    assert claim(shared, "hello") is None
    assert shared.accounts == ("acc_pizza", "acc_year")


@pytest.mark.parametrize(
    ("value", "ton", "expected"),
    [
        ("34600000001", 1, "+34600000001"),
        ("+34600000001", 0, "+34600000001"),
        ("0034600000001", 0, "+34600000001"),
        ("34600000001", 0, "+34600000001"),
        ("12345", 0, "12345"),
        ("12345", 3, "12345"),
        ("0600000001", 2, "0600000001"),
        ("ACME", 5, "ACME"),
        ("Movistar", 0, "Movistar"),
        (" 12345 ", 3, "12345"),
        ("", 0, ""),
        ("٣٤٥", 0, "٣٤٥"),
    ],
)
def test_an_address_is_e164_a_short_code_or_what_it_is(value: str, ton: int, expected: str) -> None:
    assert address(value, ton) == expected


def test_a_number_is_kept_under_an_id_that_fits_a_path_and_a_gateways_own_comes_first() -> None:
    assert number_id("+34911234567", None) == "34911234567"
    assert number_id("12345", "movistar-es") == "sc-12345.movistar-es"
    assert list(ids_of("12345", "gw")) == ["sc-12345.gw", "sc-12345"]


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("+34911234567", True),
        ("123", True),
        ("12345678", True),
        ("12", False),
        ("123456789", False),
        ("+123456", False),
        ("+0123456789", False),
        ("+1234567890123456", False),
        ("abc", False),
        ("١٢٣", False),
    ],
)
def test_what_can_be_assigned_is_a_number_or_a_short_code(number: str, right: bool) -> None:
    assert is_number(number) is right


@pytest.mark.parametrize(
    ("coding", "octets", "encoding", "text"),
    [
        (0x00, b"\x1be", Encoding.GSM7, "€"),
        (0x00, b"hola", Encoding.GSM7, "hola"),
        (0x01, b"a@b", Encoding.GSM7, "a@b"),
        (0x01, b"\xff", Encoding.UCS2, "\ufffd"),
        (0x03, b"caf\xe9", Encoding.GSM7, "café"),
        (0x03, b"\xe7a va", Encoding.UCS2, "ça va"),
        (0x06, b"\xc0", Encoding.UCS2, "Р"),
        (0x08, "añ😀".encode("utf-16-be"), Encoding.UCS2, "añ😀"),
        (0x08, b"\xd8", Encoding.UCS2, "\ufffd"),
        (0x10, b"flash", Encoding.GSM7, "flash"),
        (0x18, "ñ".encode("utf-16-be"), Encoding.UCS2, "ñ"),
        (0xF0, b"hi", Encoding.GSM7, "hi"),
        (0xE0, "x".encode("utf-16-be"), Encoding.UCS2, "x"),
        (0xC0, b"hi", Encoding.GSM7, "hi"),
    ],
)
def test_octets_are_read_by_their_data_coding(coding: int, octets: bytes, encoding: Encoding, text: str) -> None:
    decoded = inbound_coding.decode(octets, coding)
    assert (decoded.encoding, decoded.text) == (encoding, text)


@pytest.mark.parametrize("coding", [0x02, 0x04, 0x09, 0x14, 0x20, 0x80, 0xF5])
def test_what_is_no_text_stays_octets(coding: int) -> None:
    assert inbound_coding.decode(b"\x00\xff", coding) == inbound_coding.Decoded(Encoding.BINARY, data=b"\x00\xff")


@pytest.mark.parametrize("coding", range(256))
def test_no_data_coding_is_too_odd(coding: int) -> None:
    decoded = inbound_coding.decode(bytes(range(256)), coding)
    assert bool(decoded.text) is not bool(decoded.data)


def test_parts_are_decoded_together_since_a_character_may_lie_across_them() -> None:
    octets = "añ😀".encode("utf-16-be")
    assert joined({2: octets[5:], 1: octets[:5]}, 0x08).text == "añ😀"


def test_only_peoples_numbers_are_answered() -> None:
    assert may_answer("+34600000001")
    assert not any(may_answer(sender) for sender in ("12345", "ACME", "", "+0600000001", "+34600000001x"))


def test_an_id_is_a_ulid_and_always_the_same() -> None:
    one = inbound_id(1_760_000_000_000, "gw", "s", 7)
    assert one == inbound_id(1_760_000_000_000, "gw", "s", 7)
    assert one != inbound_id(1_760_000_000_000, "gw", "s", 8)
    assert len(one) == 26
    assert first_word("«Hola»") == "hola"
