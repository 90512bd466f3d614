"""The second factor: codes of an authenticator (TOTP, RFC 6238 on HOTP, RFC 4226), and recovery codes for its loss."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from chalicelib.domain.ids import CROCKFORD

ISSUER: Final = "Chasqui"
SECRET_BYTES: Final = 20  # RFC 4226, 4, R6: 160 bits
DIGITS: Final = 6
STEP_SECONDS: Final = 30
WINDOW: Final = 1  # RFC 6238, 5.2: a step before and after, for clocks that differ and for who types slowly
RECOVERY_CODES: Final = 10
_GROUPS: Final = 4  # of four characters of five bits: 80 bits, so that a plain digest suffices
_LOOKALIKES: Final = str.maketrans("OIL", "011", " -")


def new_secret() -> bytes:
    """A secret for an authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step (RFC 4226, 5.3): HMAC-SHA-1 of the counter, four bytes of it where its last nibble says."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 0x0F
    return str((int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF) % 10**digits).zfill(digits)


def step_of(secret: bytes, code: str, now_ms: int, after_step: int) -> int | None:
    """The step that the code is of; None where it is none's of now, or of one up to `after_step`, which was used.

    Every step of the window is compared, in constant time.
    """
    now = now_ms // (STEP_SECONDS * 1000)
    given = code.strip().encode()
    steps = range(now - WINDOW, now + WINDOW + 1)
    right = [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), given)]
    return next((step for step in right if step > after_step), None)


def uri(secret: bytes, email: str) -> str:
    """What an authenticator reads from a QR code (google-authenticator's key URI format)."""
    text = base64.b32encode(secret).decode()
    return f"otpauth://totp/{ISSUER}:{quote(email)}?secret={text}&issuer={ISSUER}&digits={DIGITS}&period={STEP_SECONDS}"


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes, each good for one login without the authenticator."""
    return tuple(
        "-".join("".join(secrets.choice(CROCKFORD) for _ in range(4)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code; the same however it is typed."""
    return sha256(code.upper().translate(_LOOKALIKES).encode()).hexdigest()


def without(recovery_sha256: Sequence[str], code: str) -> tuple[str, ...] | None:
    """The digests that are left once the code is used; None where it is none of them."""
    used = recovery_digest(code)
    left = tuple(kept for kept in recovery_sha256 if not hmac.compare_digest(kept, used))
    return left if len(left) < len(recovery_sha256) else None
