"""The audit log: who changed what, from where, and who asked for what it may not."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.services.read_trail import Asked, Found, days, search

endpoints: Final = Endpoints(__name__, tag="Audit log", role="admin")

Outcome = Literal["done", "failed", "refused", "unfinished"]
Who = Annotated[
    str,
    Meta(
        pattern="^(user|key|command|forward):[!-~]{1,60}$(?!\\n)",
        description="`user:usr_…`, `key:…`, `command:…`, or `forward:…`, a reader with a link.",
        examples=["user:usr_01K0000000000000000000000"],
    ),
]
SubjectName = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z_-]{1,39}(/[ -~•]{1,200})?$(?!\\n)",
        description="What was changed, as entries name it; or its kind alone.",
        examples=["gateway/movistar-es", "route"],
    ),
]


class TrailQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries to list: all filters hold together."""

    date_from: Annotated[date, Meta(description="UTC; at most 366 days. Without: a month's.")] | None = None
    date_to: Annotated[date, Meta(description="UTC, included. Without: today.")] | None = None
    account: AccountId | None = None
    who: Who | None = None
    subject: SubjectName | None = None
    operation: (
        Annotated[str, Meta(pattern="^[a-z0-9_]{1,60}$(?!\\n)", description="An operation's id in this document.")]
        | None
    ) = None
    outcome: Outcome | None = None
    impersonated: Annotated[bool, Meta(description="Whether an administrator acted as a customer.")] | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class TrailEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One change, or one refusal. An operation that changes several things has an entry for each."""

    id: str
    at: datetime
    who: Annotated[str, Meta(description="`user:usr_…`, `key:…`; of an impersonation the administrator.")]
    role: Annotated[str, Meta(description="In which role; `key` for a program's API key.")]
    impersonated_by: Annotated[str | None, Meta(description="The administrator, where it acted as a customer.")]
    operation: Annotated[str, Meta(description="The operation's id in this document.")]
    outcome: Annotated[
        Outcome, Meta(description="`unfinished`: it was begun, and may have been done: nothing tells of its end.")
    ]
    code: Annotated[str | None, Meta(description="The problem's code, of what failed or was refused.")]
    account: Annotated[str | None, Meta(description="Whose it is.")]
    subject: Annotated[str | None, Meta(description="What was changed: its kind and id.")]
    before: Annotated[
        dict[str, Any] | None, Meta(description="What differed before; null where it was not there, or is not told.")
    ]
    after: Annotated[dict[str, Any] | None, Meta(description="The same afterwards; null where it is gone.")]
    more_changes: Annotated[int, Meta(description="Of the same operation, which were too many to be kept.")]
    address: Annotated[str, Meta(description="Where the request came from.")]
    request_id: str


@endpoints.get("/v1/admin/audit", faults=("invalid_cursor",))
def list_audit_log(call: AdminCall, query: TrailQuery) -> Listing[TrailEntry]:
    """Search the audit log, newest first.

    Every change by any operation has its entry, and each request that was refused as not allowed (403; the same one
    again within minutes is counted once). Secrets and texts are not in it, numbers are masked. A page may be short, or
    empty, before the last: go on while there is a `next_cursor`.
    """
    first, last = days(query.date_from, query.date_to, call.now_ms)
    asked = Asked(
        first=first,
        last=last,
        account=query.account,
        who=query.who,
        subject=query.subject,
        operation=query.operation,
        outcome=query.outcome,
        impersonated=query.impersonated,
    )
    name = f"audit {msgspec.json.encode(_filters(query)).decode()}"
    found, after = search(asked, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_entry(one) for one in found), next_cursor=seal(call, name, after))


def _filters(query: TrailQuery) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(query).items() if name not in ("cursor", "limit")}


def _entry(found: Found) -> TrailEntry:
    fact = found.fact
    return TrailEntry(
        id=fact.id,
        at=instant(fact.at_ms),
        who=fact.who,
        role=fact.role,
        impersonated_by=fact.impersonated_by,
        operation=fact.operation,
        outcome=found.outcome,
        code=fact.code,
        account=fact.account,
        subject=None if fact.subject is None else str(fact.subject),
        before=fact.before,
        after=fact.after,
        more_changes=fact.more,
        address=fact.address,
        request_id=fact.request_id,
    )
