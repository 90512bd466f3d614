"""Passwords that people choose: which will do, and how they are kept (argon2id; docs/decisions/0021)."""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128  # a sentence; more only costs time to hash
MIN_DISTINCT: Final = 6
# OWASP's password storage page, the setting of most memory among those that it calls equal: a login has its process for
# itself, unlike a bind (docs/decisions/0011).
_MEMORY_KIB: Final = 47_104
_PASSES: Final = 1
_LANES: Final = 1
# What is checked where nobody has the address or no password is set, so that it takes as long. Of no password: the
# digest is random.
_NOBODYS: Final = (
    f"$argon2id$v=19$m={_MEMORY_KIB},t={_PASSES},p={_LANES}"
    "$nT3m0GgqN9lYj1r5Qk7bUw$k5t0ZbYp0b9o1Xw0m7m4E2c8dQnJr3uVtFz6HkLsP1A"
)
# What is left of a password when its capitals, digits and signs are gone, and how many begin: not a secret.
_COMMON: Final = frozenset(
    (
        *("password", "passwort", "contrasena", "contraseña", "qwerty", "qwertyuiop", "asdfghjkl", "abcdefghijkl"),
        *("welcome", "bienvenido", "letmein", "iloveyou", "teamo", "admin", "administrator", "administrador"),
        *("chasqui", "changeme", "cambiame", "secret", "secreto", "default", "master", "monkey", "dragon", "football"),
        *("futbol", "baseball", "sunshine", "princess", "princesa", "superman", "batman", "login", "test", "demo"),
    )
)
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_ROWS: Final = ("0123456789", "9876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_RUN: Final = 6  # characters in a row of the keyboard, the alphabet or the digits count as one


class BadPassword(ValueError):
    """It will not do; the message says why, and repeats nothing of it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(password: str, known: tuple[str, ...] = ()) -> None:
    """Raises BadPassword for one that a stranger tries early. `known` is what he knows: address, name.

    Length over kinds of characters, as NIST SP 800-63B, 3.1.1.2 has it.
    """
    plain = normalized(password)
    if not MIN_LENGTH <= len(plain) <= MAX_LENGTH:
        raise BadPassword(
            "too_short" if len(plain) < MIN_LENGTH else "too_long", f"{MIN_LENGTH} to {MAX_LENGTH} characters"
        )
    folded = plain.casefold()
    words = "".join(_LETTERS.findall(folded))
    told = {part for text in known for part in re.split(r"[^\w]+", text.casefold()) if len(part) > 2}
    for word in told:
        folded = folded.replace(word, "")
    if words in _COMMON or len(_without_runs(folded)) < MIN_LENGTH // 2 or len(set(folded)) < MIN_DISTINCT:
        raise BadPassword("too_common", "it is among the first that a stranger would try")


def _without_runs(text: str) -> str:
    """The text with each run of the keyboard, the alphabet or the digits as its first character."""
    kept, at = "", 0
    while at < len(text):
        run = next(
            (n for n in range(len(text) - at, _RUN - 1, -1) if any(text[at : at + n] in row for row in _ROWS)), 1
        )
        kept += text[at]
        at += run
    return kept


def normalized(password: str) -> str:
    """The same password however a keyboard composes its characters (NIST SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    """The password's salted hash, as PHC string."""
    return _hasher().hash(normalized(password))


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether it is the password of that hash; None (nobody, or none was chosen) takes as long and is never so."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see _hasher

    try:
        _hasher().verify(password_hash or _NOBODYS, normalized(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with other settings than today's."""
    return _hasher().check_needs_rehash(password_hash)


@cache
def _hasher() -> "PasswordHasher":
    """Imported where it is used: most cold starts have no password to check."""
    from argon2 import PasswordHasher, Type  # noqa: PLC0415

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES, type=Type.ID)
