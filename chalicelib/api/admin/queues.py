"""Queues: how much waits on each, of whom, and of which job."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.queue_types import QueueView, queue_view
from chalicelib.api.admin.types import PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.job import JobStatus
from chalicelib.services import watch_queues
from chalicelib.store import smpp_logins

endpoints: Final = Endpoints(__name__, tag="Queues", role="admin")
MAX_DAYS: Final = 30  # no message is valid for longer


class WaitingQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which messages."""

    days: Annotated[int, Meta(ge=1, le=MAX_DAYS, description="Those charged on the last so many days (UTC).")] = 3


class AccountWaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """An account's messages that were charged and have not ended: they wait, or for their receipts."""

    account: str
    messages: int
    by_gateway: Annotated[
        dict[str, int],
        Meta(description="That they were charged for; what was moved, or failed over, waits at another one."),
    ]
    empty_in_seconds: (
        Annotated[int, Meta(description="Until all that waits at these gateways is through. Null: nobody can say.")]
        | None
    )
    oldest_since: Annotated[datetime, Meta(description="To a quarter of an hour.")]


class JobWaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """A job's messages that were charged and have left no gateway."""

    account: str
    job: str
    name: str
    status: JobStatus
    messages: int
    empty_in_seconds: (
        Annotated[int, Meta(description="At the rate at which they have left so far. Null: none does.")] | None
    )
    started_at: datetime | None


@endpoints.get("/v1/admin/queues")
def list_queues(call: AdminCall) -> Listing[QueueView]:
    """See every queue of the platform and of the gateways: depth, oldest, and when it may be empty."""
    states = watch_queues.all_queues(call.now_ms)
    return Listing(data=tuple(map(queue_view, states)), next_cursor=None)


@endpoints.get("/v1/admin/queues/smpp-logins", faults=("invalid_cursor",))
def list_queues_of_logins(call: AdminCall, query: PageQuery) -> Listing[QueueView]:
    """See what waits for customers' SMPP clients; a page may be short and not the last."""
    page = smpp_logins.listing(unseal(call, "queues of logins", query.cursor), query.limit)
    states = watch_queues.queues_of_logins([row.value.system_id for row in page.items], call.now_ms)
    cursor = seal(call, "queues of logins", page.cursor)
    return Listing(data=tuple(map(queue_view, states)), next_cursor=cursor)


@endpoints.get("/v1/admin/queues/accounts")
def list_waiting_by_account(call: AdminCall, query: WaitingQuery) -> Listing[AccountWaitingView]:
    """See whose messages have not ended, and at which gateways, most first."""
    data = tuple(
        AccountWaitingView(
            account=one.account,
            messages=one.messages,
            by_gateway=dict(one.by_gateway),
            empty_in_seconds=one.empty_in_seconds,
            oldest_since=instant(one.oldest_ms),
        )
        for one in watch_queues.waiting_of_accounts(call.now_ms, query.days)
    )
    return Listing(data=data, next_cursor=None)


@endpoints.get("/v1/admin/queues/jobs", faults=("invalid_cursor",))
def list_waiting_by_job(call: AdminCall, query: PageQuery) -> Listing[JobWaitingView]:
    """See of which jobs messages wait at gateways; a page may be short and not the last."""
    page = watch_queues.waiting_of_jobs(unseal(call, "waiting jobs", query.cursor), query.limit, call.now_ms)
    data = tuple(
        JobWaitingView(
            account=one.account,
            job=one.job,
            name=one.name,
            status=one.status,
            messages=one.messages,
            empty_in_seconds=one.empty_in_seconds,
            started_at=instant(one.since_ms),
        )
        for one in page.items
    )
    return Listing(data=data, next_cursor=seal(call, "waiting jobs", page.cursor))
