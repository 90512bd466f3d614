"""Verification: charges against prices, wallets against ledgers."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.report_types import Cursor, Limit, Page, name_of, span, told
from chalicelib.api.admin.types import AccountId
from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.services import check_charges, check_wallets
from chalicelib.services.walk_messages import Ground

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")


class ChargeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A charged message, held against the rules that decided. Prices are a part's, charges the message's."""

    message_id: str
    account: str
    charged_at: datetime
    country: str
    operator: str
    gateway: str
    route: str
    rules: int
    parts: int
    price: Amount
    charge: Amount
    expected_price: Amount | None
    expected_charge: Amount | None
    source: Annotated[
        Literal["route", "rate_plan", "default", "test"] | None,
        Meta(description="What sets the expected price. A default price, and an account's plan, are as of now."),
    ]
    verdict: Annotated[
        check_charges.Verdict, Meta(description="gone: the route, or the published rules, are not there any more.")
    ]


class ChargeQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages to check, by the days of their making."""

    account: AccountId | None = None
    show: Annotated[
        Literal["differing", "all"], Meta(description="differing: those only that do not agree, or cannot be checked.")
    ] = "differing"


class WalletRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An account's wallet, held against its ledger."""

    account: str
    name: str
    balance: Amount
    credit_limit: Amount
    ledger: Annotated[Amount, Meta(description="The sum of all movements.")]
    entries: int
    difference: Amount
    moving: Annotated[bool, Meta(description="Money moved meanwhile: a difference may be none at a second look.")]
    agrees: bool


class WalletQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which accounts to check."""

    account: AccountId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


@endpoints.get("/v1/admin/reports/charges", faults=("invalid_cursor", "not_found"))
def check_charges_against_prices(call: AdminCall, query: ChargeQuery) -> Listing[ChargeRecord]:
    """Check charges against prices.

    Each message's charge is held against the published rules that decided it. Each answer looks at a bounded number of
    messages: a page may be empty before the last; go on while there is a `next_cursor`.
    """
    days = span(query, call.now_ms)
    name = name_of("charges", query, days)
    ground = Ground(days=days, account=query.account)
    position = unseal(call, name, query.cursor)
    found, after = check_charges.check(ground, position, query.limit, all_of_them=query.show == "all")
    data = tuple(ChargeRecord(**told(one)) for one in found)
    return Listing(data=data, next_cursor=seal(call, name, after))


@endpoints.get("/v1/admin/reports/wallets", faults=("invalid_cursor", "not_found"))
def check_wallets_against_ledgers(call: AdminCall, query: WalletQuery) -> Listing[WalletRecord]:
    """Check wallets against ledgers: every balance is the sum of its account's movements.

    A long ledger is added up over several answers: a page may be empty before the last.
    """
    name = name_of("wallets", query)
    position = unseal(call, name, query.cursor)
    found, after = check_wallets.check(query.account, position, query.limit, call.now_ms)
    data = tuple(WalletRecord(**told(one)) for one in found)
    return Listing(data=data, next_cursor=seal(call, name, after))
