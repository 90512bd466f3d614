"""An operation as it is declared: what it decodes and answers, who may ask for it, and whether it changes anything."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from chalicelib.api import problems
from chalicelib.domain.rights import right_of
from chalicelib.domain.scopes import scope_of

Role = Literal["customer", "admin", "person"]  # person: who has logged in, a customer or an administrator
Handler = Callable[..., Any]
MAX_BODY_BYTES: Final = 64 * 1024  # the longest message is some 40,000 characters; more is no message
_OF_ALL: Final = frozenset({"internal_error", "unavailable", "rate_limited"})
_OF_CALLERS: Final = frozenset(
    {
        "missing_api_key",
        "invalid_api_key",
        "invalid_session",
        "wrong_role",
        "ip_not_allowed",
        "scope_missing",
        "forbidden",
    }
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method on one path."""

    method: str
    path: str
    tag: str
    role: Role | None  # None: for everybody
    status: int
    handler: Handler
    answers: Mapping[int, Any]  # status → type; a media type's name where it is not JSON
    faults: tuple[str, ...]  # codes beyond those that its shape implies
    body: Any = None
    csv: bool = False
    query: Any = None
    path_types: Mapping[str, Any] = {}
    idempotent: bool = False  # takes an Idempotency-Key
    max_body_bytes: int = MAX_BODY_BYTES
    named_right: str | None = None
    changes: bool = True  # what it does is told to the audit log, unless it only reads

    @property
    def id(self) -> str:
        """Its name in the document."""
        return self.handler.__name__

    @property
    def scope(self) -> str | None:
        """What a key must be good for to ask for it; None where no key is needed."""
        return scope_of(self.method, self.path) if self.role else None

    @property
    def right(self) -> str | None:
        """What the caller's role must have the right to (domain.rights); None where it is for everybody."""
        return (self.named_right or right_of(self.method, self.path)) if self.role else None

    @property
    def audited(self) -> bool:
        """Whether each request for it that comes through has its entry in the audit log."""
        return self.changes and self.method != "GET"

    @property
    def codes(self) -> tuple[str, ...]:
        """Every problem code that it may answer, in the order of the table."""
        implied = set(_OF_ALL)
        if self.role:
            implied |= _OF_CALLERS
        if self.role == "admin":
            implied |= {"second_factor_missing"}
        if self.role in ("customer", "person"):
            implied |= {"account_closed"}
        if self.body is not None:
            implied |= {"malformed_json", "body_too_large", "unsupported_media_type", "invalid_request"}
        if self.query is not None or self.idempotent:
            implied |= {"invalid_request"}
        if self.path_types:
            implied |= {"not_found"}
        return tuple(code for code in problems.KINDS if code in implied or code in self.faults)
