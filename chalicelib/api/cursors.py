"""Opaque signed cursors: where a listing goes on, bound to who lists and what."""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

import msgspec

from chalicelib.api.endpoints import Call
from chalicelib.services.authenticate import Caller
from chalicelib.services.faults import Fault
from chalicelib.settings import settings

T = TypeVar("T")
_MAC_BYTES: Final = 16
MAX_LENGTH: Final = 2_000


class Listing(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page. `next_cursor` is null on the last one; a page may be short, or empty, and yet not the last."""

    data: tuple[T, ...]
    next_cursor: str | None = None


def seal(call: Call[Any], listing: str, position: Any) -> str | None:
    """The cursor for a position (JSON-like; None: the end) of a listing, whose name holds its filters."""
    if position is None:
        return None
    payload = msgspec.json.encode(position)
    return base64.urlsafe_b64encode(_mac(call, listing, payload) + payload).decode().rstrip("=")


def unseal(call: Call[Any], listing: str, cursor: str | None) -> Any:
    """The position that `seal` was given; None for no cursor. Raises Fault `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None
    mac, payload = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(call, listing, payload)):
        raise _invalid()
    return msgspec.json.decode(payload)


def _mac(call: Call[Any], listing: str, payload: bytes) -> bytes:
    """Whose and which listing it is goes into the signature, so a cursor works nowhere else.

    Without CHASQUI_CURSOR_SECRET the digest of the caller's API key takes its place: every Lambda knows it, other
    customers do not. The holder could forge with it only positions in a listing of its own, which it may read anyway.
    """
    caller: Caller = call.caller
    secret = settings().cursor_secret or caller.key.secret_sha256
    whose = caller.key.account or "admin"
    message = b"\n".join((whose.encode(), listing.encode(), payload))
    return hmac.new(secret.encode(), message, sha256).digest()[:_MAC_BYTES]


def _invalid() -> Fault:
    return Fault("invalid_cursor", "the cursor is not one that this listing gave out, with these filters and this key")
