"""Contacts: an account's address book. A contact is a number with a name and attributes, in any of its groups."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

from chalicelib.domain.recipients_file import column_name

MAX_CONTACTS: Final = 100_000  # of an account
MAX_GROUPS: Final = 500  # of an account
MAX_ATTRIBUTES: Final = 30  # of a contact
MAX_ATTRIBUTE: Final = 500  # characters of one
MAX_NAME: Final = 100
MAX_GROUPS_OF_JOB: Final = 50
RESERVED: Final = frozenset({"to", "number", "name"})  # what a placeholder finds without any attribute
_ATTRIBUTE_NAME: Final = re.compile(r"[^{}|\x00-\x1f]{1,64}")  # what a placeholder can name


class BadContact(ValueError):
    """What was given is no contact."""

    def __init__(self, code: str, told: str) -> None:
        super().__init__(told)
        self.code: Final = code


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Contacts that are written to together."""

    account: str
    id: str
    name: str
    created_ms: int


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody that an account writes to. The number, in E.164 with +, is its name."""

    account: str
    number: str
    created_ms: int
    name: str = ""
    attributes: Mapping[str, str] = {}

    @property
    def values(self) -> dict[str, str]:
        """What the placeholders of a job's text find."""
        return {**self.attributes, "name": self.name, "number": self.number, "to": self.number}


def folded(name: str) -> str:
    """The name as it is searched: without case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character)).strip()


def attributes_of(given: Mapping[str, str]) -> dict[str, str]:
    """The attributes, called as placeholders call them, without those that are empty. Raises BadContact."""
    found = {column_name(name): value.strip() for name, value in given.items()}
    if len(found) < len(given):
        raise BadContact("repeated", "two attributes have one name")
    for name, value in found.items():
        if name in RESERVED or not _ATTRIBUTE_NAME.fullmatch(name):
            raise BadContact("invalid_attribute", f"no attribute is called {name[:64]!r}")
        if len(value) > MAX_ATTRIBUTE:
            raise BadContact("too_long", f"{name} has {len(value)} characters; at most {MAX_ATTRIBUTE} are kept")
    kept = {name: value for name, value in found.items() if value}
    if len(kept) > MAX_ATTRIBUTES:
        raise BadContact("too_many_attributes", f"a contact has at most {MAX_ATTRIBUTES} attributes")
    return kept
