"""A line of the bind log: a session toward an SMSC, or a customer's, came into being, was refused, or ended."""

from typing import Final, Literal

import msgspec

from chalicelib.domain.ids import new_ulid

Side = Literal["gateway", "customer"]  # toward an SMSC, or from a customer's client
# bound: the bind was accepted. refused: it was answered with a no. unreachable: there was no answer to it, or no
# connection to send it on. unbound: one side said unbind. lost: the connection, or its peer, went without a word.
BindKind = Literal["bound", "refused", "unreachable", "unbound", "lost"]
BindMode = Literal["transmitter", "receiver", "transceiver"]
MAX_REASON: Final = 200  # characters: peers may say anything


class BindEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`name` is the gateway's id, or the login's system_id. No password is in it, nor what was given in its place."""

    id: str  # a ULID of `at_ms`: the log is in this order
    at_ms: int
    side: Side
    name: str
    kind: BindKind
    mode: BindMode
    session: str = ""  # as facts name it (`Submitted.session`), or the customer's session's id
    account: str = ""  # whose login it is, where it is known
    bridge: str = ""  # which bridge holds the session, or refused it
    address: str = ""  # of the other side: host:port of an SMSC, the customer's IP address
    status: int | None = None  # command_status of the bind's answer (SMPP 3.4, 5.1.3), where it had one
    reason: str = ""  # in words, at most MAX_REASON
    bound_ms: int | None = None  # of what has ended: since when it was bound

    @property
    def party(self) -> str:
        """Whose log it is a line of, beside that of all: `gateway#<id>` or `customer#<system_id>`."""
        return party_of(self.side, self.name)


def bind_event(
    side: Side, name: str, kind: BindKind, mode: BindMode, at_ms: int, *, reason: str = "", **more: str | int | None
) -> BindEvent:
    """The event as it has just happened; `more` are BindEvent's further fields."""
    known = {"id": new_ulid(at_ms), "at_ms": at_ms, "side": side, "name": name, "kind": kind, "mode": mode}
    return msgspec.convert({**known, "reason": reason[:MAX_REASON], **more}, BindEvent)


def party_of(side: Side, name: str) -> str:
    """The party's name in the log."""
    return f"{side}#{name}"
