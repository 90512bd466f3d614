"""The rules that are published as one numbered snapshot: gateways, routes with prices, numbering plan."""

from typing import Literal

import msgspec

from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.rate_plan import RatePlan

BindMode = Literal["transceiver", "transmitter_receiver"]
LongMessageForm = Literal["udh", "udh8", "sar", "payload"]
MessageIdForm = Literal["raw", "hex", "decimal", "either"]
OwnTlvs = Literal["all"] | tuple[int, ...]  # tags of customers' optional parameters that a gateway takes
# draining: routes pass it over, and what waits there goes out. paused: nothing goes out.
GatewayState = Literal["active", "draining", "paused"]
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
    state: GatewayState = "active"
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
    sender_override: str | None = None  # whatever a message's sender: this one goes out
    error_table: tuple[ErrorRule, ...] = ()
    tlvs: OwnTlvs = ()
    max_wait_seconds: int | None = None  # what waited longer there expires; None: its validity alone counts


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway of a route: lower `priority` first; among equals by weight."""

    gateway: str
    priority: int = 0
    weight: int = 1


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages go where, at what price. None matches anything; the most specific match wins."""

    id: str
    targets: tuple[Target, ...]
    price_micros: int | None = None  # per part; None: as the account's rate plan says, or the next route that matches
    account: str | None = None
    country: str | None = None
    operator: str | None = None
    prefix: str | None = None  # digits, without +
    state: Literal["active", "paused"] = "active"
    below_cost: bool = False  # somebody has said that its price may lie below cost


class NumberingPrefix(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the numbering plan: digits (without +) → operator. The longest matching prefix wins."""

    prefix: str
    country: str
    operator: str
    mcc: str = ""
    mnc: str = ""


SpamKind = Literal["word", "phrase", "url", "regex"]
SpamAction = Literal["report", "hold", "block"]
SenderForm = Literal["alphanumeric", "short_code", "international"]


class SpamRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Texts that an account, or every one, must not send, or not unseen. One of the patterns is enough."""

    id: str
    kind: SpamKind
    patterns: tuple[str, ...]
    action: SpamAction
    account: str | None = None
    note: str = ""
    state: Literal["active", "paused"] = "active"


class SenderRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which senders an account may have in a country; None is every one. The most specific rule alone counts.

    What is in neither `senders` nor `forms` is refused, or gets `replacement` for a sender.
    """

    id: str
    account: str | None = None
    country: str | None = None
    senders: tuple[str, ...] = ()  # as domain.numbers.parse_sender gives them back
    forms: tuple[SenderForm, ...] = ()
    replacement: str | None = None
    state: Literal["active", "paused"] = "active"


class CountryRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When promotional messages may go to a country: [from, until) on these days, by the clock of its time zone."""

    country: str
    time_zone: str  # IANA
    from_minute: int = 0  # of the day
    until_minute: int = 1_440  # before `from_minute`: over midnight
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)  # ISO: 1 is Monday


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable snapshot. Decisions record its number."""

    number: int
    published_ms: int
    published_by: str
    note: str = ""
    gateways: tuple[Gateway, ...] = ()
    routes: tuple[Route, ...] = ()
    numbering: tuple[NumberingPrefix, ...] = ()
    spam: tuple[SpamRule, ...] = ()
    senders: tuple[SenderRule, ...] = ()
    countries: tuple[CountryRule, ...] = ()
    rate_plans: tuple[RatePlan, ...] = ()
    costs: tuple[GatewayCosts, ...] = ()
