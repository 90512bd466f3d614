"""Mails read in their reader's language and zone; what others wrote in them is shown, and does nothing."""

from email import message_from_bytes, policy
from string import Template
from typing import Any

import pytest

from chalicelib.domain.email_address import BadAddress
from chalicelib.domain.mail import INSTANT, TOPICS, Kind, Language, Mail
from chalicelib.mails.compose import HIDDEN_PASS, TONGUES, Pass, message_of, text_of
from chalicelib.mails.wording import fill, one_line

AT_MS = 1_790_000_000_000  # 2026-09-21 14:13 UTC
BASE: dict[str, Any] = {
    "id": "mal_1",
    "event": "e",
    "address": "ana@example.com",
    "created_ms": AT_MS,
    "addressee": "Ana",
}
# What every mail may say beside its kind's values.
COMMON = {"reader", "account", "link", "token", "until"}


def mail(kind: Kind = Kind.CREDIT_GRANTED, **more: Any) -> Mail:
    return Mail(kind=kind, account_name="Acme", **{**BASE, **more})


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_wording_that_names_only_what_is_told(kind: Kind, language: Language) -> None:
    wording = TONGUES[language].wordings[kind]
    told = {name.removesuffix(INSTANT) for name in TOPICS[kind].values}
    assert set(Template(f"{wording.subject} {wording.body}").get_identifiers()) <= told | COMMON
    assert set(Template(wording.subject).get_identifiers()) <= told | {"account"}
    values = dict.fromkeys(TOPICS[kind].values, "7")
    text = text_of(mail(kind, language=language, values=values), HIDDEN_PASS)
    assert "$" not in text.plain + text.subject


def test_the_reader_has_its_own_language_time_zone_and_words() -> None:
    values = {"job_name": "Rebajas", "status": "completed", "ended_ms": str(AT_MS)}
    text = text_of(mail(Kind.JOB_FINISHED, language="es", time_zone="America/Mexico_City", values=values))
    assert text.subject == "Envío Rebajas: terminado"
    assert "Acabó: 2026-09-21 08:13 (America/Mexico_City)" in text.paragraphs
    assert not any(paragraph.startswith("Empezó") for paragraph in text.paragraphs)  # nobody said when


def test_a_time_zone_that_is_none_any_more_is_utc() -> None:
    text = text_of(mail(Kind.LOW_CREDIT, time_zone="Europe/Atlantis", values={"since_ms": str(AT_MS)}))
    assert "It has been so since 2026-09-21 14:13 (UTC)." in text.paragraphs


@pytest.mark.parametrize(
    "told",
    [
        "a\r\nBcc: eve@evil.example",
        "a\nb",
        "a\x00b",
        "a\u2028b",
        "a\u202eb",
        "\u200b",
        "x" * 5_000,
        "$link ${token} $$",
    ],
)
def test_a_value_is_one_line_of_text_whatever_it_says(told: str) -> None:
    line = one_line(told)
    assert line.isprintable()
    assert len(line) <= 300
    text = text_of(mail(values={"amount": told, "why": told}), HIDDEN_PASS)
    assert text.subject == one_line(f"Credit for Acme: {told}") or len(told) > 300
    assert text.subject.isprintable()


def test_lines_are_bounded_too() -> None:
    text = text_of(mail(Kind.PRICE_CHANGED, values={"changes_lines": "ES 0.04\n\r" * 100}))
    assert text.paragraphs[-1].count("\n") < 20


@pytest.mark.parametrize(
    "name", ["Ana\r\nBcc: eve@evil.example", "Ana <eve@evil.example>", 'A"na, eve@evil.example', "Añá", "\n"]
)
def test_a_name_adds_no_header_and_no_reader(name: str) -> None:
    one = mail(addressee=name, values={"amount": "5"})
    raw = message_of(one, text_of(one), sender=f"{'x'} <no-reply@chasqui.example>", now_ms=AT_MS)
    assert raw.isascii()
    read = message_from_bytes(raw, policy=policy.SMTP)
    assert [address.addr_spec for address in read["To"].addresses] == ["ana@example.com"]
    assert {"Bcc", "Cc"}.isdisjoint(read.keys())


@pytest.mark.parametrize(
    "address", ["ana@example.com\r\nBcc: eve@evil.example", "ana@example.com\n", "a@b.c, eve@evil.example"]
)
def test_an_address_that_is_more_than_one_makes_no_message(address: str) -> None:
    one = mail(address=address)
    with pytest.raises(BadAddress):
        message_of(one, text_of(one), sender="no-reply@chasqui.example", now_ms=AT_MS)


def test_only_our_own_links_are_links_and_what_others_wrote_is_escaped() -> None:
    let = Pass(link="https://panel.example/password?token=t&x", until_ms=AT_MS)
    one = mail(
        Kind.PASSWORD_RESET, addressee="<b>https://evil.example</b>", values={"from_address": "https://evil.example"}
    )
    stop = "https://api.example/v1/mail-links/stop?token=s"
    raw = message_of(one, text_of(one, let, stop), sender="x@chasqui.example", now_ms=AT_MS, link=let.link, stop=stop)
    read = message_from_bytes(raw, policy=policy.SMTP)
    html = read.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert '<a href="https://panel.example/password?token=t&amp;x">' in html
    assert html.count("<a href") == 2
    assert "<b>" not in html
    assert read["List-Unsubscribe"] == f"<{stop}>"


def test_the_log_shows_a_mail_without_what_let_its_reader_in() -> None:
    text = text_of(mail(Kind.PASSWORD_RESET), HIDDEN_PASS)
    assert "Choose it here:\n…" in text.paragraphs


def test_a_paragraph_that_lacks_a_value_is_left_out() -> None:
    wording = TONGUES["en"].wordings[Kind.CREDIT_GRANTED]
    assert fill(wording, {"account": "Acme", "amount": "5"}).paragraphs == ("Acme was granted 5 credits.",)
