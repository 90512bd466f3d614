"""The rules that are published as one numbered snapshot: gateways, routes with prices, numbering plan."""

from typing import Literal

import msgspec

BindMode = Literal["transceiver", "transmitter_receiver"]
LongMessageForm = Literal["udh", "udh8", "sar", "payload"]
MessageIdForm = Literal["raw", "hex", "decimal", "either"]
Unanswered = Literal["by_priority", "hold", "resend"]  # by_priority: high is sent again, the rest held


class ErrorRule(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's own reading of a command_status, for 0x400 and up or to overrule the table."""

    command_status: int
    action: Literal["retry", "pause", "fail_over", "final"]
    code: str
    title: str
    refund: bool = True


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """How one operator's SMSC is reached. The password is a secret of its own, never part of the rules."""

    id: str
    name: str
    host: str
    port: int
    system_id: str
    state: Literal["active", "paused"] = "active"
    simulator: bool = False  # the only kind that a test key reaches
    bind_mode: BindMode = "transceiver"
    sessions: int = 1
    system_type: str = ""
    address_range: str = ""
    tls: bool = False
    tls_verify: bool = True
    window: int = 100
    messages_per_second: float = 100.0  # per gateway, over all its sessions
    enquire_link_seconds: float = 30.0
    response_timeout_seconds: float = 30.0
    service_type: str = ""
    source_ton: int | None = None  # None: from the sender's form
    source_npi: int | None = None
    destination_ton: int = 1
    destination_npi: int = 1
    destination_plus: bool = False  # send the + of E.164
    long_messages: LongMessageForm = "udh"
    gsm7_data_coding: int = 0
    message_id_form: MessageIdForm = "either"
    receipt_utc_offset_minutes: int = 0
    unanswered: Unanswered = "by_priority"
    error_table: tuple[ErrorRule, ...] = ()


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway of a route: lower `priority` first; among equals by weight."""

    gateway: str
    priority: int = 0
    weight: int = 1


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages go where, at what price. None matches anything; the most specific match wins."""

    id: str
    targets: tuple[Target, ...]
    price_micros: int  # per part
    account: str | None = None
    country: str | None = None
    operator: str | None = None
    prefix: str | None = None  # digits, without +
    state: Literal["active", "paused"] = "active"


class NumberingPrefix(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the numbering plan: digits (without +) → operator. The longest matching prefix wins."""

    prefix: str
    country: str
    operator: str
    mcc: str = ""
    mnc: str = ""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable snapshot. Decisions record its number."""

    number: int
    published_ms: int
    published_by: str
    note: str = ""
    gateways: tuple[Gateway, ...] = ()
    routes: tuple[Route, ...] = ()
    numbering: tuple[NumberingPrefix, ...] = ()
