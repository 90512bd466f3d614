"""Compose: a mail's text in its reader's language, and the message (RFC 5322) that SES is given."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Final

import msgspec

from chalicelib.domain import email_address
from chalicelib.domain.mail import Kind, Language, Mail
from chalicelib.mails import english, spanish
from chalicelib.mails.wording import Text, Tongue, Wording, fill, one_line, spoken

TONGUES: Final[Mapping[Language, Tongue]] = {"en": english.ENGLISH, "es": spanish.SPANISH}
_FOOTERS: Final[Mapping[Language, str]] = {"en": english.FOOTER, "es": spanish.FOOTER}
# 7 bit on the way: no server between has to be trusted with more. Lines end as RFC 5321 wants them.
_POLICY: Final = SMTP.clone(cte_type="7bit", max_line_length=78)
HIDDEN: Final = "…"  # stands in the log where a token stood in the mail


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What lets the reader do something, made as the mail is sent: a link, or where no page is set up, a token."""

    link: str = ""
    token: str = ""
    until_ms: int = 0


# What the log shows of a mail that had one.
HIDDEN_PASS: Final = Pass(link=HIDDEN)


def text_of(mail: Mail, let: Pass | None = None, stop: str = "") -> Text:
    """The mail as it reads. `stop`: where a further reader ends it."""
    tongue = TONGUES[mail.language]
    told = {"account": mail.account_name, "reader": mail.addressee, "stop": stop, **mail.values}
    if let is not None:
        told |= {"link": let.link, "token": let.token}
        told |= {"until_ms": str(let.until_ms)} if let.until_ms else {"until": HIDDEN}
    wording = tongue.wordings[Kind(mail.kind)]
    body = f"{wording.body}\n\n{_FOOTERS[mail.language]}" if stop else wording.body
    return fill(Wording(wording.subject, body), spoken(tongue, told, mail.time_zone))


def message_of(mail: Mail, text: Text, *, sender: str, now_ms: int, link: str = "", stop: str = "") -> bytes:
    """The message, ASCII throughout. `sender` is a From header's value; `link` and `stop` are made links.

    Raises email_address.BadAddress: nothing but one address on one line becomes a header, and names are cut to one.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(*parseaddr(sender))
    message["To"] = _address(mail.addressee, mail.address)
    message["Subject"] = text.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["X-Chasqui-Mail"] = mail.id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note is wanted
    links = [one for one in (link, stop) if one.startswith("http")]
    if stop in links:
        message["List-Unsubscribe"] = f"<{stop}>"
    message.set_content(text.plain)
    message.add_alternative(_html(text, links), subtype="html")
    return message.as_bytes()


def _address(name: str, address: str) -> Address:
    return Address(display_name=one_line(name), addr_spec=email_address.parse(address))


def _html(text: Text, links: list[str]) -> str:
    """The text's paragraphs; only links of ours are links: what others wrote is shown, and leads nowhere."""
    paragraphs = []
    for paragraph in text.paragraphs:
        lines = (
            f'<a href="{escape(line)}">{escape(line)}</a>' if line in links else escape(line)
            for line in paragraph.split("\n")
        )
        paragraphs.append(f"<p>{'<br>'.join(lines)}</p>")
    body = "\n".join(paragraphs)
    return f'<!doctype html><html><body style="font:16px/1.5 sans-serif;max-width:40rem">\n{body}\n</body></html>\n'
