"""Numbers as people write them, senders as customers call themselves, and what logs may show."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.numbers import BadNumber, BadSender, Number, mask, normalize, parse_sender

MEXICAN = Number("+525512345678", "MX")
ARGENTINE = Number("+5491123456789", "AR")


@pytest.mark.parametrize(
    ("raw", "region", "number"),
    [
        ("+525512345678", None, MEXICAN),
        ("525512345678", None, MEXICAN),
        ("00525512345678", None, MEXICAN),
        (" +52 (55) 1234-5678 ", None, MEXICAN),
        ("+52.55.1234.5678", None, MEXICAN),
        ("+52\u00a055\u20111234\u20115678", None, MEXICAN),
        ("\u202a+525512345678\u202c", None, MEXICAN),
        ("5512345678", "MX", MEXICAN),
        ("525512345678", "MX", MEXICAN),
        ("00 52 55 1234 5678", "MX", MEXICAN),
        ("+5215512345678", None, MEXICAN),
        ("5215512345678", None, MEXICAN),
        ("5215512345678", "MX", MEXICAN),
        ("005215512345678", "MX", MEXICAN),
        ("044 55 1234 5678", "MX", MEXICAN),
        ("01 55 1234 5678", "MX", MEXICAN),
        ("+5491123456789", None, ARGENTINE),
        ("+54 11 15 2345-6789", None, ARGENTINE),
        ("011 15 2345 6789", "AR", ARGENTINE),
        ("+44 7911 123456", None, Number("+447911123456", "GG")),
        ("(202) 555-0123", "US", Number("+12025550123", "US")),
        ("525512345678", "US", MEXICAN),
        ("+80012345678", None, Number("+80012345678", "001")),
    ],
)
def test_a_number_is_read_as_people_write_it(raw: str, region: str | None, number: Number) -> None:
    assert normalize(raw, region) == number


@pytest.mark.parametrize("raw", ["+525512345678", "+5491123456789", "+12025550123", "+80012345678"])
def test_a_normal_number_stays_as_it_is(raw: str) -> None:
    assert normalize(normalize(raw).e164).e164 == raw


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "+",
        "hello",
        "12345",
        "5512345678",
        "+52551234567",
        "+5255123456789",
        "+999123456789",
        "1-800-FLOWERS",
        "+52+5512345678",
        "tel:+525512345678",
        "+52551234567a",
        "٠٠٥٢٥٥١٢٣٤٥٦٧٨",
        "+" + "1" * 500,
        "\x00",
        "+52\x005512345678",
    ],
)
def test_what_is_no_number_is_refused_without_saying_it(raw: str) -> None:
    with pytest.raises(BadNumber) as refused:
        normalize(raw)
    assert refused.value.code == "invalid_number"
    assert len(raw) < 5 or raw not in str(refused.value)


@given(st.text(max_size=60), st.sampled_from([None, "MX", "US", "AR", "ZZ", "nonsense"]))
def test_anything_gives_a_number_or_a_refusal(raw: str, region: str | None) -> None:
    try:
        number = normalize(raw, region)
    except BadNumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+525512345678", "+52••••••••78"),
        ("+12025550123", "+1••••••••23"),
        ("+50688887777", "+506••••••77"),
        ("5512345678", "••••••••78"),
        ("Acme", "••••"),
        ("AcmeBank", "••••••nk"),
        ("", ""),
    ],
)
def test_logs_show_the_country_and_two_digits(number: str, masked: str) -> None:
    assert mask(number) == masked


def test_masking_knows_every_country_code() -> None:
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        assert mask(f"+{code}123456789") == f"+{code}•••••••89"


@given(st.text(max_size=40))
def test_masking_takes_anything_and_keeps_its_length(text: str) -> None:
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    ("raw", "value", "ton", "npi", "shown"),
    [
        ("+525512345678", "525512345678", 1, 1, "+525512345678"),
        ("+52 55 1234 5678", "525512345678", 1, 1, "+525512345678"),
        ("00525512345678", "525512345678", 1, 1, "+525512345678"),
        ("525512345678", "525512345678", 1, 1, "+525512345678"),
        ("123456789", "123456789", 1, 1, "+123456789"),
        ("123", "123", 3, 0, "123"),
        ("12345", "12345", 3, 0, "12345"),
        ("12345678", "12345678", 3, 0, "12345678"),
        ("Acme", "Acme", 5, 0, "Acme"),
        ("  Acme  ", "Acme", 5, 0, "Acme"),
        ("Acme Bank 1", "Acme Bank 1", 5, 0, "Acme Bank 1"),
        ("Ñandú".replace("ú", "ù"), "Ñandù", 5, 0, "Ñandù"),
        ("a[b]c", "a[b]c", 5, 0, "a[b]c"),
    ],
)
def test_a_sender_says_what_kind_it_is(raw: str, value: str, ton: int, npi: int, shown: str) -> None:
    sender = parse_sender(raw)
    assert (sender.value, sender.ton, sender.npi, str(sender)) == (value, ton, npi, shown)
    assert parse_sender(shown) == sender


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "12",
        "+12",
        "+123456",
        "+1234567890123456",
        "0123456789",
        "TwelveLetter",
        "[[[[[[a",
        "Ünïcode",
        "Привет",
        "a@b",
        "a\nb",
        "a\x00b",
        "a\x1bb",
        "!!!",
        "😀",
        "x" * 5000,
    ],
)
def test_what_is_no_sender_is_refused(raw: str) -> None:
    with pytest.raises(BadSender) as refused:
        parse_sender(raw)
    assert refused.value.code == "invalid_sender"


@given(st.text(max_size=30))
def test_any_sender_that_is_taken_fits_the_field(raw: str) -> None:
    try:
        sender = parse_sender(raw)
    except BadSender:
        return
    assert 1 <= len(sender.value) <= 15
    assert "\0" not in sender.value
    assert sender.ton == 5 or (sender.value.isascii() and sender.value.isdigit())
