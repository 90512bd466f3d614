"""Credits: grant them, take them back, and read the ledger that every movement is a line of."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId
from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.ledger import LedgerLine, StatementLine, StatementQuery, movement, read_statement
from chalicelib.services.faults import not_found
from chalicelib.services.grant import Grant, grant
from chalicelib.services.once import Once
from chalicelib.store import accounts

endpoints: Final = Endpoints(__name__, tag="Credits", role="admin")
_GRANTS: Final = ("idempotency_key_reused", "no_credit")


class NewGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credit to grant, or with a negative amount to take back."""

    amount: Amount
    why: Annotated[str, Meta(min_length=1, max_length=200, description="As on the invoice.")]
    force: Annotated[
        bool, Meta(description="Take back though the account has less: it is then below its credit limit.")
    ] = False


@endpoints.post("/v1/admin/accounts/{account}/credits", status=201, idempotent=True, faults=_GRANTS)
def grant_credits(call: AdminCall, account: AccountId, body: NewGrant) -> LedgerLine:
    """Grant credits to an account, or take some back: no more than it has, its credit limit included, unless forced."""
    what = Grant(account=account, amount_micros=body.amount.micros, why=body.why, forced=body.force)
    once = Once.of(call.idempotency_key, what) if call.idempotency_key else None
    if accounts.get(account) is None:
        raise not_found("account")
    return movement(grant(what, call.caller.who, call.now_ms, once))


@endpoints.get("/v1/admin/accounts/{account}/ledger", faults=("invalid_cursor",))
def read_ledger(call: AdminCall, account: AccountId, query: StatementQuery) -> Listing[StatementLine]:
    """Read an account's statement, newest first.

    As its holder does at `/v1/account/ledger`.
    """
    return read_statement(call, account, query)
