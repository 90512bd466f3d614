"""SMPP logins: who may bind and with what limits, their passwords, and the sessions that are bound with them."""

import secrets
from functools import cache
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from chalicelib.domain.content import Mode

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LoginState = Literal["active", "suspended", "closed"]
BindKind = Literal["transmitter", "receiver", "transceiver"]
# SMPP 3.4, 5.2.19 has IA5 (ASCII) for data_coding 1. node-smpp, and who took after it, send GSM 03.38 under it.
Alphabet = Literal["ascii", "gsm"]
# SMPP 3.4, 5.2.1: at most 15 characters and NUL. A queue is named after the login, so: what SQS takes in a name.
SYSTEM_ID_PATTERN: Final = "^[A-Za-z0-9_-]{1,15}$(?!\\n)"
PASSWORD_LENGTH: Final = 8  # SMPP 3.4, 5.2.2: nine octets with the NUL
PASSWORD_ALPHABET: Final = ascii_letters + digits
# RFC 9106, 3.1: argon2id. The least memory that OWASP names with its passes: docs/decisions/0011 says why no more.
_MEMORY_KIB: Final = 7_168
_PASSES: Final = 5
_LANES: Final = 1
# What a system id that does not exist is checked against, so that it takes as long as one that does. Of no password:
# the digest is random.
_NOBODYS: Final = (
    f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}"
    "$wX3m0GgqN9lYj1r5Qk7bUw$q5t0ZbYp0b9o1Xw0m7m4E2c8dQnJr3uVtFz6HkLsP1A"
)


class SmppLogin(msgspec.Struct, frozen=True, kw_only=True):
    """One login of an account. A closed one keeps its system id, which goes to no other account."""

    system_id: str
    account: str
    name: str
    password_hash: str  # argon2id, as PHC string
    created_ms: int
    opens_ms: int = 0  # it may bind from then on: before, somebody might not know yet that its account listens
    mode: Mode = "live"
    state: LoginState = "active"
    max_sessions: int = 2  # over all bridges
    window: int = 10  # unanswered requests a session: of the customer toward us, and of ours toward it
    per_second: float = 50.0  # messages, over all its sessions on one bridge
    ip_rules: tuple[str, ...] = ()  # CIDRs; none: from anywhere
    data_coding_1: Alphabet = "ascii"  # what its client means by it


class Traffic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a session has carried since it was bound, and how much a second over the last beats."""

    submits: int = 0  # messages taken from the customer
    delivers: int = 0  # receipts and inbound messages that it acknowledged
    throttled: int = 0  # submits answered with ESME_RTHROTTLED
    submits_per_second: float = 0.0
    delivers_per_second: float = 0.0


class EsmeSession(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's bound session, whichever bridge has it."""

    id: str
    system_id: str
    account: str
    bind: BindKind
    address: str  # where the customer connects from
    bridge: str
    bound_ms: int
    tls: bool = False
    interface_version: int = 0x34


def new_password() -> str:
    """Eight characters: 47 bits, which is what SMPP leaves room for."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def hash_password(password: str) -> str:
    """The password's salted hash, as PHC string. Takes some 10 ms of a core and 7 MiB."""
    return _hasher().hash(password)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether it is the password of that hash; None (there is no such login) takes as long and is never so.

    Takes some 10 ms of a core without holding the interpreter's lock: on a thread, beside an event loop.
    """
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see _hasher

    try:
        _hasher().verify(password_hash or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _hasher() -> "PasswordHasher":
    """Imported where it is used: most functions and most cold starts of the API have no password to check."""
    from argon2 import PasswordHasher, Type  # noqa: PLC0415

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES, type=Type.ID)
