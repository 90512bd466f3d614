"""Signatures of webhooks by Standard Webhooks 1.0 (github.com/standard-webhooks), made and verified."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with
SECRET_BYTES: Final = 32  # the specification asks for 24 to 64
TOLERANCE_SECONDS: Final = 300  # how far a timestamp may be from the receiver's clock
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
_VERSION: Final = "v1"


class BadSignature(ValueError):
    """The request is not what the holder of the secret signed, or is too old."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(secrets_: Iterable[str], id_: str, at_seconds: int, body: str) -> dict[str, str]:
    """What goes with the body: its id, when it was sent (epoch seconds), and a signature for each secret in force."""
    signatures = (f"{_VERSION},{_signature(secret, id_, at_seconds, body)}" for secret in secrets_)
    return {ID: id_, TIMESTAMP: str(at_seconds), SIGNATURE: " ".join(signatures)}


def verify(secret: str, given: Mapping[str, str], body: str, now_seconds: float) -> None:
    """Raises BadSignature unless one of the signatures is the secret's, of this body, made within the tolerance.

    `given` has lower-case names. What a receiver does: here for the local run's echo endpoint, and tests.
    """
    try:
        id_, at_seconds, signatures = given[ID], int(given[TIMESTAMP]), given[SIGNATURE].split(" ")
    except (KeyError, ValueError):
        raise BadSignature("a header is missing or no number") from None
    if abs(now_seconds - at_seconds) > TOLERANCE_SECONDS:
        raise BadSignature("the timestamp is too far from now")
    expected = f"{_VERSION},{_signature(secret, id_, at_seconds, body)}"
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures):
        raise BadSignature("no signature is this secret's")


def _signature(secret: str, id_: str, at_seconds: int, body: str) -> str:
    signed = f"{id_}.{at_seconds}.{body}".encode()
    return base64.b64encode(hmac.new(_key(secret), signed, sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a secret is whsec_ and base64") from None  # without the secret in the text
