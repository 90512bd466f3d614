"""Scopes: what a key may be used for, by the operation's path and method; 'messages:send', 'account:read'."""

from collections.abc import Sequence
from typing import Final

SEND: Final = "messages:send"
_ADMIN: Final = "admin"


def scope_of(method: str, path: str) -> str:
    """The scope that an operation asks for: '<first part of its path>:read', or ':write' for what changes anything.

    Of administrators' operations the second part counts, after 'admin.'. To send or cancel a message has its own word.
    """
    parts = path.strip("/").split("/")[1:]  # without the version
    if parts[0] == _ADMIN:
        parts = [f"{_ADMIN}.{parts[1]}", *parts[2:]]
    if method == "GET":
        return f"{parts[0]}:read"
    return SEND if parts[0] == "messages" else f"{parts[0]}:write"


def allows(scopes: Sequence[str], asked: str) -> bool:
    """Whether a key with these scopes may be used for it; one without any, for all."""
    return not scopes or asked in scopes
