"""Forwards: further addresses that an account's notifications go to, once whoever reads there has said yes."""

import hmac
from typing import Final, Literal

import msgspec

from chalicelib.domain.credentials import digest
from chalicelib.domain.mail import Language, Module

MAX_FORWARDS: Final = 20  # of an account
CONFIRM_MS: Final = 7 * 86_400_000  # for so long a link to confirm works
ASK_AGAIN_MS: Final = 3_600_000  # nobody is asked more often
MAX_ASKED: Final = 3  # times: then silence is the answer
MAX_ASKED_A_DAY: Final = 30  # by an account, whatever it takes out and puts in again: it writes to strangers
ForwardState = Literal["pending", "confirmed", "stopped"]


class Forward(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A further reader of some modules' notifications. Of the token that confirms it only the digest is kept."""

    id: str
    address: str
    modules: tuple[Module, ...]
    created_ms: int
    language: Language = "en"
    state: ForwardState = "pending"  # stopped: its reader wants no more, and only its reader can want again
    asked: int = 0
    asked_ms: int = 0
    token_sha256: str = ""
    until_ms: int = 0
    stop: str = ""  # what lets its reader end it: it stands in each mail, and can do nothing else
    settled_ms: int | None = None


class Forwards(msgspec.Struct, frozen=True, kw_only=True):
    """All of an account's, oldest first. Few, and read together: they are one row."""

    account: str
    forwards: tuple[Forward, ...] = ()
    asked_on: str = ""  # the UTC day on which addresses were asked last, and how many were
    asked_then: int = 0

    def get(self, id_: str) -> Forward | None:
        return next((one for one in self.forwards if one.id == id_), None)

    def with_(self, changed: Forward) -> "Forwards":
        return self.of(tuple(changed if one.id == changed.id else one for one in self.forwards))

    def of(self, forwards: tuple[Forward, ...]) -> "Forwards":
        """The account's with these instead."""
        return msgspec.structs.replace(self, forwards=forwards)

    def asked_at(self, day: str) -> "Forwards":
        """The account's with one more asked on that day."""
        return msgspec.structs.replace(self, asked_on=day, asked_then=self.asked_of(day) + 1)

    def asked_of(self, day: str) -> int:
        """How many were asked on that day."""
        return self.asked_then if self.asked_on == day else 0


class Token(msgspec.Struct, frozen=True):
    """What a link carries: whose forward it is, and the secret."""

    account: str
    forward: str
    secret: str

    def __str__(self) -> str:
        return f"{self.account}.{self.forward}.{self.secret}"


def parse_token(text: str) -> Token | None:
    """The parts of a link's token, or None where the text is none."""
    parts = text.split(".")
    return Token(*parts) if len(parts) == 3 and all(parts) else None


def confirms(forward: Forward, secret: str, now_ms: int) -> bool:
    """Whether the secret confirms it now. A stopped one is confirmed again by a link that was asked for since."""
    return now_ms < forward.until_ms and hmac.compare_digest(digest(secret), forward.token_sha256)


def stops(forward: Forward, secret: str) -> bool:
    """Whether the secret ends it."""
    return bool(forward.stop) and hmac.compare_digest(secret, forward.stop)
