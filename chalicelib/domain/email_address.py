"""E-mail addresses as SES takes them: ASCII, one line, nothing that a header or a mail server would read as more."""

import re
from typing import Final

MAX_ADDRESS: Final = 254  # octets: RFC 5321, 4.5.3.1.3, less the brackets of a path
MAX_LOCAL: Final = 64  # 4.5.3.1.1
# RFC 5322, 3.2.3, dot-atom. Quoted local parts are left out: nobody has one, and each is a way around a parser.
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# RFC 1035, 2.3.4, and RFC 3696, 2: labels of letters, digits and inner hyphens; the last is not all digits.
_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class BadAddress(ValueError):
    """The text is no address that mail goes to; its message says why, and does not repeat the text."""


def parse(text: str) -> str:
    """The address with its domain in lower case; spaces around it are dropped. Raises BadAddress.

    ASCII only, as SES wants it (a domain with other letters in its xn-- form). A line break anywhere, a comment, a
    display name, brackets or a second address are refused: what is parsed may stand in a header as it is.
    """
    bare = text.strip(" ")
    if len(bare) > MAX_ADDRESS:
        raise BadAddress(f"it is longer than {MAX_ADDRESS} characters")
    if not bare.isascii():
        raise BadAddress("it has characters outside ASCII; write a domain's in its xn-- form")
    if not bare.isprintable() or " " in bare:
        raise BadAddress("it has line breaks, spaces or control characters")
    local, at, domain = bare.rpartition("@")
    domain = domain.lower()
    if not at or not local:
        raise BadAddress("it wants the form name@example.com")
    if len(local) > MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise BadAddress("what stands before the @ is no local part")
    if not _DOMAIN.fullmatch(domain):
        raise BadAddress("what stands behind the @ is no domain")
    return f"{local}@{domain}"


def key(address: str) -> str:
    """What two spellings of one mailbox have in common: no server that matters tells capitals apart."""
    return address.lower()


def same(one: str, other: str) -> bool:
    """Whether both are spellings of one mailbox."""
    return key(one) == key(other)


def mask(address: str) -> str:
    """The address as logs may have it: `a…@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
