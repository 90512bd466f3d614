"""The statement of an account: what moved its money, for its holder; administrators read the same."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import Call, CustomerCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.charging import LedgerEntry
from chalicelib.services.read_ledger import Line, places, statement

endpoints: Final = Endpoints(__name__, tag="Account", role="customer")

Kind = Literal["charge", "refund", "grant", "adjustment"]


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of money. Charges are negative; an adjustment takes credit back."""

    id: Annotated[str, Meta(description="Its name: money moves once under it.")]
    kind: Kind
    amount: Amount
    at: datetime
    who: Annotated[str, Meta(description="`billing`, or which administrator: `user:…` or `key:…`.")]
    why: str
    bundle: Annotated[str, Meta(description="What a charge paid for: the bundle in the `queued` event.")] | None = None
    message: Annotated[str, Meta(description="The message paid for or paid back; null for several at once.")] | None = (
        None
    )


class StatementLine(LedgerLine, frozen=True, kw_only=True):
    """A movement of money with what the account had after it."""

    balance: Annotated[Amount, Meta(description="The balance after this line.")]


class StatementQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines of a statement to list."""

    date_from: Annotated[date, Meta(description="First day (UTC). Default: the account's first.")] | None = None
    date_to: Annotated[date, Meta(description="Last day (UTC), included. Default: today.")] | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


@endpoints.get("/v1/account/ledger", faults=("invalid_cursor",))
def read_own_ledger(call: CustomerCall, query: StatementQuery) -> Listing[StatementLine]:
    """Read your statement, newest first.

    Every movement of money with the balance after it: grants, charges, refunds, adjustments. What cost nothing, as test
    messages and refused ones, is not in it. What was posted in the last second may not be a line yet, though the
    balances count it. A page may be short, or empty, before the last: go on while there is a `next_cursor`.
    """
    return read_statement(call, call.caller.account.id, query)


def read_statement(call: Call[Any], account: str, query: StatementQuery) -> Listing[StatementLine]:
    """The page of the account's statement that is asked for. Raises Fault."""
    name = f"statement {account} {query.date_from or ''} {query.date_to or ''}"
    asked = places(query.date_from, query.date_to)
    lines, after = statement(account, asked, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_line(line) for line in lines), next_cursor=seal(call, name, after))


def movement(entry: LedgerEntry) -> LedgerLine:
    """A movement alone, as it was just made."""
    return LedgerLine(**_fields(entry))


def _line(line: Line) -> StatementLine:
    return StatementLine(**_fields(line.entry), balance=Amount(line.balance_micros))


def _fields(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "amount": Amount(entry.amount_micros),
        "at": instant(entry.at_ms),
        "who": entry.who,
        "why": entry.why,
        "bundle": entry.id if entry.kind == "charge" else None,
        "message": entry.message,
    }
