"""Accounts: open, read, change, list; their credit limit."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Country, GatewayId, IpRules, Name, PageQuery, RatePlanId, Version
from chalicelib.api.amounts import Amount, Price
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.message_types import MAX_VALIDITY_SECONDS, MIN_VALIDITY_SECONDS
from chalicelib.domain.account import Account, AccountState, RefundPolicy, TextRetention, Traffic, Wallet
from chalicelib.domain.ids import MAX_SHARDS
from chalicelib.domain.text import MAX_PARTS
from chalicelib.domain.user import Language
from chalicelib.services import record_change
from chalicelib.services.faults import not_found
from chalicelib.services.keep_account import change_account
from chalicelib.services.keep_user import Profile, Terms
from chalicelib.services.welcome import Welcome, welcome
from chalicelib.store import accounts, wallets
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Accounts", role="admin")


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an administrator sets of an account."""

    name: Name
    state: Annotated[
        AccountState, Meta(description="A suspended one reads but sends nothing; a closed one is out.")
    ] = "active"
    default_gateway: Annotated[GatewayId, Meta(description="Where goes what no route matches.")] | None = None
    default_price: Annotated[Price, Meta(description="Per part, at the default gateway.")] | None = None
    rate_plan: (
        Annotated[RatePlanId, Meta(description="Whose prices it pays, where no route of its own names one.")] | None
    ) = None
    below_cost: Annotated[
        bool, Meta(description="The default price, and the plan's for it, may lie below cost: else such are refused.")
    ] = False
    default_sender: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    default_region: Annotated[Country, Meta(description="Where numbers without + are read first.")] | None = None
    max_parts: Annotated[int, Meta(ge=1, le=MAX_PARTS, description="The longest text, in parts.")] = 10
    max_validity_seconds: Annotated[int, Meta(ge=MIN_VALIDITY_SECONDS, le=MAX_VALIDITY_SECONDS)] = 172_800
    shards: Annotated[int, Meta(ge=1, le=MAX_SHARDS, description="Of a day's message log; each takes 1,000/s.")] = 1
    retention_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    refund_policy: RefundPolicy = "rejected"
    traffic: Annotated[
        Traffic, Meta(description="What its messages are by default; only transactional gives the right to say so.")
    ] = "promotional"
    ip_rules: IpRules = ()
    messages_per_second: (
        Annotated[float, Meta(gt=0, le=100_000, description="Over HTTPS, all keys together. Null: no limit.")] | None
    ) = None
    messages_burst: (
        Annotated[int, Meta(ge=1, le=100_000, description="At once, after a pause. Null: a second's worth.")] | None
    ) = None
    time_zone: Annotated[
        str, Meta(min_length=1, max_length=64, description="IANA; its reports' days.", examples=["Europe/Madrid"])
    ] = "UTC"
    low_credit: (
        Annotated[Price, Meta(description="Below this balance it is told to top up. Null: it is not.")] | None
    ) = None
    max_wait_seconds: (
        Annotated[
            int,
            Meta(
                ge=MIN_VALIDITY_SECONDS,
                le=MAX_VALIDITY_SECONDS,
                description="What waited longer at a gateway expires, however long it is valid.",
            ),
        ]
        | None
    ) = None
    text_retention: Annotated[
        TextRetention, Meta(description="`hash`: no text of its messages is stored, only a hash of it.")
    ] = "keep"
    text_days: (
        Annotated[int, Meta(ge=1, le=3650, description="A kept text is blanked after so many. Null: never before.")]
        | None
    ) = None


class NewOwner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user who will keep the account; a mail asks for a password to be chosen."""

    email: Annotated[str, Meta(min_length=3, max_length=254, examples=["ana@example.com"])]
    name: Name
    language: Language = "en"


class NewAccount(AccountSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to open, with what it begins with."""

    first_credit: Annotated[Price, Meta(description="Granted at once.")] | None = None
    first_credit_why: Annotated[str, Meta(min_length=1, max_length=200, description="As on the invoice.")] = (
        "first credit"
    )
    owner: NewOwner | None = None


class AccountChange(AccountSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default."""

    version: Version


class AccountView(AccountSettings, frozen=True, kw_only=True):
    """An account as it is set."""

    id: str
    version: int
    created_at: datetime


class AccountWithWallet(AccountView, frozen=True, kw_only=True):
    """An account with what it has. `available` = `balance` + `credit_limit`."""

    balance: Amount
    credit_limit: Price
    available: Amount


class OpenedAccount(AccountWithWallet, frozen=True, kw_only=True):
    """An account as it was opened."""

    owner: Annotated[str, Meta(description="Its owner's user id.")] | None


class CreditLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far below zero an account may go."""

    credit_limit: Price


@endpoints.post("/v1/admin/accounts", status=201, faults=("already_exists", "below_cost"))
def open_an_account(call: AdminCall, body: NewAccount) -> OpenedAccount:
    """Open an account, with a first credit and its owner's user if you like.

    Where one of these fails after all, the account is there: grant it credit, or invite its owner.
    """
    given = Welcome(
        credit_micros=body.first_credit.micros if body.first_credit else 0,
        why=body.first_credit_why,
        owner=_owner(body.owner) if body.owner else None,
    )
    opened = welcome(_account("", body), given, call.caller.who, call.now_ms)
    told = _with_wallet(opened.row)
    return OpenedAccount(**{name: getattr(told, name) for name in told.__struct_fields__}, owner=opened.owner)


@endpoints.get("/v1/admin/accounts", faults=("invalid_cursor",))
def list_accounts(call: AdminCall, query: PageQuery) -> Listing[AccountWithWallet]:
    """List accounts with what they have, in no particular order."""
    page = accounts.listing(unseal(call, "accounts", query.cursor), query.limit)
    held = wallets.get_all((row.value.id for row in page.items), consistent=True)
    data = tuple(_told(row, held[row.value.id]) for row in page.items if row.value.id in held)
    return Listing(data=data, next_cursor=seal(call, "accounts", page.cursor))


@endpoints.get("/v1/admin/accounts/{account}")
def read_account(call: AdminCall, account: AccountId) -> AccountWithWallet:
    """Read an account with its wallet."""
    return _with_wallet(_held(account))


@endpoints.put("/v1/admin/accounts/{account}", faults=("version_conflict", "below_cost"))
def change_an_account(call: AdminCall, account: AccountId, body: AccountChange) -> AccountWithWallet:
    """Change an account's settings.

    It takes effect everywhere within some seconds.
    """
    return _with_wallet(change_account(_account(account, body), body.version, call.now_ms))


@endpoints.put("/v1/admin/accounts/{account}/credit-limit")
def set_credit_limit(call: AdminCall, account: AccountId, body: CreditLimit) -> AccountWithWallet:
    """Set how far below zero an account may go."""
    held = _held(account)
    before = wallets.get(account, consistent=True)
    wallets.set_credit_limit(account, body.credit_limit.micros)
    record_change.changed(
        "wallet",
        account,
        {"credit_limit_micros": before.credit_limit_micros} if before else None,
        {"credit_limit_micros": body.credit_limit.micros},
    )
    return _with_wallet(held)


def _held(account: str) -> Row[Account]:
    held = accounts.versioned(account)
    if held is None:
        raise not_found("account")
    return held


def _owner(given: NewOwner) -> Terms:
    return Terms(email=given.email, role="owner", profile=Profile(name=given.name, language=given.language))


def _account(account_id: str, given: AccountSettings) -> Account:
    return Account(
        id=account_id,
        name=given.name,
        created_ms=0,  # the service knows
        state=given.state,
        default_gateway=given.default_gateway,
        default_price_micros=given.default_price.micros if given.default_price else None,
        rate_plan=given.rate_plan,
        below_cost=given.below_cost,
        default_sender=given.default_sender,
        default_region=given.default_region,
        max_parts=given.max_parts,
        max_validity_seconds=given.max_validity_seconds,
        shards=given.shards,
        retention_days=given.retention_days,
        refund_policy=given.refund_policy,
        traffic=given.traffic,
        ip_rules=given.ip_rules,
        messages_per_second=given.messages_per_second,
        messages_burst=given.messages_burst,
        time_zone=given.time_zone,
        low_credit_micros=given.low_credit.micros if given.low_credit else None,
        max_wait_seconds=given.max_wait_seconds,
        text_retention=given.text_retention,
        text_days=given.text_days,
    )


def _view(row: Row[Account]) -> AccountView:
    account = row.value
    price_micros = account.default_price_micros
    return AccountView(
        id=account.id,
        version=row.version,
        created_at=instant(account.created_ms),
        name=account.name,
        state=account.state,
        default_gateway=account.default_gateway,
        default_price=None if price_micros is None else Price(price_micros),
        rate_plan=account.rate_plan,
        below_cost=account.below_cost,
        default_sender=account.default_sender,
        default_region=account.default_region,
        max_parts=account.max_parts,
        max_validity_seconds=account.max_validity_seconds,
        shards=account.shards,
        retention_days=account.retention_days,
        refund_policy=account.refund_policy,
        traffic=account.traffic,
        ip_rules=account.ip_rules,
        messages_per_second=account.messages_per_second,
        messages_burst=account.messages_burst,
        time_zone=account.time_zone,
        low_credit=None if account.low_credit_micros is None else Price(account.low_credit_micros),
        max_wait_seconds=account.max_wait_seconds,
        text_retention=account.text_retention,
        text_days=account.text_days,
    )


def _with_wallet(row: Row[Account]) -> AccountWithWallet:
    wallet = wallets.get(row.value.id, consistent=True)
    if wallet is None:
        raise not_found("account")
    return _told(row, wallet)


def _told(row: Row[Account], wallet: Wallet) -> AccountWithWallet:
    told = _view(row)
    return AccountWithWallet(
        **{name: getattr(told, name) for name in told.__struct_fields__},
        balance=Amount(wallet.balance_micros),
        credit_limit=Price(wallet.credit_limit_micros),
        available=Amount(wallet.available_micros),
    )
