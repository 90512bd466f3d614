"""Credits: grant them, take them back, and read the ledger that every movement is a line of."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, PageQuery
from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.message_types import instant
from chalicelib.domain.charging import EntryKind, LedgerEntry
from chalicelib.services.faults import not_found
from chalicelib.services.grant import Grant, grant
from chalicelib.services.once import Once
from chalicelib.store import accounts, ledger

endpoints: Final = Endpoints(__name__, tag="Credits", role="admin")


class NewGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credit to grant, or with a negative amount to take back."""

    amount: Amount
    why: Annotated[str, Meta(min_length=1, max_length=200, description="As on the invoice.")]


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of money. Charges are negative; their id names the bundle, a refund's the message."""

    id: str
    kind: EntryKind
    amount: Amount
    at: datetime
    who: Annotated[str, Meta(description="The id of the administrator's key, or `billing`.")]
    why: str


@endpoints.post("/v1/admin/accounts/{account}/credits", status=201, idempotent=True, faults=("idempotency_key_reused",))
def grant_credits(call: AdminCall, account: AccountId, body: NewGrant) -> LedgerLine:
    """Grant credits to an account, or take some back."""
    what = Grant(account=account, amount_micros=body.amount.micros, why=body.why)
    once = Once.of(call.idempotency_key, what) if call.idempotency_key else None
    if accounts.get(account) is None:
        raise not_found("account")
    return _line(grant(what, call.caller.key.id, call.now_ms, once))


@endpoints.get("/v1/admin/accounts/{account}/ledger", faults=("invalid_cursor",))
def read_ledger(call: AdminCall, account: AccountId, query: PageQuery) -> Listing[LedgerLine]:
    """Read an account's ledger, newest first."""
    name = f"ledger {account}"
    if accounts.get(account) is None:
        raise not_found("account")
    page = ledger.statement(account, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_line(entry) for entry in page.items), next_cursor=seal(call, name, page.cursor))


def _line(entry: LedgerEntry) -> LedgerLine:
    return LedgerLine(
        id=entry.id,
        kind=entry.kind,
        amount=Amount(entry.amount_micros),
        at=instant(entry.at_ms),
        who=entry.who,
        why=entry.why,
    )
