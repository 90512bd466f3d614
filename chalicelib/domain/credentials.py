"""API keys and sessions as text: `chq_<live|test|admin|session>_<id>_<secret>`. Of the secret only a digest is kept."""

import hmac
from hashlib import sha256
from typing import Final, Literal

import msgspec

KeyKind = Literal["live", "test", "admin", "session"]
_KINDS: Final[tuple[KeyKind, ...]] = ("live", "test", "admin", "session")
_MARK: Final = "chq"
_MAX_LENGTH: Final = 200  # a key of ours has some 90 characters
SECRET_BYTES: Final = 32  # 256 random bits: a plain digest suffices, there is nothing to guess


class KeyText(msgspec.Struct, frozen=True):
    """What a key says of itself before it is looked up."""

    kind: KeyKind
    id: str
    secret: str

    def __str__(self) -> str:
        return f"{_MARK}_{self.kind}_{self.id}_{self.secret}"


def parse_key(text: str) -> KeyText | None:
    """The parts of a key, or None where the text is none."""
    if len(text) > _MAX_LENGTH or not text.isascii():
        return None
    mark, _, rest = text.partition("_")
    kind, _, rest = rest.partition("_")
    identifier, _, secret = rest.partition("_")
    known = next((name for name in _KINDS if name == kind), None)
    if mark != _MARK or known is None or not identifier.isalnum() or not secret:
        return None
    return KeyText(known, identifier, secret)


def digest(secret: str) -> str:
    """SHA-256 of the secret, hexadecimal."""
    return sha256(secret.encode()).hexdigest()


def matches(secret: str, secret_sha256: str) -> bool:
    """Whether the secret is the one whose digest is kept; in constant time."""
    return hmac.compare_digest(digest(secret), secret_sha256)
