"""A customer of the aggregator: who it is and what it may do."""

from typing import Final, Literal

import msgspec

RefundPolicy = Literal["never", "rejected", "not_delivered"]
AccountState = Literal["active", "suspended", "closed"]
Role = Literal["customer", "admin"]
Traffic = Literal["promotional", "transactional"]
TextRetention = Literal["keep", "hash"]
DEFAULT_RETENTION_DAYS: Final = 90


class OptOutWords(msgspec.Struct, frozen=True, kw_only=True):
    """By which words recipients leave and come back in one language, and what they are answered (empty: nothing)."""

    language: str  # ISO 639-1
    leave: tuple[str, ...]
    come_back: tuple[str, ...]
    left_text: str = ""
    back_text: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account with its settings. Amounts in millionths of a credit."""

    id: str
    name: str
    created_ms: int
    state: AccountState = "active"
    default_gateway: str | None = None  # where goes what no route matches
    default_price_micros: int | None = None  # per part, at the default gateway
    rate_plan: str | None = None  # whose prices it pays, where no route of its own names one
    below_cost: bool = False  # somebody has said that its default price, and its plan's prices for it, may be
    default_sender: str | None = None
    default_region: str | None = None  # ISO country that national numbers are read in
    max_parts: int = 10
    max_validity_seconds: int = 172_800
    shards: int = 1
    retention_days: int = DEFAULT_RETENTION_DAYS
    refund_policy: RefundPolicy = "rejected"
    traffic: Traffic = "promotional"  # what its messages are by default; only the latter has the right to both
    ip_rules: tuple[str, ...] = ()  # networks that its API keys may be used from; none: all
    messages_per_second: float | None = None  # over HTTPS, all its keys together; None: no limit
    messages_burst: int | None = None  # how many may come at once, after a pause; None: a second's worth
    has_opt_outs: bool = False  # somebody has opted out once: its recipients are looked up
    opt_out_words: tuple[OptOutWords, ...] = ()  # by language; none: those of domain.opt_outs
    listens: bool = False  # it has an SMPP login or a webhook: somebody is to be told what becomes of its messages
    time_zone: str = "UTC"  # IANA; whose days its reports and credit history count by
    low_credit_micros: int | None = None  # below this balance it is told to top up; None: never
    max_wait_seconds: int | None = None  # what waited longer at a gateway expires; None: its validity alone counts
    text_retention: TextRetention = "keep"  # "hash": no text of its messages is ever stored
    text_days: int | None = None  # after so many a kept text is blanked; None: it goes with its message


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret, of which only the SHA-256 is kept (the secret has 256 random bits)."""

    id: str
    role: Role
    account: str | None  # None for an administrator's key
    mode: Literal["live", "test"]
    name: str
    secret_sha256: str
    created_ms: int
    revoked_ms: int | None = None
    ip_rules: tuple[str, ...] = ()  # networks that it may be used from, of those that its account may; none: all
    scopes: tuple[str, ...] = ()  # what it may be used for; none: for all that its role may
    requests_per_second: float | None = None  # None: no limit
    requests_burst: int | None = None


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has. `available_micros` = balance + credit limit: what a charge is held against."""

    account: str
    balance_micros: int
    available_micros: int

    @property
    def credit_limit_micros(self) -> int:
        return self.available_micros - self.balance_micros
