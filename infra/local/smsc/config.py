"""The simulator's settings."""

from typing import Final

from msgspec import Struct

LOOPBACK: Final = "127.0.0.1"


class Config(Struct, frozen=True, kw_only=True):
    """Port 0 takes a free one; None switches a thing off."""

    host: str = LOOPBACK
    port: int = 0
    admin_port: int | None = 0  # always on loopback
    system_id: str | None = None  # None: anybody may bind
    password: str | None = None
    certificate: str | None = None  # PEM files; both or none
    key: str | None = None
    window: int = 1_000  # unanswered submits of a session, beyond which it is throttled
    rate_per_second: float | None = None  # submits of all sessions, beyond which they are throttled
    response_delay_ms: float = 0.0
    receipts: bool = True
    receipt_delay_seconds: float = 1.0
    receipt_retry_seconds: float = 2.0  # after a refused or unanswered receipt
    receipt_window: int = 100
    response_timeout_seconds: float = 10.0
    enquire_link_seconds: float | None = 30.0
    session_init_seconds: float | None = 10.0
    record: bool = True
    journal: str | None = None  # a file that each accepted submit gets a line in


class Control(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What may be changed while it runs (POST /control); what is left out stays as it is."""

    silent: bool | None = None  # stop reading, as a hung process does
    throttle: bool | None = None  # refuse every submit_sm with 0x58
    response_delay_ms: float | None = None
    receipt_delay_seconds: float | None = None
    disconnect: bool = False  # close every connection, now
