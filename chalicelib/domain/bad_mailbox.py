"""Addresses that mail is not sent to: they bounced for good, or their readers complained."""

from typing import Literal

import msgspec

from chalicelib.domain.mail import TOPICS, Kind

Trouble = Literal["bounced", "complained"]


class BadMailbox(msgspec.Struct, frozen=True, kw_only=True):
    """An address, in the form that is unique (email_address.key), and what is wrong with it."""

    id: str
    trouble: Trouble
    reason: str
    since_ms: int
    mail: str  # whose event said so


def is_held_back(kind: Kind, known: BadMailbox | None) -> bool:
    """Whether a mail of that kind is not to go to the address.

    A mailbox that is not there gets nothing. A reader who complained still gets what he cannot decline.
    """
    if known is None:
        return False
    return known.trouble == "bounced" or TOPICS[kind].is_optional
