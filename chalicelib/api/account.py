"""The caller's own account: what it has, and how it is set."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount, Price
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.domain.account import AccountState, RefundPolicy, TextRetention, Traffic
from chalicelib.domain.content import Mode
from chalicelib.services.faults import not_found
from chalicelib.store import wallets

endpoints: Final = Endpoints(__name__, tag="Account", role="customer")


class OwnAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its holder sees it. `available` = `balance` + `credit_limit`."""

    id: str
    name: str
    state: AccountState
    mode: Mode
    balance: Amount
    credit_limit: Price
    available: Amount
    default_sender: str | None
    default_region: str | None
    max_parts: int
    max_validity_seconds: int
    retention_days: int
    refund_policy: RefundPolicy
    traffic: Annotated[Traffic, Meta(description="What your messages are by default.")]
    time_zone: Annotated[str, Meta(description="Whose days your reports count by (IANA).")]
    low_credit: Annotated[Price, Meta(description="Below this balance you are told to top up.")] | None
    max_wait_seconds: (
        Annotated[int, Meta(description="What waited longer at a gateway expires, however long it is valid.")] | None
    )
    text_retention: Annotated[TextRetention, Meta(description="`hash`: only a hash of your texts is stored.")]
    text_days: Annotated[int, Meta(description="After so many days a kept text is blanked.")] | None


@endpoints.get("/v1/account")
def read_own_account(call: CustomerCall) -> OwnAccount:
    """Read your account: balance, credit limit, settings."""
    account = call.caller.account
    wallet = wallets.get(account.id, consistent=True)
    if wallet is None:
        raise not_found("account")
    return OwnAccount(
        id=account.id,
        name=account.name,
        state=account.state,
        mode=call.caller.key.mode,
        balance=Amount(wallet.balance_micros),
        credit_limit=Price(wallet.credit_limit_micros),
        available=Amount(wallet.available_micros),
        default_sender=account.default_sender,
        default_region=account.default_region,
        max_parts=account.max_parts,
        max_validity_seconds=account.max_validity_seconds,
        retention_days=account.retention_days,
        refund_policy=account.refund_policy,
        traffic=account.traffic,
        time_zone=account.time_zone,
        low_credit=None if account.low_credit_micros is None else Price(account.low_credit_micros),
        max_wait_seconds=account.max_wait_seconds,
        text_retention=account.text_retention,
        text_days=account.text_days,
    )
