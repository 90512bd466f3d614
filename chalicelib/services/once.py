"""A caller's name for a request, so that asking again does nothing twice."""

from hashlib import sha256

import msgspec


class Once(msgspec.Struct, frozen=True):
    """An Idempotency-Key with the digest of what it came with."""

    key: str
    request_sha256: str

    @classmethod
    def of(cls, key: str, request: msgspec.Struct) -> "Once":
        """The same request, however it was written, has the same digest."""
        return cls(key, sha256(msgspec.json.encode(request, order="deterministic")).hexdigest())
